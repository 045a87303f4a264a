/** What follows from a group and its keys, without doing anything. */
import { fromHex } from '../base/bytes.js';
import { STATUS_VALID } from '../keys/index.js';
import type { HeldKey } from '../keys/index.js';
import { defaultPolicy } from '../mikey/index.js';
import { type Delivery, type DeliveryTarget, newDelivery } from './delivery.js';
import { type Group, memberOf } from './group.js';
import type { OwnKey, OwnKeyType } from './own-key.js';

const STATUS_SHARED_WITH_GATEWAY = 2;

/** Whether the group has keys of this type: a GMK for its media, an MKFC for multicast floor control. */
export function hasKey(group: Group, type: OwnKeyType): boolean {
  return type === 'GMK' ? group.protectMedia : group.multicastFloorControl;
}

/** Members who are keyed by message; our own radio users have the key here. */
export function outsideMembers(group: Group): Group['members'] {
  return group.members.filter(({ partner }) => partner !== '');
}

/** Our own identities that send under the group's keys. */
export function holdersOf(group: Group): string[] {
  const own = group.members.filter(({ partner }) => partner === '').map(({ uri }) => uri);
  return [...new Set(group.speaker === null ? own : [...own, group.speaker])];
}

/** The deliveries by which a key reaches every member, or those members that lack one. */
export function deliveriesOfKey(
  { group: id, keyId }: OwnKey,
  group: Group,
  lacks: (wanted: DeliveryTarget) => boolean = () => true,
): Delivery[] {
  const deliveries: Delivery[] = [];
  for (const { uri: member, partner, kmsUri } of outsideMembers(group)) {
    const wanted = { group: id, keyId, says: 'valid', member, partner, kmsUri } as const;
    if (lacks(wanted)) deliveries.push(newDelivery(wanted));
  }
  return deliveries;
}

/** The delivery that takes back what `given` gave. */
export function revocationOf(given: Delivery): Delivery {
  const { group, keyId, member, partner, kmsUri } = given;
  return newDelivery({ group, keyId, says: 'revoked', member, partner, kmsUri });
}

export function isMember(group: Group, uri: string): boolean {
  return memberOf(group, uri)?.uri === uri;
}

/** Whether a key that was given so is known to somebody who is a member no more, or not of that domain. */
export function isLost(key: OwnKey, given: readonly Delivery[], group: Group): boolean {
  const homes = new Map(
    group.members.map(({ uri, partner, kmsUri }) => [uri, { partner, kmsUri }]),
  );
  const isElsewhere = ({ member, partner, kmsUri }: Delivery): boolean => {
    const home = homes.get(member);
    return home?.partner !== partner || home.kmsUri !== kmsUri;
  };
  const holders = new Set(holdersOf(group));
  return given.some(isElsewhere) || key.holders.some((uri) => !holders.has(uri));
}

/** Whether a delivery is still right to make: asked again at the moment a message leaves. */
export function isWanted(
  { says, member, partner, kmsUri }: Delivery,
  key: OwnKey | undefined,
  group: Group | undefined,
): boolean {
  if (key === undefined || (says === 'valid') !== (key.revokedAt === null)) return false;
  if (group === undefined) return says === 'revoked';
  const found = memberOf(group, member);
  return found?.uri === member && found.partner === partner && found.kmsUri === kmsUri;
}

export function hasExpired({ expiry }: OwnKey, now: number): boolean {
  return expiry !== null && now >= expiry.getTime();
}

/** When a successor is due, in milliseconds since 1970: at its age, and before its own end. */
export function rollAt(
  { activation, expiry }: OwnKey,
  times: { readonly rollSeconds: number | null; readonly activationSeconds: number },
): number {
  const { rollSeconds, activationSeconds } = times;
  const byAge = rollSeconds === null ? Infinity : activation.getTime() + 1000 * rollSeconds;
  const end = expiry === null ? Infinity : expiry.getTime() - 1000 * activationSeconds;
  return Math.min(byAge, end);
}

/** The key as our own ring holds it under a partner's name, `initiator` being our GMS. */
export function heldKeyOf(key: OwnKey, partner: string, initiator: string): HeldKey {
  const { revokedAt, madeAt } = key;
  const stamp = revokedAt === null ? +madeAt : Math.max(+madeAt, +revokedAt) + 1;
  return {
    keyType: key.keyType,
    keyId: fromHex(key.keyId),
    partner,
    dialog: '',
    key: key.key,
    rand: key.rand,
    otherRands: [],
    initiator,
    holders: key.holders,
    groups: [key.group],
    status: (revokedAt === null ? STATUS_VALID : 0) | STATUS_SHARED_WITH_GATEWAY,
    activation: key.activation,
    expiry: key.expiry,
    stamp: new Date(stamp),
    source: 'made',
    text: '',
    policy: defaultPolicy(key.keyType),
  };
}
