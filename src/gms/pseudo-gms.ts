/**
 * The pseudo GMS as others use it: the groups, the life of their keys, and the deliveries to their
 * members. Started, it delivers; without a start it may still be asked and told, and the deliveries
 * wait for the next start.
 */
import type { Clock, Log, Metrics, RandomBytes, Timers } from '../base/environment.js';
import type { RecordSpace } from '../base/records.js';
import { SegyError } from '../base/errors.js';
import type { SlowCrypto } from '../crypto/index.js';
import type { Delivery } from './delivery.js';
import { DeliveryQueue } from './delivery-queue.js';
import { GroupStore } from './group-store.js';
import { KeyLife, type KeyLifeSettings, type RollRequest } from './key-life.js';
import { KeyRecords } from './key-records.js';
import { isWanted } from './key-rules.js';
import { type GroupStatus, statusOf } from './key-status.js';
import { MessageMaker } from './message-maker.js';
import type {
  DomainCertificates,
  GmsAudit,
  GmsIdentity,
  KeySender,
  KeyToSend,
  OwnRing,
} from './ports.js';

export interface PseudoGmsOptions {
  /** namespaces of the sealed store: `groups` and `group-keys` */
  readonly spaces: { readonly groups: RecordSpace; readonly keys: RecordSpace };
  readonly identity: GmsIdentity;
  readonly certificates: DomainCertificates;
  readonly ring: OwnRing;
  readonly sender: KeySender;
  readonly audit: GmsAudit;
  readonly slow: SlowCrypto;
  readonly settings: Omit<KeyLifeSettings, 'uri'> & {
    /** exchanges under way with one partner */
    readonly parallel: number;
  };
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly metrics: Metrics;
  /** whether a name on the PBX is that of a user, or of a partner's group */
  readonly isTaken?: (pbx: string) => boolean;
}

export class PseudoGms {
  readonly groups: GroupStore;
  readonly #records: KeyRecords;
  readonly #life: KeyLife;
  readonly #queue: DeliveryQueue;
  readonly #clock: Clock;
  readonly #watchers = new Map<string, Set<() => void>>();

  private constructor(groups: GroupStore, records: KeyRecords, options: PseudoGmsOptions) {
    const { identity, settings } = options;
    this.groups = groups;
    this.#records = records;
    this.#clock = options.clock;
    this.#queue = new DeliveryQueue({
      ...options,
      records,
      maker: new MessageMaker(options),
      isWanted: (each) => isWanted(each, records.key(each.keyId), groups.get(each.group)),
      nameOf: (id) => groups.get(id)?.displayName ?? '',
      parallel: settings.parallel,
    });
    this.#life = new KeyLife({
      ...options,
      groups,
      records,
      settings: { ...settings, uri: identity.uri },
    });
    this.#queue.onProgress = (group) => {
      for (const listener of this.#watchers.get(group) ?? []) listener();
    };
    this.#queue.onDelivered = ({ group, says }) => {
      if (says === 'revoked') this.#life.look(group);
    };
  }

  static async open(options: PseudoGmsOptions): Promise<PseudoGms> {
    const groups = await GroupStore.open(options.spaces.groups, options);
    const records = await KeyRecords.open(options.spaces.keys, options);
    return new PseudoGms(groups, records, options);
  }

  /** Does what the groups' keys need, from now on; delivers nothing yet. */
  follow(): Promise<void> {
    return this.#life.start();
  }

  /** Follows the groups and delivers, what an earlier run left first. */
  async start(): Promise<void> {
    await this.follow();
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
    await this.#life.close();
    this.#records.close();
  }

  /** Resolves when the keys are as the last change of a group demands; deliveries go on. */
  settled(): Promise<void> {
    return this.#life.settled();
  }

  /** Makes new keys for a group. @returns hex of their K-IDs @throws SegyError as KeyLife.roll */
  rekey(id: string, request: Omit<RollRequest, 'reason'> = {}): Promise<string[]> {
    return this.#life.roll(id, { ...request, reason: 'command' });
  }

  /** Tries what failed for a group again at once. */
  retry(id: string): void {
    this.#queue.retry(id);
  }

  /** @throws SegyError SEGY_E_NOT_FOUND where neither the group nor a key of it is kept */
  status(id: string): GroupStatus {
    const keys = this.#records.keysOf(id);
    if (keys.length === 0 && this.groups.get(id) === undefined) {
      throw new SegyError('SEGY_E_NOT_FOUND', `no group ${id} is homed here`);
    }
    return statusOf(id, keys, (keyId) => this.#records.deliveriesOf(keyId), {
      now: this.#clock.now(),
      unreached: this.#queue.unreached(),
    });
  }

  /** Calls `listener` after every step of a delivery of the group. @returns ends that */
  watch(id: string, listener: () => void): () => void {
    const listeners = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#watchers.delete(id);
    };
  }

  /**
   * The messages by which these members of a partner (null: all) have every key of these groups, made where they
   * are not yet. What they had before is among them: it changes nothing for whoever kept it.
   */
  keysFor(
    partner: string,
    members: ReadonlySet<string> | null,
    groups: readonly string[],
  ): Promise<KeyToSend[]> {
    const wanted = groups
      .flatMap((id) => this.#records.keysOf(id))
      .flatMap(({ keyId, revokedAt }) =>
        this.#records
          .deliveriesOf(keyId)
          .filter(({ says }) => (revokedAt === null ? 'valid' : 'revoked') === says),
      )
      .filter((each) => each.partner === partner && members?.has(each.member) !== false);
    return this.#queue.prepare(wanted);
  }

  /** Notes that members have what `keysFor` gave. */
  delivered(deliveries: readonly Delivery[]): Promise<void> {
    return this.#queue.delivered(deliveries);
  }
}
