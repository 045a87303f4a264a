/**
 * So many a second of what comes, whoever comes when: where more come than may pass, each has the same
 * chance. A bucket of tokens would serve whoever comes right behind the clock's next step, which a
 * flood does more often than a talker.
 */
import type { Clock, RandomBytes } from '../base/environment.js';

const SLOT_MS = 100;
const SLOTS_PER_SECOND = 1000 / SLOT_MS;
/** of the share of a slot, where more come than in the slot before */
const MOST = 2;

export class FairShare {
  readonly #clock: Clock;
  readonly #perSlot: number;
  #slot = 0;
  #came = 0;
  #passed = 0;
  #chance = 1;
  #state: number;

  constructor(clock: Clock, perSecond: number, random: RandomBytes) {
    this.#clock = clock;
    this.#perSlot = perSecond / SLOTS_PER_SECOND;
    this.#state = Buffer.from(random(4)).readUInt32BE() | 1;
  }

  /** Whether the next one may pass. */
  take(): boolean {
    const slot = Math.floor(this.#clock.now() / SLOT_MS);
    if (slot !== this.#slot) {
      const came = slot === this.#slot + 1 ? this.#came : 0;
      this.#chance = came > this.#perSlot ? this.#perSlot / came : 1;
      this.#slot = slot;
      this.#came = 0;
      this.#passed = 0;
    }
    this.#came += 1;
    if (this.#passed >= MOST * this.#perSlot || this.#draw() >= this.#chance) return false;
    this.#passed += 1;
    return true;
  }

  /** From 0 to below 1; xorshift, for chance and not for secrets. */
  #draw(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) / 2 ** 32;
  }
}
