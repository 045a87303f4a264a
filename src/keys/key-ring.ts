/**
 * The key ring: GMK, PCK, CSK, SPK, MKFC, MSCCK and MuSiK by partner and identifier.
 *
 * What a message does to the key that is held under its identifier:
 *
 *   held        message                        result
 *   nothing     valid                          held from now on
 *   nothing     revoked                        remembered as revoked, so that an older message cannot install it
 *   nothing     octets held under another ID   SEGY_E_KEY_CONFLICT, also where that key was revoked
 *   revoked     revoked                        nothing changes
 *   revoked     valid                          SEGY_E_MIKEY_REVOKED: revocation is final
 *   valid       of another initiator           SEGY_E_MIKEY_INITIATOR
 *   valid       other key octets               SEGY_E_KEY_CONFLICT
 *   valid       other RAND                     of a key that members share kept beside it, four in all;
 *                                              else SEGY_E_KEY_CONFLICT, unless it revokes
 *   valid       T not later                    a new holder or RAND is noted, nothing else changes
 *   valid       T later                        status, times, groups, policy as it says
 *   ended       T not later                    SEGY_E_MIKEY_EXPIRED, or REVOKED
 *   ended       T later                        as nothing held
 *
 * A key whose time is over is used no more from that moment on. It ends an hour of running time later, so
 * that a clock that was set ahead by mistake and back again costs no group its keys.
 *
 * Keys outlive a restart, except a PCK, which lives as long as its call. What ended by its expiry is
 * remembered without its octets (`past-keys.ts`), so that no earlier message brings it back.
 */
import type { Clock, Log, TimerHandle, Timers } from '../base/environment.js';
import { equalBytes, wipe } from '../base/bytes.js';
import type { RecordSpace } from '../base/records.js';
import { SegyError } from '../base/errors.js';
import { keyTypeOf } from '../mikey/index.js';
import {
  decodeHeldKey,
  digestOf,
  encodeHeldKey,
  isRevoked,
  STATUS_VALID,
  stateOf,
  withoutKey,
} from './held-key.js';
import type { HeldKey } from './held-key.js';
import { PastKeys } from './past-keys.js';
import {
  bySendingOrder,
  nameOf,
  randsWith,
  regroupedOf,
  SHARED_KEYS,
  without,
} from './ring-rules.js';
import type { KeyName } from './ring-rules.js';

const DEFAULT_MAX_KEYS = 50_000;
const DEFAULT_MESSAGE_LIFE_MS = 62 * 86_400_000;
/** Timers of the platform wrap at 2^31 ms; looking again after an hour costs nothing. */
const MAX_TIMER_MS = 3_600_000;
/** How long a key is kept after its expiry, in running time. */
const LINGER_MS = 3_600_000;
/** How often it is looked whether the clock went back, while a key waits for its end. */
const LOOK_BACK_MS = 60_000;
export interface KeyRingOptions {
  readonly records: RecordSpace;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly maxKeys?: number;
  /** for how long after its T a message may come, ms; default two key periods of 28 days and a margin */
  readonly messageLifeMs?: number;
}

export type EnterResult = 'new' | 'updated' | 'revoked' | 'unchanged';
export type KeyEnd = 'revoked' | 'expired' | 'dropped';

export class KeyRing {
  readonly #options: KeyRingOptions;
  readonly #keys = new Map<string, HeldKey>();
  readonly #past: PastKeys;
  #timer: TimerHandle | undefined;
  /** keys whose expiry was told, until they end */
  readonly #lingering = new Map<string, TimerHandle>();
  #tail: Promise<unknown> = Promise.resolve();
  /** a key may be used no longer; whoever derived from it lets go now */
  onEnd?: (key: HeldKey, why: KeyEnd) => void;
  /** names of keys that are damaged in the store: held by nobody */
  readonly refused: string[] = [];

  private constructor(options: KeyRingOptions) {
    this.#options = options;
    this.#past = new PastKeys(options.messageLifeMs ?? DEFAULT_MESSAGE_LIFE_MS);
  }

  static async open(options: KeyRingOptions): Promise<KeyRing> {
    const ring = new KeyRing(options);
    const { records, refused } = await options.records.all();
    ring.refused.push(...refused);
    for (const { key: name, value } of records) {
      try {
        const held = decodeHeldKey(value);
        if (held.digest === undefined || isRevoked(held)) ring.#keys.set(name, held);
        else ring.#past.add(name, held);
      } catch (error) {
        options.log.error('keys.record.refused', { name, reason: String(error) });
        ring.refused.push(name);
      } finally {
        wipe(value);
      }
    }
    await ring.expire();
    return ring;
  }

  /**
   * Takes in a key that was opened or made, by the table above; on disk when it resolves. The ring
   * keeps its own copy of the octets.
   * @throws SegyError SEGY_E_MIKEY_KEY_TYPE, _REVOKED, _EXPIRED, _INITIATOR, SEGY_E_KEY_CONFLICT,
   *   SEGY_E_BUSY, SEGY_E_STORE
   */
  enter(offered: HeldKey): Promise<EnterResult> {
    // One after the other: what a message may do depends on what the one before it did.
    const result = this.#tail.then(() => this.#enter(offered));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** The key, in whatever state; undefined when none is held. */
  find(name: KeyName): HeldKey | undefined {
    const held = this.#keys.get(nameOf(name));
    return held !== undefined && this.#state(held) === 'expired' ? undefined : held;
  }

  /**
   * The key, if it may be used now.
   * @throws SegyError SEGY_E_NOT_FOUND, SEGY_E_MIKEY_REVOKED, SEGY_E_MIKEY_EXPIRED (not active yet too)
   */
  usable(name: KeyName): HeldKey {
    const held = this.#keys.get(nameOf(name));
    if (held === undefined) throw new SegyError('SEGY_E_NOT_FOUND', 'no such key is held');
    const state = this.#state(held);
    if (state === 'revoked') throw new SegyError('SEGY_E_MIKEY_REVOKED', 'the key is revoked');
    if (state !== 'active') {
      throw new SegyError('SEGY_E_MIKEY_EXPIRED', `the key is ${state}`);
    }
    return held;
  }

  /** Active keys of a group, the one to send with first. */
  ofGroup(partner: string, group: string): HeldKey[] {
    return [...this.#keys.values()]
      .filter((held) => held.partner === partner && held.groups.includes(group))
      .filter((held) => this.#state(held) === 'active')
      .sort(bySendingOrder);
  }

  /**
   * The GMK to send into a group with, for a represented user that received it: of the active ones
   * the latest activated; of those the one with the later T; then the greater identifier, so that
   * every member chooses the same.
   * @throws SegyError SEGY_E_NOT_FOUND
   */
  toSendWith(partner: string, group: string, user?: string): HeldKey {
    const [first] = this.ofGroup(partner, group).filter(
      (held) => held.keyType === 'GMK' && (user === undefined || held.holders.includes(user)),
    );
    if (first === undefined) {
      throw new SegyError('SEGY_E_NOT_FOUND', 'no active key is held for this group');
    }
    return first;
  }

  /** Every key held, also pending and revoked ones. */
  list(): HeldKey[] {
    return [...this.#keys.values()].filter((held) => this.#state(held) !== 'expired');
  }

  /** Lets a key go: a PCK at the end of its call, any other when an operator forgets it. */
  async drop(name: KeyName): Promise<void> {
    const text = nameOf(name);
    const damaged = this.refused.indexOf(text);
    if (damaged >= 0) {
      await this.#options.records.delete(text);
      this.refused.splice(damaged, 1);
    }
    if (this.#past.forget(text)) await this.#options.records.delete(text);
    await this.#end(text, 'dropped');
  }

  /**
   * Revokes a key by an operator's decision, as a message with Status 0 would.
   * @throws SegyError SEGY_E_NOT_FOUND, SEGY_E_STORE
   */
  async revoke(name: KeyName): Promise<EnterResult> {
    const held = this.find(name);
    if (held === undefined) throw new SegyError('SEGY_E_NOT_FOUND', 'no such key is held');
    const now = this.#options.clock.now();
    const stamp = new Date(Math.max(now, held.stamp.getTime() + 1));
    return this.enter({ ...held, status: held.status & ~STATUS_VALID, stamp });
  }

  /** Tells of every key whose expiry has passed. Runs by itself when the next one is due. */
  async expire(): Promise<void> {
    this.#stopTimer();
    const now = this.#options.clock.now();
    let next = Infinity;
    for (const [name, held] of this.#keys) {
      if (held.expiry === null) continue;
      if (now < held.expiry.getTime()) {
        this.#stopLingering(name);
        next = Math.min(next, held.expiry.getTime() - now);
      } else if (isRevoked(held)) {
        await this.#end(name, 'expired');
      } else if (!this.#lingering.has(name)) {
        this.#linger(name, held);
      }
    }
    if (this.#lingering.size > 0) next = Math.min(next, LOOK_BACK_MS);
    for (const name of this.#past.letGo(now)) await this.#options.records.delete(name);
    if (next === Infinity) return;
    this.#timer = this.#options.timers.setTimeout(
      () => void this.#quietly(() => this.expire()),
      Math.min(next, MAX_TIMER_MS),
    );
  }

  /** Wipes the octets in memory; the records stay. */
  close(): void {
    this.#stopTimer();
    for (const name of [...this.#lingering.keys()]) this.#stopLingering(name);
    for (const { key } of this.#keys.values()) wipe(key);
    this.#keys.clear();
  }

  async #enter(offered: HeldKey): Promise<EnterResult> {
    if (offered.keyId.length !== 4 || keyTypeOf(offered.keyId) !== offered.keyType) {
      throw new SegyError('SEGY_E_MIKEY_KEY_TYPE', 'the key identifier has another purpose tag');
    }
    const name = nameOf(offered);
    if (this.refused.includes(name)) {
      throw new SegyError('SEGY_E_STORE', 'the key held under this identifier is damaged');
    }
    const held = this.#keys.get(name);
    if (held !== undefined && this.#state(held) !== 'expired') {
      return this.#change(name, held, offered);
    }
    if (held !== undefined) await this.#end(name, 'expired');
    this.#refusePast(name, offered);
    if (this.#state(offered) === 'expired') {
      throw new SegyError('SEGY_E_MIKEY_EXPIRED', 'the key has expired');
    }
    this.#refuseRenamed(name, offered);
    if (this.#keys.size >= (this.#options.maxKeys ?? DEFAULT_MAX_KEYS)) {
      throw new SegyError('SEGY_E_BUSY', 'the key ring is full');
    }
    const revoked = isRevoked(offered);
    await this.#keep(
      name,
      revoked ? withoutKey(offered) : { ...offered, key: offered.key.slice() },
    );
    this.#past.forget(name);
    return revoked ? 'revoked' : 'new';
  }

  /** What ended comes back by no message that is older than the one that said when it ends. */
  #refusePast(name: string, offered: HeldKey): void {
    const past = this.#past.find(name);
    if (past === undefined || offered.stamp > past.stamp) return;
    if (isRevoked(past)) throw new SegyError('SEGY_E_MIKEY_REVOKED', 'the key is revoked');
    throw new SegyError('SEGY_E_MIKEY_EXPIRED', 'the key has expired');
  }

  async #change(name: string, held: HeldKey, offered: HeldKey): Promise<EnterResult> {
    if (isRevoked(held)) {
      if (isRevoked(offered)) return 'unchanged';
      throw new SegyError('SEGY_E_MIKEY_REVOKED', 'the key is revoked');
    }
    if (held.initiator !== offered.initiator) {
      throw new SegyError('SEGY_E_MIKEY_INITIATOR', 'the key is held from another initiator');
    }
    if (!equalBytes(held.key, offered.key)) {
      throw new SegyError('SEGY_E_KEY_CONFLICT', 'another key is held under this identifier');
    }
    const rands = randsWith(held, offered);
    const holders = [...new Set([...held.holders, ...offered.holders])];
    const regrouped = regroupedOf(held, offered);
    if (offered.stamp <= held.stamp) {
      const hasMore =
        holders.length > held.holders.length ||
        (regrouped.constituents?.length ?? 0) > (held.constituents?.length ?? 0);
      const hasRand = rands.length > 1 + held.otherRands.length;
      if (hasMore || hasRand) {
        const more = { holders, ...regrouped, otherRands: without(rands, held.rand) };
        await this.#keep(name, { ...held, ...more });
      }
      return hasRand ? 'updated' : 'unchanged';
    }
    const otherRands = without(rands, offered.rand);
    if (isRevoked(offered)) {
      const revoked = withoutKey({ ...held, ...offered, ...regrouped, holders, otherRands });
      await this.#save(name, revoked);
      this.onEnd?.(held, 'revoked');
      wipe(held.key);
      if (revoked.expiry !== null) await this.expire();
      return 'revoked';
    }
    await this.#keep(name, { ...offered, ...regrouped, holders, otherRands, key: held.key });
    return 'updated';
  }

  /** One key under two identifiers would let one message undo what another says of it. */
  #refuseRenamed(name: string, offered: HeldKey): void {
    if (!SHARED_KEYS.has(offered.keyType)) return;
    const digest = digestOf(offered.key);
    const isSame = (held: HeldKey): boolean =>
      held.partner === offered.partner &&
      held.keyType === offered.keyType &&
      (held.digest === undefined
        ? equalBytes(held.key, offered.key)
        : equalBytes(held.digest, digest));
    if ([...this.#keys.values()].some(isSame) || this.#past.others(name).some(isSame)) {
      throw new SegyError('SEGY_E_KEY_CONFLICT', 'the key is held under another identifier');
    }
  }

  async #keep(name: string, held: HeldKey): Promise<void> {
    await this.#save(name, held);
    if (held.expiry !== null) await this.expire();
  }

  async #save(name: string, held: HeldKey): Promise<void> {
    if (held.keyType !== 'PCK') {
      const octets = encodeHeldKey(held);
      try {
        await this.#options.records.put(name, octets);
      } finally {
        wipe(octets);
      }
    }
    this.#keys.set(name, held);
  }

  async #end(name: string, why: KeyEnd): Promise<void> {
    const held = this.#keys.get(name);
    if (held === undefined) return;
    this.#keys.delete(name);
    const past = why === 'expired' && SHARED_KEYS.has(held.keyType) ? withoutKey(held) : null;
    const wasTold = this.#stopLingering(name);
    if (!isRevoked(held) && !wasTold) this.onEnd?.(held, why);
    wipe(held.key);
    if (past !== null) {
      const { records } = this.#options;
      for (const gone of this.#past.add(name, past)) await records.delete(gone);
      await records.put(name, encodeHeldKey(past));
    } else if (held.keyType !== 'PCK') await this.#options.records.delete(name);
  }

  #linger(name: string, held: HeldKey): void {
    const end = async (): Promise<void> => {
      if (this.#state(held) === 'expired') await this.#end(name, 'expired');
      else await this.expire();
    };
    const timer = this.#options.timers.setTimeout(() => void this.#quietly(end), LINGER_MS);
    this.#lingering.set(name, timer);
    this.onEnd?.(held, 'expired');
  }

  /** @returns whether the expiry of the key was told */
  #stopLingering(name: string): boolean {
    const timer = this.#lingering.get(name);
    if (timer !== undefined) this.#options.timers.clearTimeout(timer);
    return this.#lingering.delete(name);
  }

  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.log.error('keys.expiry.failed', { reason: String(error) });
    }
  }

  #state(held: HeldKey) {
    return stateOf(held, this.#options.clock.now());
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#options.timers.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
