import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../src/base/bytes.js';
import { readKmsDocument, unwrapKey, wrapKey, writeKmsKeySets } from '../../src/kms/index.js';
import { makeDomain } from './support.js';

const TRK = fromHex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
const DOCUMENT = { code: 'SEGY_E_KMS_DOCUMENT' };

describe('transport key', () => {
  it('wraps 256 bits with a 256-bit key as RFC 3394 section 4.6 has it', () => {
    const key = fromHex('00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f');
    assert.equal(
      toHex(wrapKey(TRK, key, 'when-needed')),
      '28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21',
    );
  });

  it('carries keys of any length with padding, and unwraps both forms', () => {
    for (const length of [32, 65, 257]) {
      const key = new Uint8Array(length).map((_, i) => i * 7);
      for (const padding of ['always', 'when-needed'] as const) {
        assert.deepEqual(unwrapKey(TRK, wrapKey(TRK, key, padding)), key);
      }
    }
  });

  it('refuses a wrapped key that was changed or is under another key', () => {
    const wrapped = wrapKey(TRK, new Uint8Array(32), 'always');
    assert.throws(
      () =>
        unwrapKey(
          TRK.map((octet) => octet ^ 1),
          wrapped,
        ),
      DOCUMENT,
    );
    for (const at of [0, 8, wrapped.length - 1]) {
      const changed = Uint8Array.from(wrapped, (octet, i) => (i === at ? octet ^ 1 : octet));
      assert.throws(() => unwrapKey(TRK, changed), DOCUMENT);
    }
  });

  describe('in key sets', () => {
    const domain = makeDomain();
    const transportKey = { name: 'tk.12.user@example.org', key: TRK };
    const transportKeys = new Map([[transportKey.name, TRK]]);

    it('hides every secret key and gives it back, in base64 and in hex, padded or not', async () => {
      const keySet = await domain.issue('sip:r1@radio.example', 1n);
      for (const encoding of ['base64', 'hex'] as const) {
        for (const padding of ['always', 'when-needed'] as const) {
          const xml = writeKmsKeySets([keySet], { transportKey, wrap: { encoding, padding } });
          assert.equal(xml.includes(toHex(keySet.ssk)), false);
          assert.deepEqual(readKmsDocument(xml, { transportKeys }).keySets, [keySet]);
        }
      }
    });

    it('is refused where the key named is not held', async () => {
      const xml = writeKmsKeySets([await domain.issue('sip:r1@radio.example', 1n)], {
        transportKey,
      });
      assert.throws(() => readKmsDocument(xml), DOCUMENT);
      const other = new Map([['tk.13', TRK]]);
      assert.throws(() => readKmsDocument(xml, { transportKeys: other }), DOCUMENT);
    });
  });
});
