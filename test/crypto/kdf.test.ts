import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { fromHex, toHex } from '../../src/base/bytes.js';
import {
  type MikeyKeyKind,
  deriveMikeyKey,
  dpck,
  kdf33220,
  mikeyPrf,
  userSalt28,
} from '../../src/crypto/index.js';
import { readVectors } from '../support/vectors.js';

interface KdfVectors {
  readonly kdf: readonly {
    readonly name: string;
    readonly kind: MikeyKeyKind;
    readonly inkey: string;
    readonly rand: string;
    readonly csbId: string;
    readonly csId: number;
    readonly outLen: number;
    readonly output: string;
  }[];
  readonly gukId: readonly {
    readonly name: string;
    readonly gmk: string;
    readonly gmkId: string;
    readonly userUri: string;
    readonly userSalt?: string;
    readonly gukId: string;
  }[];
}

const vectors = readVectors('mikey-kdf-and-gukid') as KdfVectors;

describe('crypto/kdf: MIKEY key derivation', () => {
  for (const v of vectors.kdf) {
    it(`derives ${v.name}`, () => {
      const input = {
        key: fromHex(v.inkey),
        rand: fromHex(v.rand),
        csbId: fromHex(v.csbId),
        csId: v.csId,
      };
      assert.equal(toHex(deriveMikeyKey(v.kind, input, v.outLen)), v.output);
    });
  }
});

describe('crypto/kdf: user salt (F.1.3)', () => {
  for (const v of vectors.gukId) {
    it(`gives ${v.name} the salt that turns its GMK-ID into its GUK-ID`, () => {
      const salt = userSalt28(fromHex(v.gmk), v.userUri);
      const gmkId = fromHex(v.gmkId);
      assert.equal(toHex(salt.map((octet, i) => octet ^ gmkId[i]!)), v.gukId);
      if (v.userSalt !== undefined) assert.equal(toHex(salt), v.userSalt);
    });
  }
});

describe('crypto/kdf: TS 33.220 Annex B', () => {
  const key = new Uint8Array(16).fill(7);

  it('hashes FC and each parameter followed by its length in two octets', () => {
    const expected = createHmac('sha256', key).update(fromHex('51616263000364650002')).digest();
    const params = [fromHex('616263'), fromHex('6465')];
    assert.equal(toHex(kdf33220(key, 0x51, ...params)), expected.toString('hex'));
  });

  it('takes the second half of the output with FC 53 as DPCK', () => {
    const dppkId = fromHex('01020304');
    const whole = kdf33220(key, 0x53, dppkId);
    assert.equal(toHex(dpck(key, dppkId)), toHex(whole.subarray(16)));
  });

  it('refuses bad arguments by name', () => {
    assert.throws(() => kdf33220(new Uint8Array(), 0x50), { message: /^key has 0 octets/ });
    assert.throws(() => kdf33220(key, 256), { message: /^fc is not one octet/ });
    assert.throws(() => kdf33220(key, 1, new Uint8Array(65536)), { message: /^params\[0\] has/ });
    assert.throws(() => dpck(key, new Uint8Array(3)), { message: /^dppkId has 3 octets, not 4/ });
  });
});

describe('crypto/kdf: MIKEY PRF', () => {
  it('combines the blocks of an inkey over 32 octets by XOR', () => {
    const inkey = Uint8Array.from({ length: 40 }, (_, i) => i);
    const label = fromHex('0102');
    const first = mikeyPrf(inkey.subarray(0, 32), label, 70);
    const second = mikeyPrf(inkey.subarray(32), label, 70);
    assert.equal(toHex(mikeyPrf(inkey, label, 70)), toHex(first.map((b, i) => b ^ second[i]!)));
  });

  it('gives a shorter output as the start of a longer one', () => {
    const inkey = new Uint8Array(16);
    const long = mikeyPrf(inkey, new Uint8Array(3), 100);
    assert.equal(toHex(mikeyPrf(inkey, new Uint8Array(3), 33)), toHex(long.subarray(0, 33)));
  });

  it('refuses bad arguments by name', () => {
    const key = new Uint8Array(16);
    const input = { key, csId: 0, csbId: new Uint8Array(4), rand: key };
    assert.throws(() => mikeyPrf(key, key, 0), { message: /^length is not/ });
    assert.throws(() => mikeyPrf(new Uint8Array(), key, 1), { message: /^inkey has 0 octets/ });
    assert.throws(() => deriveMikeyKey('TEK', { ...input, csId: 256 }, 16), { message: /^csId / });
    assert.throws(() => deriveMikeyKey('TEK', { ...input, csbId: key }, 16), {
      message: /^csbId has 16 octets, not 4/,
    });
    assert.throws(() => deriveMikeyKey('toString' as 'TEK', input, 16), { message: /^kind / });
  });
});
