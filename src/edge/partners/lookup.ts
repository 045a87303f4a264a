/**
 * One question to DNS that is asked for as long as the gateway runs: again after a time, soon after a
 * failure, and when somebody says that the answer may have changed. What was known stays known while
 * nobody answers.
 */
import type { Environment, TimerHandle } from '../../base/environment.js';
import { toSegyError } from '../../base/errors.js';

export interface LookupLimits {
  /** between two questions, in milliseconds */
  readonly refreshMs: number;
  /** after a failure, doubled up to `refreshMs`; also the shortest time between two questions */
  readonly retryMs: number;
}

export interface LookupInit<T> {
  /** what is asked for, for the log */
  readonly name: string;
  readonly ask: () => Promise<T>;
  readonly keep: (answer: T) => void;
  /** how much is known already, for the log */
  readonly known: () => number;
}

export class Lookup<T> {
  readonly #init: LookupInit<T>;
  readonly #env: Environment;
  readonly #limits: LookupLimits;
  #failures = 0;
  #askedAt = 0;
  #asking = false;
  #stopped = false;
  #timer: TimerHandle | null = null;

  constructor(init: LookupInit<T>, env: Environment, limits: LookupLimits) {
    this.#init = init;
    this.#env = env;
    this.#limits = limits;
  }

  /** Asks now and goes on asking; resolves with the answer or the failure, and never rejects. */
  async ask(): Promise<void> {
    if (this.#asking || this.#stopped) return;
    this.#clear();
    this.#asking = true;
    this.#askedAt = this.#env.clock.now();
    try {
      const answer = await this.#init.ask();
      this.#failures = 0;
      if (!this.#isStopped()) this.#init.keep(answer);
    } catch (error) {
      this.#failures += 1;
      const { message } = toSegyError(error);
      const { name, known } = this.#init;
      this.#env.log.warn('partner.host.unresolved', { host: name, known: known(), message });
    }
    this.#asking = false;
    if (this.#isStopped()) return;
    this.#timer = this.#env.timers.setTimeout(() => void this.ask(), this.#pause());
  }

  /** Asks now unless that was done a moment ago. */
  hurry(): void {
    if (this.#env.clock.now() - this.#askedAt >= this.#limits.retryMs) void this.ask();
  }

  stop(): void {
    this.#stopped = true;
    this.#clear();
  }

  /** Read anew after each wait. */
  #isStopped(): boolean {
    return this.#stopped;
  }

  #pause(): number {
    const { refreshMs, retryMs } = this.#limits;
    if (this.#failures === 0) return refreshMs;
    return Math.min(refreshMs, retryMs * 2 ** (this.#failures - 1));
  }

  #clear(): void {
    if (this.#timer !== null) this.#env.timers.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
