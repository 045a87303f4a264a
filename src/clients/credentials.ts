/**
 * Key sets of the represented users, per key period (TS 33.180 5.3.6): minted on demand by the
 * pseudo KMS, kept while their period or a neighbour of it runs, made ahead of the next period.
 */
import type { Clock } from '../base/environment.js';
import { wipe } from '../base/bytes.js';
import { periodAt } from '../kms/index.js';
import type { KmsKeySet } from '../kms/index.js';
import type { OwnDomain } from './ports.js';

/** Key sets kept at most; the least recently used go first. */
const DEFAULT_MAX_KEY_SETS = 10_000;
/** How long a key set that was dropped may still be in use, in milliseconds. */
const IN_USE_MS = 60_000;

export class Credentials {
  readonly #domain: OwnDomain;
  readonly #clock: Clock;
  readonly #maxKeySets: number;
  readonly #minted = new Map<string, Promise<KmsKeySet>>();
  /** dropped, the oldest first; wiped when nobody can be at work with them any more */
  readonly #dropped: { readonly at: number; readonly minted: Promise<KmsKeySet> }[] = [];
  /** users in the order of their last use */
  readonly #used = new Set<string>();

  constructor(domain: OwnDomain, clock: Clock, options: { maxKeySets?: number } = {}) {
    this.#domain = domain;
    this.#clock = clock;
    this.#maxKeySets = options.maxKeySets ?? DEFAULT_MAX_KEY_SETS;
  }

  /** The key set with which `userUri` acts at `unixMs`. */
  at(userUri: string, unixMs: number): Promise<KmsKeySet> {
    this.#noteUse(userUri);
    return this.forPeriodOf(userUri, unixMs);
  }

  /** The same ahead of its use. */
  forPeriodOf(userUri: string, unixMs: number): Promise<KmsKeySet> {
    return this.forPeriod(userUri, periodAt(this.#domain.certificate, unixMs));
  }

  forPeriod(userUri: string, keyPeriodNo: bigint): Promise<KmsKeySet> {
    const key = `${keyPeriodNo} ${userUri}`;
    const held = this.#minted.get(key);
    if (held !== undefined) {
      this.#minted.delete(key);
      this.#minted.set(key, held);
      return held;
    }
    const minted = this.#domain.issue(userUri, keyPeriodNo);
    this.#minted.set(key, minted);
    minted.catch(() => this.#minted.delete(key));
    this.#dropOldest();
    return minted;
  }

  /**
   * The key sets that can open a message stamped `unixMs`: those of its period and its neighbours
   * which lie no further than one period from today's.
   */
  around(userUri: string, unixMs: number): Promise<KmsKeySet[]> {
    this.#noteUse(userUri);
    const now = this.#periodNow();
    const stamped = periodAt(this.#domain.certificate, unixMs);
    const candidates = [stamped, stamped - 1n, stamped + 1n].filter(
      (period) => period >= now - 1n && period <= now + 1n,
    );
    return Promise.all(candidates.map((period) => this.forPeriod(userUri, period)));
  }

  /** `userUris` with those that acted or were called last in front, the others in their order. */
  recentFirst(userUris: Iterable<string>): string[] {
    const all = new Set(userUris);
    const used = [...this.#used].reverse().filter((uri) => all.has(uri));
    return [...new Set([...used, ...all])];
  }

  /**
   * Makes, one after the other, every key set that a message to `userUris` may ask for in this
   * period and at the beginning of the next: theirs and their neighbours'.
   */
  async prepare(userUris: Iterable<string>): Promise<void> {
    const now = this.#periodNow();
    for (const userUri of userUris) {
      for (const period of [now, now + 1n, now - 1n, now + 2n]) {
        await this.forPeriod(userUri, period);
      }
    }
  }

  /** Forgets and wipes everything minted. */
  async wipe(): Promise<void> {
    const all = [...this.#minted.values(), ...this.#dropped.splice(0).map(({ minted }) => minted)];
    this.#minted.clear();
    await Promise.all(all.map(wipeMinted));
  }

  #periodNow(): bigint {
    return periodAt(this.#domain.certificate, this.#clock.now());
  }

  #noteUse(userUri: string): void {
    this.#used.delete(userUri);
    this.#used.add(userUri);
    const oldest = this.#used.keys().next();
    if (this.#used.size > this.#maxKeySets && oldest.done !== true) this.#used.delete(oldest.value);
  }

  #dropOldest(): void {
    const now = this.#clock.now();
    while (this.#minted.size > this.#maxKeySets) {
      const [oldest] = this.#minted;
      if (oldest === undefined) break;
      const [key, minted] = oldest;
      this.#minted.delete(key);
      this.#dropped.push({ at: now, minted });
    }
    while ((this.#dropped[0]?.at ?? now) < now - IN_USE_MS) {
      const over = this.#dropped.shift();
      if (over !== undefined) void wipeMinted(over.minted);
    }
  }
}

/** Overwrites the secrets of a key set; of one that could not be minted there are none. */
function wipeMinted(minted: Promise<KmsKeySet>): Promise<void> {
  return minted.then(
    ({ rsk, ssk }) => wipe(rsk, ssk),
    () => undefined,
  );
}
