/**
 * Octet strings. All integers are big-endian. Nothing here knows a protocol.
 */
import { timingSafeEqual } from 'node:crypto';
import { SegyError } from './errors.js';

/** Lower-case hexadecimal of `bytes`. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/**
 * Octets of a hexadecimal text (either case, no separators).
 * @param name what the text is, for the message; the text itself is never quoted
 * @throws SegyError SEGY_E_ARGUMENT on odd length, a non-hex digit, or a length other than `length` octets
 */
export function fromHex(text: string, name = 'hex text', length?: number): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) {
    throw new SegyError('SEGY_E_ARGUMENT', `${name} is not hexadecimal`);
  }
  const bytes = new Uint8Array(Buffer.from(text, 'hex'));
  if (length !== undefined) expectLength(bytes, length, name);
  return bytes;
}

/** @throws SegyError SEGY_E_ARGUMENT unless `bytes` has exactly `length` octets */
export function expectLength(bytes: Uint8Array, length: number, name: string): void {
  if (bytes.length !== length) {
    throw new SegyError('SEGY_E_ARGUMENT', `${name} has ${bytes.length} octets, not ${length}`);
  }
}

/** One new octet string holding all `parts` in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let total = 0;
  for (const part of parts) total += part.length;
  const out = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Equality in time that depends on the lengths alone. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Overwrites secrets with zeros. Does what JavaScript can; see SECURITY.md for what it cannot. */
export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

/** UTF-8 octets of `text`. */
export function utf8(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf8'));
}

/** `value` as exactly `length` octets. @throws SegyError SEGY_E_ARGUMENT when it does not fit or is negative */
export function uintToBytes(value: bigint | number, length: number): Uint8Array {
  const big = BigInt(value);
  if (big < 0n || big >= 1n << BigInt(8 * length)) {
    throw new SegyError('SEGY_E_ARGUMENT', `an integer does not fit ${length} octets`);
  }
  return fromHex(big.toString(16).padStart(2 * length, '0'));
}

/** The unsigned integer that `bytes` encode; zero for no octets. */
export function bytesToUint(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}
