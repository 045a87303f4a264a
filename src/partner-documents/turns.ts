/** Requests to one partner: so many at once, and so many a second. */
import type { Environment, TimerHandle } from '../base/environment.js';

export class Turns {
  readonly #env: Pick<Environment, 'clock' | 'timers'>;
  readonly #parallel: number;
  readonly #intervalMs: number;
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = 0;
  #notBefore = 0;
  #timer: TimerHandle | undefined;
  #ended = false;

  constructor(
    env: Pick<Environment, 'clock' | 'timers'>,
    limits: { readonly parallel: number; readonly requestsPerSecond: number },
  ) {
    this.#env = env;
    this.#parallel = limits.parallel;
    this.#intervalMs = 1000 / limits.requestsPerSecond;
  }

  /** @param work never rejects */
  add(work: () => Promise<void>): void {
    this.#waiting.push(work);
    this.#go();
  }

  /** Nothing more begins. */
  end(): void {
    this.#ended = true;
    this.#waiting.length = 0;
    if (this.#timer !== undefined) this.#env.timers.clearTimeout(this.#timer);
  }

  #go(): void {
    if (this.#ended || this.#timer !== undefined || this.#running >= this.#parallel) return;
    const [next] = this.#waiting;
    if (next === undefined) return;
    const now = this.#env.clock.now();
    // a clock that was set back does not make anybody wait for longer than one interval
    const waitMs = Math.min(this.#notBefore - now, this.#intervalMs);
    if (waitMs > 0) {
      this.#timer = this.#env.timers.setTimeout(() => {
        this.#timer = undefined;
        this.#notBefore = 0;
        this.#go();
      }, waitMs);
      return;
    }
    this.#waiting.shift();
    this.#notBefore = now + this.#intervalMs;
    this.#running += 1;
    void next().finally(() => {
      this.#running -= 1;
      this.#go();
    });
    this.#go();
  }
}
