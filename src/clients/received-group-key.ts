/** A group key that was opened, as the key ring holds it. */
import { SegyError } from '../base/errors.js';
import { STATUS_VALID } from '../keys/index.js';
import type { HeldKey } from '../keys/index.js';
import type { OpenedKey } from '../mikey/index.js';
import type { GroupPartner, TakeGroupKeyRequest } from './group-keys.js';

/**
 * @param gms identity whose UID verified the signature
 * @throws SegyError SEGY_E_NOT_GROUP_GMS, SEGY_E_IDENTITY_MISMATCH
 */
export function heldKeyOf(
  opened: OpenedKey,
  { partner, group, constituent = null }: TakeGroupKeyRequest,
  gms: string,
  now: number,
): HeldKey {
  const { keyParameters, timestamp } = opened;
  const status = keyParameters?.status ?? STATUS_VALID;
  const groups = groupsOf(keyParameters?.groups ?? [], group, partner, gms);
  const named = constituent === null ? groups : [...groups, constituent];
  const foreign = named.find((id) => !mayKey(gms, id, partner, { temporary: group, constituent }));
  if (foreign !== undefined) {
    throw new SegyError('SEGY_E_NOT_GROUP_GMS', `${gms} does not key the group ${foreign}`);
  }
  return {
    keyType: opened.keyType,
    keyId: opened.keyId,
    partner: partner.name,
    dialog: '',
    key: opened.key,
    rand: opened.rand,
    otherRands: [],
    initiator: gms,
    holders: [opened.responder.uri],
    groups,
    ...(constituent !== null && { constituents: [constituent] }),
    status: keyParameters?.revoked === true ? status & ~STATUS_VALID : status | STATUS_VALID,
    // Without an activation time: from now on, also where the sender's clock is a little ahead.
    activation: keyParameters?.activation ?? new Date(Math.min(timestamp.getTime(), now)),
    expiry: keyParameters?.expiry ?? null,
    stamp: timestamp,
    source: 'received',
    text: keyParameters?.text ?? '',
    policy: opened.policy,
  };
}

/**
 * A group with a GMS of its own is keyed by that one alone, any other by those of the partner; a
 * temporary group also by the GMS of the group that was regrouped into it.
 */
function mayKey(
  gms: string,
  id: string,
  partner: GroupPartner,
  regrouping: { readonly temporary: string | null; readonly constituent: string | null },
): boolean {
  const configured = partner.groups.find((group) => group.id === id);
  if (configured?.gms !== undefined) return configured.gms === gms;
  if (partner.gms.includes(gms)) return true;
  const { temporary, constituent } = regrouping;
  const isTemporary = configured === undefined && id === temporary && constituent !== null;
  return isTemporary && constituent !== id && mayKey(gms, constituent, partner, regrouping);
}

/**
 * The groups a key is for: those its parameters list, which are signed and sealed with it; else the
 * one that the transport names; else the only one that its GMS keys.
 * @throws SegyError SEGY_E_IDENTITY_MISMATCH when the transport contradicts the parameters
 */
function groupsOf(
  listed: readonly string[],
  named: string | null,
  { gms: partnerGms, groups }: GroupPartner,
  gms: string,
): readonly string[] {
  if (listed.length > 0) {
    if (named === null || listed.includes(named)) return listed;
    throw new SegyError('SEGY_E_IDENTITY_MISMATCH', `the key is not for the group ${named}`);
  }
  if (named !== null) return [named];
  const keyed = groups.filter((group) =>
    group.gms === undefined ? partnerGms.includes(gms) : group.gms === gms,
  );
  return keyed.length === 1 ? keyed.map(({ id }) => id) : [];
}
