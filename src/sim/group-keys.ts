/**
 * The group keys of a simulated domain's users (TS 33.180 5.7): each message is opened with the key
 * set of the member it is for, and what it says last of a key counts.
 */
import { toHex, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import {
  ntpToUnixMs,
  openIMessage,
  parseIMessage,
  readFacts,
  DEFAULT_TOLERANCES,
} from '../mikey/index.js';
import type { MessageFacts, SrtpPolicy } from '../mikey/index.js';
import type { SipBody } from './call-media.js';
import type { SimDomain } from './domain.js';
import { groupKeyMessages } from './group-transport.js';

/** A group key as one member has it. */
export interface SimGroupKey {
  /** MCPTT ID of the member */
  readonly user: string;
  readonly keyType: 'GMK' | 'MKFC';
  /** GMK-ID or MKFC-ID, four octets */
  readonly keyId: Uint8Array;
  readonly key: Uint8Array;
  readonly rand: Uint8Array;
  readonly policy: SrtpPolicy;
  /** MC group IDs */
  readonly groups: readonly string[];
  /** T of the message */
  readonly stamp: Date;
  readonly activation: Date;
  readonly expiry: Date | null;
  readonly revoked: boolean;
}

export interface SimGroupKeysOptions {
  readonly domain: SimDomain;
  readonly users: readonly string[];
  /** the one identity that may sign group keys */
  readonly gms: string;
}

export class SimGroupKeys {
  readonly #options: SimGroupKeysOptions;
  readonly #keys = new Map<string, SimGroupKey>();
  readonly #listeners = new Set<() => void>();

  constructor(options: SimGroupKeysOptions) {
    this.#options = options;
  }

  /** Every key, also those that are revoked or not active yet. */
  list(): SimGroupKey[] {
    return [...this.#keys.values()];
  }

  /** Calls `listener` whenever a key came or was revoked. @returns ends that */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Takes every key that a body carries.
   * @returns how many I_MESSAGEs it had
   * @throws SegyError of the MIKEY codes for the first that is refused; those before it are kept
   */
  async take({ type, bytes }: SipBody): Promise<number> {
    const messages = groupKeyMessages({ type, bytes });
    for (const message of messages) this.#enter(await this.#open(message));
    return messages.length;
  }

  /** GMKs under which a member hears a group: valid and not expired. */
  heard(group: string, user: string): SimGroupKey[] {
    const now = this.#options.domain.env.clock.now();
    return this.list().filter(
      (key) =>
        key.keyType === 'GMK' &&
        key.user === user &&
        key.groups.includes(group) &&
        !key.revoked &&
        (key.expiry === null || now < key.expiry.getTime()),
    );
  }

  /** The GMK that a member sends with: the active one with the latest activation. */
  sending(group: string, user: string): SimGroupKey | undefined {
    const now = this.#options.domain.env.clock.now();
    return this.heard(group, user)
      .filter(({ activation }) => activation.getTime() <= now)
      .sort((a, b) => b.activation.getTime() - a.activation.getTime())[0];
  }

  /** Resolves when a member can talk in a group, or after `ms`. @returns whether it can */
  async awaitKey(group: string, user: string, ms: number): Promise<boolean> {
    const { clock, timers } = this.#options.domain.env;
    const until = clock.now() + ms;
    while (this.sending(group, user) === undefined) {
      const left = until - clock.now();
      if (left <= 0) return false;
      await new Promise<void>((resolve) => {
        const end = this.onChange(() => done());
        // a key that is here may become active meanwhile
        const timer = timers.setTimeout(() => done(), Math.min(left, LOOK_MS));
        const done = (): void => {
          timers.clearTimeout(timer);
          end();
          resolve();
        };
      });
    }
    return true;
  }

  wipe(): void {
    for (const { key } of this.#keys.values()) wipe(key);
    this.#keys.clear();
  }

  async #open(message: Uint8Array): Promise<SimGroupKey> {
    const { domain, gms } = this.#options;
    const facts = readFacts(parseIMessage(message), DEFAULT_TOLERANCES);
    const sets = await Promise.all(
      this.#addressees(facts).map((user) => this.#keySetFor(user, facts)),
    );
    const opened = await openIMessage(message, {
      clock: domain.env.clock,
      slow: domain.slow,
      verifier: domain.verifier,
      findCertificate: (kmsUri) => domain.find(kmsUri),
      findKeySets: () => sets,
      from: gms,
      keyTypes: ['GMK', 'MKFC'],
      allowEnded: true,
    });
    const { keyType, keyId, key, rand, policy, timestamp, responder, keyParameters } = opened;
    if (keyType !== 'GMK' && keyType !== 'MKFC') {
      throw new SegyError('SEGY_E_MIKEY_KEY_TYPE', `a ${keyType} is no key of a group`);
    }
    return {
      user: responder.uri,
      keyType,
      keyId,
      key,
      rand,
      policy,
      groups: keyParameters?.groups ?? [],
      stamp: timestamp,
      activation: keyParameters?.activation ?? timestamp,
      expiry: keyParameters?.expiry ?? null,
      revoked: keyParameters?.revoked ?? false,
    };
  }

  /** Our users that the message may be for; with a hidden responder any of them. */
  #addressees({ responder }: MessageFacts): readonly string[] {
    const { users } = this.#options;
    return responder.kind === 'hidden' ? users : users.filter((user) => user === responder.uri);
  }

  #keySetFor(user: string, { timestamp }: MessageFacts): ReturnType<SimDomain['keySet']> {
    const { domain } = this.#options;
    return domain.keySet(user, ntpToUnixMs(timestamp, domain.env.clock.now()));
  }

  #enter(key: SimGroupKey): void {
    const name = `${toHex(key.keyId)} ${key.user}`;
    const held = this.#keys.get(name);
    if (held !== undefined && held.stamp >= key.stamp) {
      wipe(key.key);
      return;
    }
    if (key.revoked) wipe(key.key);
    if (held !== undefined) wipe(held.key);
    this.#keys.set(name, key);
    for (const listener of this.#listeners) listener();
  }
}

const LOOK_MS = 100;
