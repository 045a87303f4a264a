/**
 * The keys that a partner's IdM publishes: fetched when they are first needed, kept, and fetched
 * again when they are old or a token names a key that is not among them, but never more often than
 * every half minute. Where they cannot be fetched the old ones serve for a day.
 */
import { errors } from 'jose';
import type { JWTVerifyGetKey } from 'jose';
import type { Clock } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import { readKeySet } from './public-keys.js';

const COOLDOWN_MS = 30_000;
const SERVE_STALE_MS = 86_400_000;

export interface PublishedKeysOptions {
  readonly refreshMs: number;
  readonly clock: Clock;
  /** the key set as it is published now */
  readonly fetch: () => Promise<Uint8Array>;
  /** told how each fetch ended: null, or why it failed */
  readonly onFetch: (error: SegyError | null) => void;
}

export class PublishedKeys {
  readonly #options: PublishedKeysOptions;
  #keys: { readonly find: JWTVerifyGetKey; readonly at: number } | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;

  constructor(options: PublishedKeysOptions) {
    this.#options = options;
  }

  /**
   * Finds the key of a token for jose.
   * @throws JWKSNoMatchingKey; SegyError SEGY_E_PARTNER_IDM when there are no keys to look among
   */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    if (this.#age() >= this.#options.refreshMs) await this.#refresh();
    const keys = this.#current();
    try {
      return await keys.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#refresh();
      const fresh = this.#current();
      if (fresh === keys) throw error;
      return fresh.find(header, token);
    }
  };

  #age(): number {
    const at = this.#keys?.at;
    return at === undefined ? Number.POSITIVE_INFINITY : this.#options.clock.now() - at;
  }

  #current(): { readonly find: JWTVerifyGetKey } {
    if (this.#keys === undefined || this.#age() >= this.#options.refreshMs + SERVE_STALE_MS) {
      throw new SegyError('SEGY_E_PARTNER_IDM', 'the keys of the partner cannot be fetched');
    }
    return this.#keys;
  }

  /** One fetch for all who wait; none within the cool-down after the last one. */
  async #refresh(): Promise<void> {
    const { clock } = this.#options;
    if (this.#fetching === undefined) {
      if (clock.now() - this.#triedAt < COOLDOWN_MS) return;
      this.#triedAt = clock.now();
      this.#fetching = this.#fetch().finally(() => (this.#fetching = undefined));
    }
    await this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { fetch, clock, onFetch } = this.#options;
    try {
      this.#keys = { find: readKeySet(await fetch()), at: clock.now() };
      onFetch(null);
    } catch (error) {
      onFetch(toSegyError(error));
    }
  }
}
