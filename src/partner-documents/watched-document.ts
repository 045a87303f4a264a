/**
 * One document of a partner that is read again and again.
 *
 * | state   | event                              | next                                   |
 * |---------|------------------------------------|----------------------------------------|
 * | waiting | the time is over, a notice came    | queued                                 |
 * | queued  | its turn came                      | reading                                |
 * | reading | read, or the same as before        | waiting for the refresh                |
 * | reading | failed                             | waiting, longer with each failure      |
 * | reading | a notice came                      | reading; queued when that is over      |
 * | any     | the end                            | ended                                  |
 */
import type { Environment, TimerHandle } from '../base/environment.js';
import { toSegyError, type SegyError } from '../base/errors.js';

const FIRST_WAIT_MS = 2000;
/** A document that is not there, or that the user may not read, seldom comes by itself. */
const FIRST_WAIT_REFUSED_MS = 30_000;
/** Part of a wait that chance decides. */
const SPREAD = 0.2;

export interface WatchedDocumentOptions {
  readonly refreshMs: number;
  /** runs `read` when it is its turn */
  readonly enqueue: (read: () => Promise<void>) => void;
  /** @throws SegyError */
  readonly read: () => Promise<void>;
  readonly onOutcome: (failure: SegyError | null) => void;
  readonly env: Pick<Environment, 'timers' | 'random'>;
}

export class WatchedDocument {
  readonly #options: WatchedDocumentOptions;
  #state: 'waiting' | 'queued' | 'reading' = 'waiting';
  #ended = false;
  #again = false;
  #failures = 0;
  #timer: TimerHandle | undefined;

  constructor(options: WatchedDocumentOptions) {
    this.#options = options;
  }

  /** It may have changed: read as soon as its turn comes. */
  notice(): void {
    if (this.#state === 'reading') this.#again = true;
    if (this.#ended || this.#state !== 'waiting') return;
    this.#clearTimer();
    this.#state = 'queued';
    this.#options.enqueue(() => this.#read());
  }

  end(): void {
    this.#ended = true;
    this.#clearTimer();
  }

  async #read(): Promise<void> {
    if (this.#ended) return;
    this.#state = 'reading';
    let failure: SegyError | null = null;
    try {
      await this.#options.read();
    } catch (error) {
      failure = toSegyError(error);
    }
    if (this.#hasEnded()) return;
    this.#options.onOutcome(failure);
    this.#state = 'waiting';
    if (this.#again) {
      this.#again = false;
      this.notice();
    } else this.#wait(failure);
  }

  /** Asked again after a wait. */
  #hasEnded(): boolean {
    return this.#ended;
  }

  #wait(failure: SegyError | null): void {
    const { refreshMs, env } = this.#options;
    let waitMs = refreshMs;
    if (failure === null) this.#failures = 0;
    else {
      const { code, details } = failure;
      const isRefused = code === 'SEGY_E_NOT_FOUND' || code === 'SEGY_E_ACCESS_TOKEN';
      const first = isRefused ? FIRST_WAIT_REFUSED_MS : FIRST_WAIT_MS;
      const ownMs = Math.min(first * 2 ** this.#failures, refreshMs);
      waitMs = Math.max(ownMs, 1000 * Number(details.retryAfterSeconds ?? 0));
      this.#failures = Math.min(this.#failures + 1, 20);
    }
    const draw = (env.random(1)[0] ?? 0) / 255;
    this.#timer = env.timers.setTimeout(() => this.notice(), waitMs * (1 + SPREAD * draw));
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#options.env.timers.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
