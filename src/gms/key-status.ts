/** What an operator sees of a group's keys and of their way to the members. No key octet. */
import type { Delivery, DeliveryRedirect } from './delivery.js';
import type { OwnKey, OwnKeyType, RollReason } from './own-key.js';

/** Members shown one by one. */
const MAX_PROBLEMS = 100;

export interface DeliveryCounts {
  readonly members: number;
  /** the message is not made yet */
  readonly waiting: number;
  /** made, and not taken yet */
  readonly made: number;
  readonly delivered: number;
  /** of those not delivered: how many failed at least once */
  readonly failing: number;
}

export interface KeyStatus {
  readonly keyId: string;
  readonly keyType: OwnKeyType;
  readonly state: 'pending' | 'active' | 'retiring' | 'revoked';
  readonly reason: RollReason;
  /** name of the order by which it was made */
  readonly order: string | null;
  readonly activation: string;
  readonly expiry: string | null;
  readonly retireAt: string | null;
  /** of the message that says what `state` is */
  readonly deliveries: DeliveryCounts;
}

export interface DeliveryProblem {
  readonly member: string;
  readonly partner: string;
  readonly keyId: string;
  readonly code: string;
  readonly status: number | null;
  readonly failures: number;
  readonly nextTry: string;
  readonly redirect: DeliveryRedirect | null;
}

/** A partner that is left alone for a while, with all that waits for its members. */
export interface UnreachedPartner {
  readonly partner: string;
  readonly code: string;
  readonly nextTry: string;
}

export interface GroupStatus {
  readonly group: string;
  readonly keys: readonly KeyStatus[];
  /** of those whose members wait for a key */
  readonly unreached: readonly UnreachedPartner[];
  /** the first hundred */
  readonly problems: readonly DeliveryProblem[];
}

/** How far new keys are on their way to the members. */
export interface RollProgress {
  readonly keys: readonly string[];
  readonly members: number;
  readonly made: number;
  readonly delivered: number;
  readonly failing: number;
  /** partners that are not reached */
  readonly unreached: readonly string[];
}

/** @param keyIds of the keys that were made */
export function progressOf(status: GroupStatus, keyIds: readonly string[]): RollProgress {
  const of = status.keys.filter(({ keyId }) => keyIds.includes(keyId));
  const sum = (field: 'members' | 'made' | 'delivered' | 'failing'): number =>
    of.reduce((total, { deliveries }) => total + deliveries[field], 0);
  return {
    keys: keyIds,
    members: sum('members'),
    made: sum('made'),
    delivered: sum('delivered'),
    failing: sum('failing'),
    unreached: status.unreached.map(({ partner }) => partner),
  };
}

export function statusOf(
  group: string,
  keys: readonly OwnKey[],
  deliveriesOf: (keyId: string) => readonly Delivery[],
  { now, unreached }: { readonly now: number; readonly unreached: readonly UnreachedPartner[] },
): GroupStatus {
  const current = (key: OwnKey): Delivery[] => {
    const says = key.revokedAt === null ? 'valid' : 'revoked';
    return deliveriesOf(key.keyId).filter((each) => each.says === says);
  };
  const open = keys.flatMap(current).filter(({ step }) => step !== 'delivered');
  const waiting = new Set(open.map(({ partner }) => partner));
  return {
    group,
    unreached: unreached.filter(({ partner }) => waiting.has(partner)),
    keys: keys.map((key) => ({
      keyId: key.keyId,
      keyType: key.keyType,
      state: stateOfKey(key, keys, now),
      reason: key.reason,
      order: key.order?.name ?? null,
      activation: key.activation.toISOString(),
      expiry: key.expiry?.toISOString() ?? null,
      retireAt: key.retireAt?.toISOString() ?? null,
      deliveries: countsOf(current(key)),
    })),
    problems: keys.flatMap(current).flatMap(problemOf).slice(0, MAX_PROBLEMS),
  };
}

function stateOfKey(key: OwnKey, keys: readonly OwnKey[], now: number): KeyStatus['state'] {
  if (key.revokedAt !== null) return 'revoked';
  if (now < key.activation.getTime()) return 'pending';
  const isFollowed = keys.some(
    (other) =>
      other.keyType === key.keyType &&
      other.revokedAt === null &&
      other.activation > key.activation &&
      now >= other.activation.getTime(),
  );
  return isFollowed ? 'retiring' : 'active';
}

function countsOf(deliveries: readonly Delivery[]): DeliveryCounts {
  const count = (step: Delivery['step']): number =>
    deliveries.filter((each) => each.step === step).length;
  return {
    members: deliveries.length,
    waiting: count('waiting'),
    made: count('made'),
    delivered: count('delivered'),
    failing: deliveries.filter(({ step, error }) => step !== 'delivered' && error !== null).length,
  };
}

function problemOf(delivery: Delivery): DeliveryProblem[] {
  const { step, error, member, partner, keyId, status, failures, notBefore, redirect } = delivery;
  if (step === 'delivered' || error === null) return [];
  const nextTry = new Date(notBefore).toISOString();
  return [{ member, partner, keyId, code: error, status, failures, nextTry, redirect }];
}
