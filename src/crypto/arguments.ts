/** Checks of arguments that several files make, each naming the argument in its message. */
import { expectLength } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';

/** Identifiers (UIDs have 32 octets, the RFC examples other lengths) are at most this long. */
const MAX_ID_OCTETS = 1024;

/** @throws SegyError SEGY_E_ARGUMENT unless `value` is a Uint8Array of `length` octets, where one is given */
export function expectBytes(value: unknown, name: string, length?: number): void {
  if (!(value instanceof Uint8Array)) {
    throw new SegyError('SEGY_E_ARGUMENT', `${name} is not a Uint8Array`);
  }
  if (length !== undefined) expectLength(value, length, name);
}

/** @throws SegyError SEGY_E_ARGUMENT unless `value` has between `min` and `max` octets */
export function expectLengthBetween(
  value: Uint8Array,
  min: number,
  max: number,
  name: string,
): void {
  expectBytes(value, name);
  if (value.length < min || value.length > max) {
    throw new SegyError(
      'SEGY_E_ARGUMENT',
      `${name} has ${value.length} octets, not ${min} to ${max}`,
    );
  }
}

/** @throws SegyError SEGY_E_ARGUMENT unless `id` has 1 to 1024 octets */
export function expectId(id: Uint8Array): void {
  expectLengthBetween(id, 1, MAX_ID_OCTETS, 'id');
}

/** @throws SegyError SEGY_E_ARGUMENT unless `value` is an unsigned integer of at most `octets` octets */
export function expectUint(value: bigint, octets: number, name: string): void {
  if (typeof value !== 'bigint' || value < 0n || value >= 1n << BigInt(8 * octets)) {
    throw new SegyError(
      'SEGY_E_ARGUMENT',
      `${name} is not an unsigned integer of at most ${octets} octets`,
    );
  }
}
