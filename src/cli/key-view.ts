/** A key of the ring as commands show it: everything but its octets. */
import { toHex } from '../base/bytes.js';
import { stateOf } from '../keys/index.js';
import type { HeldKey } from '../keys/index.js';
import { printable } from './printable.js';

export interface KeyView {
  readonly keyId: string;
  readonly keyType: string;
  readonly partner: string;
  readonly state: string;
  readonly groups: readonly string[];
  readonly holders: readonly string[];
  readonly initiator: string;
  readonly activation: string;
  readonly expiry: string | null;
  /** T of the message that set what is held */
  readonly stamp: string;
  readonly sharedWithGateway: boolean;
  /** how many RANDs it came with */
  readonly rands: number;
  readonly source: string;
  readonly text: string;
  readonly policy: HeldKey['policy'];
}

const SHARED_WITH_GATEWAY = 2;

export function keyView(held: HeldKey, now: number): KeyView {
  return {
    keyId: toHex(held.keyId),
    keyType: held.keyType,
    partner: held.partner,
    state: stateOf(held, now),
    groups: held.groups,
    holders: held.holders,
    initiator: held.initiator,
    activation: held.activation.toISOString(),
    expiry: held.expiry?.toISOString() ?? null,
    stamp: held.stamp.toISOString(),
    sharedWithGateway: (held.status & SHARED_WITH_GATEWAY) !== 0,
    rands: 1 + held.otherRands.length,
    source: held.source,
    text: held.text,
    policy: held.policy,
  };
}

/** One line of a list. */
export function keyLine({ keyId, keyType, partner, state, groups }: KeyView): string {
  const names = groups.map(printable).join(' ') || '-';
  return `${keyId}  ${keyType.padEnd(5)}  ${state.padEnd(7)}  ${partner}  ${names}`;
}

/** The whole of one key. */
export function keyLines(view: KeyView): string[] {
  const { policy } = view;
  const roc = policy.roc === null ? 'no ROC' : `ROC in every ${policy.roc.rate}. packet`;
  return [
    `key           ${view.keyType} ${view.keyId}, ${view.state}`,
    `partner       ${view.partner}`,
    `groups        ${view.groups.map(printable).join(' ') || '(none)'}`,
    `received by   ${view.holders.map(printable).join(' ') || '(nobody)'}`,
    `signed by     ${printable(view.initiator)}`,
    `active        ${view.activation} to ${view.expiry ?? 'no end'}`,
    `as of         ${view.stamp}, ${view.source}`,
    `gateway       ${view.sharedWithGateway ? 'shared with a security gateway' : 'not marked as shared'}`,
    `RANDs         ${view.rands}`,
    `policy        ${policy.encryption}-${policy.keyLength * 8}, ${roc}`,
    `text          ${printable(view.text) || '-'}`,
  ];
}
