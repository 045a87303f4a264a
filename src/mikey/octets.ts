/** Bounded reading and checked writing of fields in network order. */
import { SegyError, type SegyErrorCode } from '../base/errors.js';

/** Reads forward through octets; running past the end is a refusal with the given code. */
export class OctetReader {
  #at = 0;

  constructor(
    readonly octets: Uint8Array,
    /** what is being read, for messages */
    readonly what: string,
    /** code of the refusal when octets are missing */
    readonly code: SegyErrorCode = 'SEGY_E_MIKEY_TRUNCATED',
  ) {}

  get offset(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.octets.length - this.#at;
  }

  /** The next `count` octets, copied. */
  take(count: number, field: string): Uint8Array {
    if (count > this.remaining) {
      throw new SegyError(
        this.code,
        `${this.what}: ${field} needs ${count} octets, ${this.remaining} are left`,
      );
    }
    const taken = this.octets.slice(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  u8(field: string): number {
    return this.take(1, field)[0] ?? 0;
  }

  u16(field: string): number {
    const octets = this.take(2, field);
    return ((octets[0] ?? 0) << 8) | (octets[1] ?? 0);
  }

  u32(field: string): number {
    return this.u16(field) * 0x10000 + this.u16(field);
  }
}

/** `value` as `length` octets (at most 4). @throws SegyError SEGY_E_ARGUMENT when it does not fit */
export function uint(value: number, length: number, field: string): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * length)) {
    throw new SegyError('SEGY_E_ARGUMENT', `${field} does not fit ${length} octets`);
  }
  const octets = new Uint8Array(length);
  for (let i = length - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) {
    octets[i] = rest % 256;
  }
  return octets;
}
