import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../src/base/bytes.js';
import {
  csIdsOf,
  gmkIdOf,
  gukId,
  KEY_TYPES,
  keyTypeOf,
  mkiOf,
  newKeyId,
  ntpToUnixMs,
  purposeTag,
  srtpKeys,
  unixMsToNtp,
} from '../../src/mikey/index.js';
import { countingRandom } from '../support/mikey-kit.js';
import { readVectors } from '../support/vectors.js';

interface GukVector {
  readonly name: string;
  readonly gmk: string;
  readonly gmkId: string;
  readonly userUri: string;
  readonly gukId: string;
  readonly mki64?: string;
}
interface EtherstackCase {
  readonly name: string;
  readonly key: string;
  readonly csbId: string;
  readonly rand: string;
  readonly csId: number;
  readonly masterKey: string;
  readonly masterSalt: string;
}

const { gukId: guks } = readVectors('mikey-kdf-and-gukid') as { gukId: readonly GukVector[] };
const { etherstack } = readVectors('streamwide-and-third-party') as {
  etherstack: { cases: readonly EtherstackCase[] };
};

describe('end-point diversity', () => {
  for (const { name, gmk, gmkId, userUri, gukId: expected, mki64 } of guks) {
    it(`gives the GUK-ID of ${name}, and from it the GMK-ID`, () => {
      const [key, id] = [fromHex(gmk), fromHex(gmkId)];
      const guk = gukId(key, id, userUri);
      assert.equal(toHex(guk), expected);
      assert.equal(toHex(gmkIdOf(key, guk, userUri)), gmkId);
      if (mki64 !== undefined) assert.equal(toHex(mkiOf('GMK', id, guk)), mki64);
    });
  }

  it('leaves the purpose tag alone', () => {
    const key = new Uint8Array(16).fill(7);
    for (const tag of KEY_TYPES.map(purposeTag)) {
      const id = fromHex(`${tag}abcdef0`);
      assert.equal((gukId(key, id, 'sip:a@b')[0] ?? 0) >> 4, tag);
    }
  });
});

describe('SRTP keys of an opened key', () => {
  for (const vector of etherstack.cases.filter(({ masterKey }) => masterKey !== '')) {
    it(`are those of ${vector.name}`, () => {
      const { key, csbId, rand } = vector;
      const input = { key: fromHex(key), csbId: fromHex(csbId), rand: fromHex(rand) };
      const { masterKey, masterSalt } = srtpKeys({ ...input, csId: vector.csId });
      assert.equal(toHex(masterKey), vector.masterKey);
      assert.equal(toHex(masterSalt), vector.masterSalt);
    });
  }
});

describe('key identifiers', () => {
  it('carry the purpose tags of 5.2.2, 7 to 15 reserved', () => {
    const tags = Array.from({ length: 16 }, (_, tag) =>
      keyTypeOf(new Uint8Array([tag << 4, 0, 0, 0])),
    );
    assert.deepEqual(tags.slice(0, 7), ['GMK', 'PCK', 'CSK', 'SPK', 'MKFC', 'MSCCK', 'MuSiK']);
    assert.ok(tags.slice(7).every((type) => type === undefined));
  });

  it('are drawn with the tag of their type and 28 random bits', () => {
    for (const type of KEY_TYPES) {
      const random = countingRandom(5);
      const id = newKeyId(type, random);
      assert.equal(keyTypeOf(id), type);
      const drawn = countingRandom(5)(4);
      assert.equal((id[0] ?? 0) & 0x0f, (drawn[0] ?? 0) & 0x0f);
      assert.equal(toHex(id.subarray(1)), toHex(drawn.subarray(1)));
    }
  });

  it('have the CS IDs of table E.1.3-1', () => {
    assert.deepEqual(
      [csIdsOf('PCK'), csIdsOf('GMK'), csIdsOf('CSK'), csIdsOf('MuSiK')],
      [
        [0, 1, 2, 3],
        [4, 5],
        [6, 8],
        [7, 9],
      ],
    );
  });
});

describe('time stamps', () => {
  it('go to NTP and back to the millisecond', () => {
    for (const ms of [0, 1, 999, 1_795_176_000_123, 2_085_978_495_999]) {
      assert.equal(ntpToUnixMs(unixMsToNtp(ms), ms), ms);
    }
  });

  it('roll over on 7 February 2036', () => {
    const last = Date.parse('2036-02-07T06:28:15Z');
    assert.equal(toHex(unixMsToNtp(last)), 'ffffffff00000000');
    assert.equal(toHex(unixMsToNtp(last + 1000)), '0000000000000000');
    assert.equal(ntpToUnixMs(new Uint8Array(8), last), last + 1000);
    assert.equal(ntpToUnixMs(fromHex('ffffffff00000000'), last + 5000), last);
  });
});
