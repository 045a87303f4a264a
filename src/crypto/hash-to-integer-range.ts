/** HashToIntegerRange of RFC 6508 section 5.1 with SHA-256. */
import { sha256 as hash } from '@noble/hashes/sha2.js';
import { bytesToUint, concatBytes } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return hash(concatBytes(...parts));
}

/**
 * An integer in [0, n) from the octets `s`.
 *
 * The number of hash blocks is taken from the bit length of n. For n = 2^256 (a 32-octet SSV) RFC 6508 read
 * literally gives one block; every implementation in the field uses two, and so does this one.
 * @throws SegyError SEGY_E_ARGUMENT unless n > 1
 */
export function hashToIntegerRange(s: Uint8Array, n: bigint): bigint {
  if (n <= 1n) throw new SegyError('SEGY_E_ARGUMENT', 'n is not above 1');
  const blocks = Math.ceil(n.toString(2).length / 256);
  const a = sha256(s);
  let h: Uint8Array = new Uint8Array(32);
  const parts: Uint8Array[] = [];
  for (let i = 0; i < blocks; i++) {
    h = sha256(h);
    parts.push(sha256(h, a));
  }
  return bytesToUint(concatBytes(...parts)) % n;
}
