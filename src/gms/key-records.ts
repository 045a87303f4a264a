/**
 * The group keys made here and their deliveries: in memory, and sealed in one namespace, so that a
 * key and what follows from it are written together or not at all. Messages are read when they are
 * sent; they are not kept in memory.
 */
import { wipe } from '../base/bytes.js';
import type { Log } from '../base/environment.js';
import { toSegyError } from '../base/errors.js';
import type { RecordChange, RecordSpace } from '../base/records.js';
import { decodeDelivery, type Delivery, deliveryName, encodeDelivery } from './delivery.js';
import { decodeOwnKey, encodeOwnKey, type OwnKey, type OwnKeyType } from './own-key.js';

const KEY = 'k/';
const DELIVERY = 'd/';
const MESSAGE = 'm/';

export interface KeyChanges {
  readonly keys?: readonly OwnKey[];
  /** keys that are forgotten, with all their deliveries */
  readonly forget?: readonly OwnKey[];
  readonly deliveries?: readonly Delivery[];
  readonly drop?: readonly Delivery[];
  /** the message of a delivery, by its name */
  readonly messages?: ReadonlyMap<string, Uint8Array>;
  /** messages that are of no more use, by the name of their delivery */
  readonly dropMessages?: readonly string[];
}

/** Told of every delivery that is new, changed, or gone. */
export interface DeliveryListener {
  changed(delivery: Delivery): void;
  gone(delivery: Delivery): void;
}

export class KeyRecords {
  readonly #records: RecordSpace;
  readonly #keys = new Map<string, OwnKey>();
  readonly #byGroup = new Map<string, Set<string>>();
  /** by K-ID, then by name */
  readonly #deliveries = new Map<string, Map<string, Delivery>>();
  listener?: DeliveryListener;
  /** names of records that are damaged: a damaged key is made anew by its group's next look */
  readonly refused: string[] = [];

  private constructor(records: RecordSpace) {
    this.#records = records;
  }

  /** @param records the namespace `group-keys` of the sealed store */
  static async open(records: RecordSpace, { log }: { log: Log }): Promise<KeyRecords> {
    const opened = new KeyRecords(records);
    const listing = await records.all();
    opened.refused.push(...listing.refused);
    for (const { key, value } of listing.records) {
      try {
        if (key.startsWith(KEY)) opened.#takeKey(decodeOwnKey(value));
        else if (key.startsWith(DELIVERY)) opened.#take(decodeDelivery(value));
      } catch (error) {
        log.error('gms.record.refused', { record: key, reason: toSegyError(error).message });
        opened.refused.push(key);
      } finally {
        wipe(value);
      }
    }
    await opened.#dropOrphans();
    return opened;
  }

  /** Deliveries of a key that is damaged or gone lead nowhere. */
  async #dropOrphans(): Promise<void> {
    const drop = [...this.#deliveries.keys()]
      .filter((keyId) => !this.#keys.has(keyId))
      .flatMap((keyId) => this.deliveriesOf(keyId));
    await this.write({ drop });
  }

  /** Keys of a group, those made last at the end; of one type where it is named. */
  keysOf(group: string, keyType?: OwnKeyType): OwnKey[] {
    return [...(this.#byGroup.get(group) ?? [])]
      .flatMap((keyId) => this.#keys.get(keyId) ?? [])
      .filter((key) => keyType === undefined || key.keyType === keyType)
      .sort((a, b) => a.madeAt.getTime() - b.madeAt.getTime());
  }

  allKeys(): OwnKey[] {
    return [...this.#keys.values()];
  }

  key(keyId: string): OwnKey | undefined {
    return this.#keys.get(keyId);
  }

  deliveriesOf(keyId: string): Delivery[] {
    return [...(this.#deliveries.get(keyId)?.values() ?? [])];
  }

  allDeliveries(): Delivery[] {
    return [...this.#deliveries.values()].flatMap((each) => [...each.values()]);
  }

  delivery(name: Pick<Delivery, 'keyId' | 'says' | 'member'>): Delivery | undefined {
    return this.#deliveries.get(name.keyId)?.get(deliveryName(name));
  }

  /** The message of a delivery. @throws SegyError SEGY_E_STORE */
  message(name: Pick<Delivery, 'keyId' | 'says' | 'member'>): Promise<Uint8Array | undefined> {
    return this.#records.get(MESSAGE + deliveryName(name));
  }

  /** All changes or none, on disk when it resolves. @throws SegyError SEGY_E_STORE */
  async write(changes: KeyChanges): Promise<void> {
    const {
      keys = [],
      forget = [],
      deliveries = [],
      messages = new Map<string, Uint8Array>(),
    } = changes;
    const gone = [
      ...(changes.drop ?? []),
      ...forget.flatMap(({ keyId }) => this.deliveriesOf(keyId)),
    ];
    const records: RecordChange[] = [
      ...keys.map((key) => ({ key: KEY + key.keyId, value: encodeOwnKey(key) })),
      ...forget.map(({ keyId }) => ({ key: KEY + keyId })),
      ...deliveries.map((each) => ({
        key: DELIVERY + deliveryName(each),
        value: encodeDelivery(each),
      })),
      ...[...messages].map(([name, value]) => ({ key: MESSAGE + name, value })),
      ...gone.flatMap((each) => {
        const name = deliveryName(each);
        return [{ key: DELIVERY + name }, { key: MESSAGE + name }];
      }),
      ...(changes.dropMessages ?? []).map((name) => ({ key: MESSAGE + name })),
    ];
    if (records.length === 0) return;
    try {
      await this.#records.write(records);
    } finally {
      for (const { key, value } of records) if (key.startsWith(KEY)) wipe(value);
    }
    for (const key of keys) this.#takeKey(key);
    for (const { keyId, group } of forget) {
      wipe(this.#keys.get(keyId)?.key);
      this.#keys.delete(keyId);
      this.#byGroup.get(group)?.delete(keyId);
    }
    for (const each of deliveries) {
      this.#take(each);
      this.listener?.changed(each);
    }
    for (const each of gone) {
      this.#deliveries.get(each.keyId)?.delete(deliveryName(each));
      this.listener?.gone(each);
    }
    for (const { keyId } of forget) this.#deliveries.delete(keyId);
  }

  /** Wipes the keys in memory; the records stay. */
  close(): void {
    for (const { key } of this.#keys.values()) wipe(key);
    this.#keys.clear();
  }

  /** Octets that are held once already are not held twice. */
  #takeKey(key: OwnKey): void {
    const before = this.#keys.get(key.keyId)?.key;
    if (before !== undefined && before !== key.key) wipe(before);
    this.#keys.set(key.keyId, key);
    const all = this.#byGroup.get(key.group) ?? new Set();
    this.#byGroup.set(key.group, all.add(key.keyId));
  }

  #take(delivery: Delivery): void {
    const all = this.#deliveries.get(delivery.keyId) ?? new Map<string, Delivery>();
    all.set(deliveryName(delivery), delivery);
    this.#deliveries.set(delivery.keyId, all);
  }
}
