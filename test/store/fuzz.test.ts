import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { readLine } from '../../src/audit/chain.js';
import { utf8 } from '../../src/base/bytes.js';
import { SegyError } from '../../src/base/errors.js';
import { systemRandom } from '../../src/base/environment.js';
import { parseUserCsv } from '../../src/clients/index.js';
import { decodeHeldKey } from '../../src/keys/held-key.js';
import { SecurityDomain } from '../../src/kms/index.js';
import { readTrustRecord } from '../../src/kms/trust-record.js';
import { DataKeys, readKeyRecord, writeKeyRecord } from '../../src/store/key-record.js';
import { decodeBucket, decodeHead } from '../../src/store/record-index.js';
import { seal, unseal } from '../../src/store/seal.js';
import { backupStore, MemoryBackend, openStore, restoreStore } from '../../src/store/index.js';
import { TOOLS } from '../kms/support.js';
import { MASTER, storeOptions, withFolder } from './support.js';

/** Octets that begin well and go wrong: some of `whole` with octets changed, cut off or added. */
function mutations(whole: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
  return fc
    .record({
      changes: fc.array(change, { maxLength: 4 }),
      length: fc.nat(whole.length),
      tail: fc.uint8Array({ maxLength: 40 }),
      cut: fc.boolean(),
    })
    .map(({ changes, length, tail, cut }) => {
      const octets = Uint8Array.from(whole);
      for (const [at, value] of changes) octets[at] = value;
      return cut ? Uint8Array.from([...octets.subarray(0, length), ...tail]) : octets;
    });
}

/** Whatever comes in, the reader gives a value or a SegyError, and nothing else. */
function neverBreaks(whole: Uint8Array, read: (octets: Uint8Array) => unknown): void {
  fc.assert(
    fc.property(fc.oneof(mutations(whole), fc.uint8Array({ maxLength: 300 })), (octets) => {
      try {
        read(octets);
      } catch (error) {
        assert.ok(error instanceof SegyError, String(error));
      }
    }),
    { numRuns: 300 },
  );
}

describe('readers of the state, given octets that were changed', () => {
  const keys = DataKeys.create(systemRandom);
  const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value));

  it('a sealed record opens whole or not at all', () => {
    const sealed = seal(utf8('value'), 'r/a/b', 7, keys, systemRandom);
    neverBreaks(sealed, (octets) => {
      const opened = Buffer.from(unseal(octets, 'r/a/b', keys)).toString();
      assert.deepEqual([opened, Buffer.from(octets)], ['value', Buffer.from(sealed)]);
    });
  });

  it('a key record opens whole or not at all, and never costs more scrypt than its bound', () => {
    const record = writeKeyRecord(keys, MASTER, systemRandom);
    neverBreaks(record, (octets) => readKeyRecord(octets, MASTER));
    const passphrase = { kind: 'passphrase' as const, passphrase: utf8('x'.repeat(12)) };
    const costly = Uint8Array.from(record);
    costly.set([1, 31, 255, 255], 8);
    assert.throws(() => readKeyRecord(costly, passphrase), { code: 'SEGY_E_STORE_KEY' });
  });

  it('a head, a bucket, a held key, a domain and a trust entry', () => {
    neverBreaks(json({ schema: 1, buckets: new Array(256).fill(1) }), decodeHead);
    neverBreaks(json([['r/a/b', 1]]), decodeBucket);
    neverBreaks(utf8('\x02ab{"keyType":"GMK","keyId":"00"}'), decodeHeldKey);
    neverBreaks(utf8('SEGYDOM1'), (octets) => SecurityDomain.fromSecret(octets, TOOLS));
    neverBreaks(json({ partner: 'a', addedAt: '2026-01-01', certificates: ['<x/>'] }), (octets) =>
      readTrustRecord(octets, 'kms.a'),
    );
  });

  it('an audit line and a CSV file', () => {
    const line = `{"seq":1,"at":"2026","prev":"${'0'.repeat(64)}","action":"made"}`;
    neverBreaks(utf8(line), (octets) => readLine(Buffer.from(octets).toString()));
    neverBreaks(utf8('2001,sip:r1@x\n"3*";"sip:u-*@x"\n'), (octets) =>
      parseUserCsv(Buffer.from(octets).toString()),
    );
  });

  it('a backup is restored whole or not at all', () =>
    withFolder(async (folder) => {
      const backend = new MemoryBackend();
      const store = await openStore(storeOptions(backend));
      await store.space('a').put('k', utf8('v'));
      const path = join(folder, 'backup');
      await backupStore(store, backend, path);
      const whole = new Uint8Array(readFileSync(path));
      await fc.assert(
        fc.asyncProperty(mutations(whole), async (octets) => {
          writeFileSync(path, octets);
          const target = new MemoryBackend();
          try {
            await restoreStore(path, () => Promise.resolve(target), MASTER);
            assert.deepEqual(octets, whole);
          } catch (error) {
            assert.ok(error instanceof SegyError, String(error));
            for await (const { name } of target.entries('')) assert.fail(name);
          }
        }),
        { numRuns: 100 },
      );
    }));
});
