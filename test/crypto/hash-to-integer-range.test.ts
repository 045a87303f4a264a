import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { bytesToUint, fromHex } from '../../src/base/bytes.js';
import { hashToIntegerRange } from '../../src/crypto/hash-to-integer-range.js';
import { q } from '../../src/crypto/sakke-parameters.js';
import { readVectors } from '../support/vectors.js';

const { vectors } = readVectors('rfc6508-hash-to-integer-range') as {
  vectors: readonly { s: string; n: string; v: string }[];
};
const RANGES: Readonly<Record<string, bigint>> = { q, '2^128': 1n << 128n };
const sha256 = (...parts: Uint8Array[]) =>
  createHash('sha256').update(Buffer.concat(parts)).digest();

describe('crypto/hash-to-integer-range (RFC 6508 section 5.1)', () => {
  for (const { s, n, v } of vectors) {
    it(`hashes ${s.length / 2} octets to a range of ${n}`, () => {
      assert.equal(hashToIntegerRange(fromHex(s), RANGES[n]!), BigInt(`0x${v}`));
    });
  }

  it('takes two blocks for 2^256, so that the result is the second', () => {
    const s = fromHex('616263');
    const h1 = sha256(new Uint8Array(32));
    const h2 = sha256(h1);
    const expected = bytesToUint(sha256(h2, sha256(s)));
    assert.equal(hashToIntegerRange(s, 1n << 256n), expected);
  });

  it('refuses a range of one integer', () => {
    assert.throws(() => hashToIntegerRange(new Uint8Array(), 1n), { message: 'n is not above 1' });
  });
});
