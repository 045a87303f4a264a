/**
 * The access tokens of one partner's IdM: one for each user, kept until shortly before its end, asked
 * for by one request at a time, and after a failure not before a growing wait is over.
 *
 * | what is held             | asked before renewal | in renewal, it works | it fails            |
 * |--------------------------|----------------------|----------------------|---------------------|
 * | nothing, or what ended   | –                    | the new one          | nothing, wait       |
 * | a token that is good     | that one             | the new one          | the old one, wait   |
 */
import { utf8, wipe } from '../base/bytes.js';
import type { Environment } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import { Lane } from '../base/lane.js';
import type { IssuedToken } from './token-request.js';

const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 300_000;
/** A refusal of the IdM seldom ends by itself. */
const FIRST_WAIT_REFUSED_MS = 30_000;
/** Part of a wait, or of a token's renewal time, that chance decides. */
const SPREAD = 0.2;
/** A token is renewed when this part of its life is left, but never more than the time below. */
const RENEW_PART = 0.1;
const RENEW_MOST_MS = 60_000;
/** A token that ends sooner may end on its way. */
const LEAST_LEFT_MS = 2000;
/** Requests that may wait for their turn. */
const MAX_WAITING = 10_000;

export interface TokenCacheOptions {
  /** @throws SegyError */
  readonly issue: (user: string) => Promise<IssuedToken>;
  /** requests under way at once */
  readonly parallel: number;
  readonly env: Pick<Environment, 'clock' | 'random'>;
  /** told how each request ended: null, or why it failed */
  readonly onOutcome: (user: string, failure: SegyError | null) => void;
}

interface Held {
  readonly octets: Uint8Array;
  readonly renewAt: number;
  readonly endsAt: number;
}

interface Entry {
  held: Held | null;
  flight: Promise<void> | null;
  failures: number;
  retryAt: number;
}

export class TokenCache {
  readonly #options: TokenCacheOptions;
  readonly #lane: Lane;
  readonly #entries = new Map<string, Entry>();
  #ended = false;

  constructor(options: TokenCacheOptions) {
    this.#options = options;
    this.#lane = new Lane(options.parallel, MAX_WAITING);
  }

  /** The user's token; null where none can be had now. Never rejects. */
  async tokenFor(user: string): Promise<string | null> {
    if (this.#ended) return null;
    const entry = this.#entryOf(user);
    const now = this.#now;
    const isDue = entry.held === null || now >= entry.held.renewAt;
    if (isDue && (entry.flight !== null || now >= entry.retryAt)) {
      entry.flight ??= this.#renew(user, entry).finally(() => (entry.flight = null));
      await entry.flight;
    }
    return this.#readable(entry);
  }

  /** A server does not take `token` of `user` any more: it is not given again. */
  reject(user: string, token: string): void {
    const entry = this.#entries.get(user);
    if (entry?.held && Buffer.from(entry.held.octets).toString('latin1') === token) {
      this.#drop(entry);
    }
  }

  /** Overwrites what is held, and gives nothing more. */
  end(): void {
    this.#ended = true;
    for (const entry of this.#entries.values()) this.#drop(entry);
    this.#entries.clear();
  }

  #entryOf(user: string): Entry {
    const known = this.#entries.get(user);
    if (known !== undefined) return known;
    const made: Entry = { held: null, flight: null, failures: 0, retryAt: 0 };
    this.#entries.set(user, made);
    return made;
  }

  async #renew(user: string, entry: Entry): Promise<void> {
    const { issue, onOutcome } = this.#options;
    try {
      const issued = await this.#lane.run(() => issue(user));
      if (this.#ended) return;
      this.#keep(entry, issued);
      onOutcome(user, null);
    } catch (error) {
      if (this.#ended) return;
      const failure = toSegyError(error);
      this.#wait(entry, failure);
      onOutcome(user, failure);
    }
  }

  #keep(entry: Entry, { token, seconds }: IssuedToken): void {
    this.#drop(entry);
    const now = this.#now;
    const lifeMs = 1000 * seconds;
    const earlyMs = Math.min(RENEW_PART * lifeMs, RENEW_MOST_MS) * (1 + SPREAD * this.#draw());
    entry.held = {
      octets: utf8(token),
      renewAt: now + lifeMs - earlyMs,
      endsAt: now + lifeMs,
    };
    entry.failures = 0;
    entry.retryAt = 0;
  }

  #wait(entry: Entry, { code, details }: SegyError): void {
    const first = code === 'SEGY_E_ACCESS_TOKEN' ? FIRST_WAIT_REFUSED_MS : FIRST_WAIT_MS;
    const ownMs = Math.min(first * 2 ** entry.failures, LONGEST_WAIT_MS);
    const askedMs = 1000 * Number(details.retryAfterSeconds ?? 0);
    entry.failures = Math.min(entry.failures + 1, 20);
    entry.retryAt = this.#now + Math.max(ownMs * (1 + SPREAD * this.#draw()), askedMs);
  }

  #readable({ held }: Entry): string | null {
    if (held === null || this.#now >= held.endsAt - LEAST_LEFT_MS) return null;
    return Buffer.from(held.octets).toString('latin1');
  }

  #drop(entry: Entry): void {
    wipe(entry.held?.octets);
    entry.held = null;
  }

  get #now(): number {
    return this.#options.env.clock.now();
  }

  /** from 0 to 1 */
  #draw(): number {
    return (this.#options.env.random(1)[0] ?? 0) / 255;
  }
}
