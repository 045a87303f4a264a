/** Work of which so much runs at a time, the rest in its order. */
import { SegyError } from './errors.js';

export class Lane {
  readonly #width: number;
  readonly #longest: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param width how much runs at a time; @param longest how much may wait */
  constructor(width: number, longest: number) {
    this.#width = width;
    this.#longest = longest;
  }

  /** Runs `work` when its turn has come. @throws SegyError SEGY_E_BUSY where too much waits, and what `work` throws */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#width) {
      if (this.#waiting.length >= this.#longest) {
        throw new SegyError('SEGY_E_BUSY', 'too much waits for a partner');
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      // whoever is next takes over the place
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
