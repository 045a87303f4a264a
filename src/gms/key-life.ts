/**
 * The life of a group's keys (TS 33.180 5.7, 7.3): made, given to every member ahead of the time from
 * which all use it, replaced by schedule, by command and when a member leaves, then revoked.
 *
 * | key       | event                                        | what follows |
 * |-----------|----------------------------------------------|---|
 * | none      | a group that protects its media has members  | made, in use at once |
 * | in use    | roll: command, schedule, a member left       | a successor is made whose activation lies ahead; this one retires an overlap after that |
 * | not yet active | a member left                           | a successor as above; this one is revoked at once |
 * | retiring  | its time has come                            | revoked: out of our own ring, and said to every member that has it |
 * | any       | the group is gone or protects no media       | revoked |
 * | revoked   | every member took that, or a week passed     | forgotten; one that was ordered by name not before the week |
 *
 * What is to be done is found by looking at the group, its keys and their deliveries, never by
 * remembering an event. So a change that a crash cut off is finished at the next start.
 */
import { toHex } from '../base/bytes.js';
import type { Clock, Log, RandomBytes, TimerHandle, Timers } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import { newKeyId } from '../mikey/index.js';
import type { Delivery } from './delivery.js';
import type { Group } from './group.js';
import type { GroupStore } from './group-store.js';
import type { KeyRecords } from './key-records.js';
import {
  deliveriesOfKey,
  hasExpired,
  hasKey,
  holdersOf,
  isLost,
  isMember,
  outsideMembers,
  revocationOf,
  rollAt,
} from './key-rules.js';
import type { OwnKey, OwnKeyType, RollOrder, RollReason } from './own-key.js';
import { OWN_KEY_TYPES } from './own-key.js';
import type { OwnRing } from './ports.js';
import { RingEntries } from './ring-entries.js';

const KEY_OCTETS = 16;
const FORGET_AFTER_MS = 7 * 86_400_000;
/** Timers of the platform wrap at 2^31 ms; looking again after an hour costs nothing. */
const MAX_TIMER_MS = 3_600_000;
const MAX_DRAWS = 64;
/** Valid keys of one type of a group: more than this says that somebody rolls in a loop. */
const MAX_VALID = 16;

export interface KeyLifeSettings {
  /** identity of our GMS */
  readonly uri: string;
  /** between the making of a key and the time from which all use it, in seconds */
  readonly activationSeconds: number;
  /** the same where a member left: shorter, since the key it replaces is known to it */
  readonly removalActivationSeconds: number;
  /** how long a replaced key is still heard, in seconds */
  readonly overlapSeconds: number;
  /** age at which a key is replaced, in seconds; null: never by itself */
  readonly rollSeconds: number | null;
  /** how long a key is good for by its own parameters, in seconds; null: until it is revoked */
  readonly lifetimeSeconds: number | null;
  /** whether members are told that a replaced key is revoked */
  readonly tellRevoked: boolean;
}

export interface KeyLifeOptions {
  readonly groups: GroupStore;
  readonly records: KeyRecords;
  readonly ring: OwnRing;
  readonly settings: KeyLifeSettings;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomBytes;
  readonly log: Log;
}

export interface RollRequest {
  readonly reason: RollReason;
  /** seconds until all use the new key; the configured time when absent */
  readonly activationSeconds?: number;
  /** the keys that are replaced are revoked at once, without waiting for the new one */
  readonly revokeNow?: boolean;
  /** the same order rolls once */
  readonly order?: RollOrder;
}

export class KeyLife {
  readonly #options: KeyLifeOptions;
  #timer: TimerHandle | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** groups that are looked at before long */
  readonly #asked = new Set<string>();
  readonly #ring: RingEntries;
  #closed = false;
  #unsubscribe: (() => void) | undefined;

  constructor(options: KeyLifeOptions) {
    this.#options = options;
    this.#ring = new RingEntries(options.ring, options.settings.uri);
  }

  /** Finishes what an earlier run left, and follows the groups from now on. */
  async start(): Promise<void> {
    const { groups, records } = this.#options;
    this.#unsubscribe = groups.onChange(({ before, after }) => {
      this.look((after ?? before)?.id ?? '');
    });
    const ids = new Set([
      ...groups.list().map(({ id }) => id),
      ...records.allKeys().map(({ group }) => group),
    ]);
    for (const id of ids) this.look(id);
    await this.settled();
  }

  /** Resolves when everything that was asked for so far is done. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe?.();
    this.#stopTimer();
    await this.#tail;
  }

  /**
   * Makes a new key of each type that the group has; of an order that was carried out, what lacks.
   * @returns hex of the new K-IDs
   * @throws SegyError SEGY_E_NOT_FOUND, SEGY_E_GROUP for a group without any key or an order that was another
   * one before, SEGY_E_BUSY while too many keys of the group are valid, SEGY_E_STORE
   */
  roll(id: string, request: RollRequest): Promise<string[]> {
    return this.#inTurn(async () => {
      const group = this.#options.groups.get(id);
      if (group === undefined) {
        throw new SegyError('SEGY_E_NOT_FOUND', `no group ${id} is homed here`);
      }
      const types = OWN_KEY_TYPES.filter((type) => hasKey(group, type));
      if (types.length === 0) {
        throw new SegyError('SEGY_E_GROUP', `${id} protects nothing, so it has no key`);
      }
      const made: string[] = [];
      const now = this.#options.clock.now();
      for (const type of types) {
        if (this.#isOrdered(id, type, request.order)) continue;
        made.push((await this.#roll(group, type, request, now)).keyId);
      }
      await this.#look(id);
      return made;
    });
  }

  /** Whether a key of this type was made by this order. @throws SegyError as roll */
  #isOrdered(id: string, type: OwnKeyType, order: RollOrder | undefined): boolean {
    const keys = this.#options.records.keysOf(id, type);
    const found = keys.find((key) => order !== undefined && key.order?.name === order.name)?.order;
    if (!found) {
      if (this.#valid(id, type).length < MAX_VALID) return false;
      throw new SegyError('SEGY_E_BUSY', `${id} has ${MAX_VALID} valid keys of type ${type}`);
    }
    const { activationSeconds, revokeNow } = found;
    if (activationSeconds === order?.activationSeconds && revokeNow === order.revokeNow)
      return true;
    throw new SegyError('SEGY_E_GROUP', `the roll ${found.name} was ordered with other times`);
  }

  /** Does what a group's keys need, soon. */
  look(id: string): void {
    if (this.#asked.has(id)) return;
    this.#asked.add(id);
    this.#inTurn(() => {
      this.#asked.delete(id);
      return this.#look(id);
    }).catch((error: unknown) => {
      const { code, message } = toSegyError(error);
      this.#options.log.error('gms.keys.failed', { group: id, code, message });
    });
  }

  /** Does what a group's keys need now, and waits for what they need next. */
  async #look(id: string): Promise<void> {
    if (this.#closed) return;
    const group = this.#options.groups.get(id);
    const now = this.#options.clock.now();
    for (const type of OWN_KEY_TYPES) {
      if (group !== undefined && hasKey(group, type)) await this.#keep(group, type, now);
      else await this.#retire(this.#valid(id, type), group);
    }
    await this.#retireDue(id, group);
    await this.#forget(id, group);
  }

  /** @param now one time for all types of a group's keys, so that they change together */
  async #keep(group: Group, type: OwnKeyType, now: number): Promise<void> {
    const current = this.#valid(group.id, type).at(-1);
    if (current === undefined)
      await this.#make(group, type, { reason: 'created', now, activation: now });
    else if (isLost(current, this.#given(current), group))
      await this.#roll(group, type, { reason: 'removal' }, now);
    else if (now >= rollAt(current, this.#options.settings))
      await this.#roll(group, type, { reason: 'schedule' }, now);
    for (const key of this.#valid(group.id, type).filter((each) => !hasExpired(each, now))) {
      await this.#ring.adopt(await this.#deliver(key, group), group);
    }
  }

  async #roll(group: Group, type: OwnKeyType, request: RollRequest, now: number): Promise<OwnKey> {
    const { settings, records } = this.#options;
    const { reason, revokeNow = false, order = null } = request;
    const usual =
      reason === 'removal' ? settings.removalActivationSeconds : settings.activationSeconds;
    const lead = 1000 * (request.activationSeconds ?? usual);
    const replaced = this.#valid(group.id, type).filter(
      ({ retireAt }) => retireAt === null || revokeNow,
    );
    const end = Math.min(...replaced.map(({ expiry }) => +(expiry ?? Infinity)));
    const activation = Math.min(now + lead, Math.max(end, now));
    const made = await this.#make(group, type, { reason, now, activation, order });
    const retireAt = new Date(made.activation.getTime() + 1000 * settings.overlapSeconds);
    const retiring = replaced.map((key): OwnKey => {
      const isUnused = reason === 'removal' && key.activation.getTime() > now;
      return { ...key, retireAt: revokeNow || isUnused ? new Date(now) : retireAt };
    });
    await records.write({ keys: retiring });
    return made;
  }

  async #make(
    group: Group,
    keyType: OwnKeyType,
    times: {
      readonly reason: RollReason;
      readonly now: number;
      readonly activation: number;
      readonly order?: RollOrder | null;
    },
  ): Promise<OwnKey> {
    const { random, records, settings, log } = this.#options;
    const { reason, now, order = null } = times;
    const latest = Math.max(0, ...this.#valid(group.id, keyType).map(({ madeAt }) => +madeAt));
    // the members are told whole seconds (E.6.4), and what is true for them is true here
    const activation = 1000 * Math.floor(times.activation / 1000);
    const { lifetimeSeconds } = settings;
    const key: OwnKey = {
      group: group.id,
      keyType,
      keyId: this.#newId(keyType),
      key: random(KEY_OCTETS),
      rand: random(KEY_OCTETS),
      reason,
      // the order of keys is that of their making, also where the clock stood still
      madeAt: new Date(Math.max(now, latest + 1)),
      activation: new Date(activation),
      expiry: lifetimeSeconds === null ? null : new Date(activation + 1000 * lifetimeSeconds),
      retireAt: null,
      revokedAt: null,
      holders: holdersOf(group),
      order,
    };
    await records.write({ keys: [key], deliveries: deliveriesOfKey(key, group) });
    log.info('gms.key.made', { group: group.id, keyType, keyId: key.keyId, reason });
    return key;
  }

  /** What the members need of a valid key and do not have a delivery for; none for others. */
  async #deliver(key: OwnKey, group: Group): Promise<OwnKey> {
    const { records } = this.#options;
    const deliveries = deliveriesOfKey(key, group, (wanted) => {
      const known = records.delivery(wanted);
      return known?.kmsUri !== wanted.kmsUri || known.partner !== wanted.partner;
    });
    const members = new Set(outsideMembers(group).map(({ uri }) => uri));
    const drop = records
      .deliveriesOf(key.keyId)
      .filter(({ member, step }) => step !== 'delivered' && !members.has(member));
    const holders = [...new Set([...key.holders, ...holdersOf(group)])];
    const kept = holders.length > key.holders.length ? { ...key, holders } : key;
    await records.write({ keys: kept === key ? [] : [kept], deliveries, drop });
    return kept;
  }

  async #retireDue(id: string, group: Group | undefined): Promise<void> {
    const now = this.#options.clock.now();
    const due = OWN_KEY_TYPES.flatMap((type) => this.#valid(id, type)).filter(
      (key) => hasExpired(key, now) || (key.retireAt !== null && +key.retireAt <= now),
    );
    await this.#retire(due, group);
  }

  /** Revokes keys: first here, then wherever they were given and the user is still a member. */
  async #retire(keys: readonly OwnKey[], group: Group | undefined): Promise<void> {
    const { records, clock, settings, log } = this.#options;
    for (const valid of keys) {
      const revoked: OwnKey = { ...valid, revokedAt: new Date(clock.now()) };
      const told = this.#given(valid).filter(
        ({ member }) => group === undefined || isMember(group, member),
      );
      await records.write({
        keys: [revoked],
        drop: records.deliveriesOf(valid.keyId).filter(({ step }) => step !== 'delivered'),
        deliveries: settings.tellRevoked ? told.map(revocationOf) : [],
      });
      await this.#ring.revoke(revoked);
      log.info('gms.key.revoked', { group: valid.group, keyId: valid.keyId });
    }
  }

  async #forget(id: string, group: Group | undefined): Promise<void> {
    const { records, clock } = this.#options;
    const forget = records.keysOf(id).filter(({ keyId, revokedAt, order }) => {
      if (revokedAt === null) return false;
      const isAsked = order !== null && group !== undefined;
      const open = records
        .deliveriesOf(keyId)
        .some(({ says, step }) => says === 'revoked' && step !== 'delivered');
      return (!open && !isAsked) || clock.now() >= revokedAt.getTime() + FORGET_AFTER_MS;
    });
    for (const key of forget) await this.#ring.drop(key);
    await records.write({ forget });
  }

  #valid(id: string, type: OwnKeyType): OwnKey[] {
    return this.#options.records.keysOf(id, type).filter(({ revokedAt }) => revokedAt === null);
  }

  /** Deliveries by which somebody may have the key. */
  #given({ keyId }: OwnKey): Delivery[] {
    return this.#options.records
      .deliveriesOf(keyId)
      .filter(({ says, step }) => says === 'valid' && step !== 'waiting');
  }

  /** @throws SegyError SEGY_E_INTERNAL when every draw is taken, which no honest source does */
  #newId(keyType: OwnKeyType): string {
    const { ring, records, random } = this.#options;
    for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
      const keyId = newKeyId(keyType, random);
      if (!ring.isTaken(keyId) && records.key(toHex(keyId)) === undefined) return toHex(keyId);
    }
    throw new SegyError('SEGY_E_INTERNAL', 'no key identifier is free');
  }

  /** Looks again when the next key is due for something. */
  #await(): void {
    this.#stopTimer();
    if (this.#closed) return;
    const { clock, timers, records } = this.#options;
    const now = clock.now();
    const next = Math.min(...records.allKeys().map((key) => this.#dueAt(key)));
    if (next === Infinity) return;
    this.#timer = timers.setTimeout(
      () => {
        const at = clock.now();
        const due = records.allKeys().filter((key) => this.#dueAt(key) <= at);
        for (const group of new Set(due.map((key) => key.group))) this.look(group);
        if (due.length === 0) this.#await();
      },
      Math.min(Math.max(next - now, 1), MAX_TIMER_MS),
    );
  }

  #dueAt(key: OwnKey): number {
    const { group, retireAt, revokedAt, expiry } = key;
    if (revokedAt !== null) return +revokedAt + FORGET_AFTER_MS;
    const end = Math.min(+(retireAt ?? Infinity), +(expiry ?? Infinity));
    const isFollowed = retireAt !== null || this.#options.groups.get(group) === undefined;
    return isFollowed ? end : Math.min(end, rollAt(key, this.#options.settings));
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#options.timers.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const result = this.#tail.then(work).finally(() => {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#await();
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
