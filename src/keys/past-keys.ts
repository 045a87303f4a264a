/**
 * Keys that ended by their expiry, without their octets. A message stays good for two key periods after
 * its T, so an earlier one that gave the key a longer life, or did not know of its revocation, could
 * bring it back; what is here is for telling that it came before. It is let go when no earlier message
 * is in the window any more; the one that ended first makes room.
 */
import type { HeldKey } from './held-key.js';

const MAX_PAST = 10_000;

export class PastKeys {
  /** by the ring's names, in the order in which they ended */
  readonly #keys = new Map<string, HeldKey>();
  readonly #messageLifeMs: number;

  constructor(messageLifeMs: number) {
    this.#messageLifeMs = messageLifeMs;
  }

  find(name: string): HeldKey | undefined {
    return this.#keys.get(name);
  }

  /** All but the one of this name. */
  others(name: string): HeldKey[] {
    return [...this.#keys].filter(([other]) => other !== name).map(([, key]) => key);
  }

  /** @returns names that made room */
  add(name: string, key: HeldKey): string[] {
    this.#keys.set(name, key);
    const gone = [...this.#keys.keys()].slice(0, Math.max(0, this.#keys.size - MAX_PAST));
    for (const each of gone) this.#keys.delete(each);
    return gone;
  }

  /** @returns whether it was here */
  forget(name: string): boolean {
    return this.#keys.delete(name);
  }

  /** @returns names of keys that no message of the window can bring back, which are forgotten */
  letGo(now: number): string[] {
    const gone = [...this.#keys]
      .filter(([, { stamp }]) => now > stamp.getTime() + this.#messageLifeMs)
      .map(([name]) => name);
    for (const name of gone) this.#keys.delete(name);
    return gone;
  }
}
