/** A map of bounded size that forgets the entry used longest ago. */
import { SegyError } from '../base/errors.js';

export class LruMap<V> {
  readonly #capacity: number;
  readonly #entries = new Map<string, V>();

  /** @throws SegyError SEGY_E_ARGUMENT unless `capacity` is a positive integer; `name` is used in the message */
  constructor(capacity: number, name: string) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new SegyError('SEGY_E_ARGUMENT', `${name} is not a positive integer`);
    }
    this.#capacity = capacity;
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#capacity) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }
}
