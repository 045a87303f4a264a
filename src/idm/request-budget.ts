/**
 * Token requests of one client: from each address before anything is verified, so that nobody spends
 * what is another's by naming it, and in all once the client is known.
 */
import type { Clock } from '../base/environment.js';
import { TokenBucket } from '../base/token-bucket.js';
import type { IdmClientConfig } from '../config/index.js';
import { clientKey } from '../https/index.js';

/** Pairs of client and address that are remembered; the longest silent one is forgotten first. */
const REMEMBERED = 4096;

export class RequestBudget {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param address of a client that has proved nothing yet; @returns false when it asks too often */
  take({ id, requestsPerSecond, burst }: IdmClientConfig, address?: string): boolean {
    const key = address === undefined ? id : `${id} ${clientKey(address)}`;
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#clock, requestsPerSecond, burst);
    this.#buckets.delete(key);
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined && this.#buckets.size >= REMEMBERED) this.#buckets.delete(oldest);
    this.#buckets.set(key, bucket);
    return bucket.take();
  }
}
