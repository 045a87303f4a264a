/**
 * A token bucket: `burst` tokens at most, `perSecond` new ones a second. One for each source that
 * is limited; cheap enough to be asked for every datagram.
 */
import type { Clock } from './environment.js';

export class TokenBucket {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;

  /** @param perSecond tokens a second, > 0; @param burst how many may be saved up, >= 1 */
  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAt = clock.now();
  }

  /** Takes one token and leaves at least `reserve` of them. @returns false when there are not so many */
  take(reserve = 0): boolean {
    const now = this.#clock.now();
    const elapsed = Math.max(0, now - this.#filledAt);
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsed * this.#perMs);
    this.#filledAt = now;
    if (this.#tokens < 1 + reserve) return false;
    this.#tokens -= 1;
    return true;
  }
}
