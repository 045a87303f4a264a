/**
 * Sends what waits to be delivered: each partner has a lane of its own with a bounded number of
 * exchanges under way, so that one that does not answer holds up nobody else. A message is made when
 * its turn comes and is on disk before it leaves. Failures wait longer each time, per member; a
 * partner that cannot be reached is left alone as a whole.
 */
import type { Clock, Log, Metrics, RandomBytes, TimerHandle, Timers } from '../base/environment.js';
import { toSegyError } from '../base/errors.js';
import { type Delivery, deliveryName } from './delivery.js';
import { DeliveryLane } from './delivery-lane.js';
import type { KeyRecords } from './key-records.js';
import type { UnreachedPartner } from './key-status.js';
import type { EarlierMessage, MadeMessage, MessageMaker } from './message-maker.js';
import type { OwnKey } from './own-key.js';
import type { KeySender, KeyToSend, SendOutcome } from './ports.js';

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 600_000;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 300_000;
/** a wait is lengthened by up to this share of it */
const SPREAD = 0.25;
const UNWANTED_MS = 1_000;
/** Codes that say nothing about the member: the work is tried again soon. */
const PASSING: ReadonlySet<string> = new Set(['SEGY_E_BUSY', 'SEGY_E_CANCELLED', 'SEGY_E_AUDIT']);

export interface DeliveryQueueOptions {
  readonly records: KeyRecords;
  readonly maker: MessageMaker;
  readonly sender: KeySender;
  /** display name of a group, which the message carries */
  readonly nameOf: (group: string) => string;
  /** whether a delivery is still right to make */
  readonly isWanted: (delivery: Delivery) => boolean;
  /** exchanges under way with one partner */
  readonly parallel: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class DeliveryQueue {
  readonly #options: DeliveryQueueOptions;
  readonly #lanes = new Map<string, DeliveryLane>();
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #making = new Map<string, Promise<KeyToSend | null>>();
  #timer: TimerHandle | undefined;
  #started = false;
  #soon = false;
  /** a delivery of the group went a step further, failed, or is gone */
  onProgress?: (group: string) => void;
  /** a delivery was taken by its member */
  onDelivered?: (delivery: Delivery) => void;

  constructor(options: DeliveryQueueOptions) {
    this.#options = options;
    options.records.listener = {
      changed: (delivery) => this.#changed(delivery),
      gone: (delivery) => this.#gone(delivery),
    };
    for (const delivery of options.records.allDeliveries()) this.#changed(delivery);
  }

  start(): void {
    this.#started = true;
    this.#pump();
  }

  /** Resolves when nothing is under way any more; what was not delivered stays for the next start. */
  async stop(): Promise<void> {
    this.#started = false;
    if (this.#timer !== undefined) this.#options.timers.clearTimeout(this.#timer);
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  /** Partners that could not be reached last, and when they are tried again. */
  unreached(): UnreachedPartner[] {
    return [...this.#lanes].flatMap(([partner, { unreached, pausedUntil }]) =>
      unreached === null
        ? []
        : [{ partner, code: unreached, nextTry: new Date(pausedUntil).toISOString() }],
    );
  }

  /** A member took these by another way, such as the first NOTIFY of its subscription. */
  async delivered(deliveries: readonly Delivery[]): Promise<void> {
    const { records } = this.#options;
    const present = deliveries.flatMap((each) => records.delivery(each) ?? []);
    await this.#deliveredAll(present.filter(({ step }) => step === 'made'));
  }

  /** What failed before is tried at once: an operator has put something right. */
  retry(group: string): void {
    for (const lane of this.#lanes.values()) {
      for (const each of lane.takeDelayed(group)) this.#put(lane, { ...each, notBefore: 0 });
      lane.pausedUntil = 0;
    }
    this.#pump();
  }

  /** The messages of deliveries, made and sealed where there are none yet or they are too old. */
  async prepare(deliveries: readonly Delivery[]): Promise<KeyToSend[]> {
    const made = await Promise.all(deliveries.map((each) => this.#messageOnce(each)));
    return made.filter((each) => each !== null).filter((each) => each.isWanted());
  }

  #toSend(delivery: Delivery, { keyType }: OwnKey, message: Uint8Array): KeyToSend {
    const { isWanted } = this.#options;
    return { delivery, keyType, message, isWanted: () => isWanted(delivery) };
  }

  #changed(delivery: Delivery): void {
    const lane = this.#laneOf(delivery.partner);
    if (delivery.step === 'delivered') lane.remove(delivery);
    else this.#put(lane, delivery);
    this.onProgress?.(delivery.group);
    this.#pumpSoon();
  }

  #gone(delivery: Delivery): void {
    this.#laneOf(delivery.partner).remove(delivery);
    this.onProgress?.(delivery.group);
  }

  #put(lane: DeliveryLane, delivery: Delivery): void {
    const { sender, clock } = this.#options;
    lane.put(delivery, sender.routeOf(delivery).route, clock.now());
  }

  /** Many changes of one turn are one look. */
  #pumpSoon(): void {
    if (!this.#started || this.#soon) return;
    this.#soon = true;
    queueMicrotask(() => {
      this.#soon = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (!this.#started) return;
    const { clock, parallel, metrics } = this.#options;
    const now = clock.now();
    let next = Infinity;
    for (const [partner, lane] of this.#lanes) {
      for (const each of lane.takeDue(now)) this.#put(lane, each);
      next = Math.min(next, lane.nextDue());
      if (lane.pausedUntil > now) next = Math.min(next, lane.pausedUntil);
      else while (lane.busy < parallel && lane.isReady) this.#run(lane, partner);
      metrics.gauge('segy_gms_waiting', lane.waiting, { partner });
    }
    this.#pumpAt(next, now);
  }

  #pumpAt(next: number, now: number): void {
    const { timers } = this.#options;
    if (this.#timer !== undefined) timers.clearTimeout(this.#timer);
    this.#timer =
      next === Infinity
        ? undefined
        : timers.setTimeout(() => this.#pump(), Math.max(next - now, 1));
  }

  #run(lane: DeliveryLane, partner: string): void {
    const batch = lane.takeBatch((each) => this.#options.sender.routeOf(each).most);
    lane.busy += 1;
    const work = this.#exchange(partner, lane, batch)
      .catch((error: unknown) => {
        const { code, message } = toSegyError(error);
        this.#options.log.error('gms.delivery.failed', { partner, code, message });
        this.#pause(lane, code);
      })
      .finally(() => {
        lane.busy -= 1;
        lane.end(batch);
        this.#putBack(lane, batch);
        this.#running.delete(work);
        this.#pumpSoon();
      });
    this.#running.add(work);
  }

  /** What is not delivered waits again; what is not wanted any more will be gone before long. */
  #putBack(lane: DeliveryLane, batch: readonly Delivery[]): void {
    const { isWanted, clock } = this.#options;
    for (const each of this.#present(batch)) {
      if (each.step === 'delivered') continue;
      const soon = clock.now() + UNWANTED_MS;
      this.#put(
        lane,
        isWanted(each) ? each : { ...each, notBefore: Math.max(each.notBefore, soon) },
      );
    }
  }

  async #exchange(partner: string, lane: DeliveryLane, batch: readonly Delivery[]): Promise<void> {
    const { sender, metrics, log } = this.#options;
    const keys = await this.prepare(batch);
    if (keys.length === 0) return;
    const outcome = await sender.send(keys, this.#stop.signal);
    const sent = keys.map(({ delivery }) => delivery);
    metrics.count('segy_gms_deliveries_total', { partner, outcome: outcome.kind }, sent.length);
    if (outcome.kind === 'unreachable') {
      log.warn('gms.partner.unreachable', { partner, code: outcome.code });
      if (!this.#stop.signal.aborted) this.#pause(lane, outcome.code);
      for (const group of new Set(batch.map((each) => each.group))) this.onProgress?.(group);
      return;
    }
    lane.pauses = 0;
    lane.unreached = null;
    if (outcome.kind === 'delivered') await this.#deliveredAll(sent);
    else await this.#refused(sent, outcome);
  }

  async #deliveredAll(sent: readonly Delivery[]): Promise<void> {
    const { records, clock } = this.#options;
    const deliveries = this.#present(sent).map((each): Delivery => ({
      ...each,
      step: 'delivered',
      error: null,
      status: null,
      redirect: null,
      deliveredAt: clock.now(),
    }));
    await records.write({ deliveries });
    for (const each of deliveries) this.onDelivered?.(each);
  }

  async #refused(
    sent: readonly Delivery[],
    { code, status, retryAfterMs, redirect }: SendOutcome & { kind: 'refused' },
  ): Promise<void> {
    const { records, clock, log } = this.#options;
    const now = clock.now();
    const deliveries = this.#present(sent).map((each): Delivery => ({
      ...each,
      failures: each.failures + 1,
      notBefore: now + Math.max(this.#waitMs(each.failures), retryAfterMs ?? 0),
      error: code,
      status,
      redirect,
    }));
    await records.write({ deliveries });
    for (const { member, partner, keyId } of deliveries) {
      log.warn('gms.delivery.refused', { member, partner, keyId, code, status });
    }
  }

  /** As they are kept by now; what is gone meanwhile is left out. */
  #present(deliveries: readonly Delivery[]): Delivery[] {
    return deliveries.flatMap((each) => this.#options.records.delivery(each) ?? []);
  }

  /** Whoever asks for a message while it is being made gets the same one. */
  #messageOnce(delivery: Delivery): Promise<KeyToSend | null> {
    const name = deliveryName(delivery);
    const making = this.#making.get(name) ?? this.#messageOf(delivery);
    this.#making.set(name, making);
    return making.finally(() => this.#making.delete(name));
  }

  /** Null where it could not be made: that is noted as a failure of this delivery alone. */
  async #messageOf(asked: Delivery): Promise<KeyToSend | null> {
    const { records, maker } = this.#options;
    const key = records.key(asked.keyId);
    const delivery = records.delivery(asked);
    if (key === undefined || delivery === undefined) return null;
    try {
      if (delivery.step !== 'waiting' && maker.isFresh(delivery)) {
        const message = await records.message(delivery);
        if (message !== undefined) return this.#toSend(delivery, key, message);
      }
      return await this.#make(delivery, key);
    } catch (error) {
      await this.#failedToMake(delivery, toSegyError(error).code);
      return null;
    }
  }

  async #make(delivery: Delivery, key: OwnKey): Promise<KeyToSend | null> {
    const { records, maker, nameOf } = this.#options;
    const earlier = await this.#earlier(delivery);
    const text = nameOf(delivery.group);
    const { signal } = this.#stop;
    const made: MadeMessage = await maker.make(delivery, key, text, { earlier, signal });
    const present = records.delivery(delivery);
    if (present === undefined) return null;
    const { message, stamp, domainKey } = made;
    const kept: Delivery = { ...present, step: 'made', stamp, domainKey };
    const name = deliveryName(kept);
    await records.write({ deliveries: [kept], messages: new Map([[name, message]]) });
    return this.#toSend(kept, key, message);
  }

  /** The message that said the key is valid, where this one says that it is revoked. */
  async #earlier(delivery: Delivery): Promise<EarlierMessage | undefined> {
    const { records } = this.#options;
    const valid = records.delivery({ ...delivery, says: 'valid' });
    if (valid === undefined || valid.step === 'waiting') return undefined;
    const message = await records.message(valid);
    return message && { delivery: valid, message };
  }

  async #failedToMake(delivery: Delivery, code: string): Promise<void> {
    const { records, clock, log } = this.#options;
    const present = records.delivery(delivery);
    if (present === undefined || this.#stop.signal.aborted) return;
    const failures = PASSING.has(code) ? present.failures : present.failures + 1;
    const notBefore = clock.now() + this.#waitMs(failures);
    await records.write({ deliveries: [{ ...present, failures, notBefore, error: code }] });
    log.warn('gms.message.failed', { member: delivery.member, keyId: delivery.keyId, code });
  }

  /** Exchanges that were under way together fail together, which counts once. */
  #pause(lane: DeliveryLane, code: string): void {
    const now = this.#options.clock.now();
    if (lane.pausedUntil > now) return;
    // it lets go of this turn's work as well: nobody is wanted any more, or we are stopping
    if (code !== 'SEGY_E_CANCELLED') lane.unreached = code;
    const ms = Math.min(FIRST_PAUSE_MS * 2 ** lane.pauses, LONGEST_PAUSE_MS);
    lane.pauses += 1;
    lane.pausedUntil = now + this.#spread(ms);
  }

  #waitMs(failures: number): number {
    return this.#spread(Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS));
  }

  #spread(ms: number): number {
    return Math.round(ms * (1 + (SPREAD * (this.#options.random(1)[0] ?? 0)) / 255));
  }

  #laneOf(partner: string): DeliveryLane {
    const lane = this.#lanes.get(partner) ?? new DeliveryLane();
    this.#lanes.set(partner, lane);
    return lane;
  }
}
