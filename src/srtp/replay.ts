/**
 * Replay window of RFC 3711 section 3.3.2: a ring of bits below the highest authenticated index.
 */
import { SegyError } from '../base/errors.js';

const WORD_BITS = 32;

export class ReplayWindow {
  readonly #bits: Uint32Array;
  readonly #size: number;
  #highest = -1;

  /** @param size indexes remembered below the highest; a multiple of 32, at least 64 (RFC 3711) */
  constructor(size = 256) {
    if (!Number.isInteger(size) || size < 64 || size % WORD_BITS !== 0) {
      throw new SegyError('SEGY_E_ARGUMENT', 'replay window size is not a multiple of 32 from 64');
    }
    this.#size = size;
    this.#bits = new Uint32Array(size / WORD_BITS);
  }

  /** Highest index entered; -1 before the first. */
  get highest(): number {
    return this.#highest;
  }

  /** True for an index that is above all others, or inside the window and not yet entered. */
  isNew(index: number): boolean {
    if (index > this.#highest) return true;
    if (index <= this.#highest - this.#size) return false;
    const bit = index % this.#size;
    return ((this.#bits[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0;
  }

  /** Enters an index whose packet has been authenticated. */
  enter(index: number): void {
    if (index > this.#highest) {
      if (index - this.#highest >= this.#size) this.#bits.fill(0);
      else for (let i = this.#highest + 1; i < index; i++) this.#set(i, false);
      this.#highest = index;
    }
    this.#set(index, true);
  }

  /** Takes every index up to `index` as entered; -1 changes nothing. */
  close(index: number): void {
    if (index <= this.#highest) return;
    this.#highest = index;
    this.#bits.fill(0xffff_ffff);
  }

  #set(index: number, seen: boolean): void {
    const bit = index % this.#size;
    const word = bit >>> 5;
    const mask = 1 << (bit & 31);
    const old = this.#bits[word] ?? 0;
    this.#bits[word] = seen ? old | mask : old & ~mask;
  }
}
