/**
 * A private call from a radio user to an MC system: from the PBX's INVITE on the inner side to the
 * INVITE to the partner. The PBX channel is found first; without it no key is made and no packet
 * passes. The media is armed before the INVITE leaves.
 */
import { SegyError } from '../../base/errors.js';
import { parseNameAddr, parseSipUri, userText, normaliseHost } from '../../sip/index.js';
import type { ServerTransaction, SipRequest } from '../../sip/index.js';
import { SDP_TYPE, bodyOf, contentOf } from '../messages/bodies.js';
import type { Call } from './call.js';
import type { RadioUser } from '../ports/clients-port.js';
import { CallKey } from './call-key.js';
import type { EdgeContext } from './context.js';
import { openCall } from './open-call.js';
import { requireGroups, type EdgeDependencies } from '../dependencies.js';
import { mayBeClear } from './group-in.js';
import { withMembers } from '../groups/group-documents-port.js';
import { GroupMedia } from '../groups/group-media.js';
import { wishesOfRequest } from '../push-to-talk/floor-wishes.js';
import { requireSafeUser } from '../messages/identity.js';
import { writeGroupCallInfo, writePrivateCallInfo } from '../messages/mcptt-info.js';
import { resolveOutgoing, resolveOutgoingGroup, type OutgoingGroup } from './route-out.js';
import type { SessionModel } from '../sdp/sdp-model.js';
import { checkInner, requireAudio } from '../sdp/sdp-rules.js';
import { readSdp } from '../sdp/sdp-read.js';
import { carryToPartner, findChannel, refuseToPbx } from './to-partner.js';

/** Starts a call for an INVITE of the PBX. Every refusal goes to its transaction. */
export function callFromPbx(context: EdgeContext, uas: ServerTransaction): void {
  const { deps } = context;
  const { request } = uas;
  const dialled = resolveOutgoingGroup(request.uri, deps.partners, deps.homeGroups);
  if (dialled !== undefined) {
    groupCallFromPbx(context, uas, dialled);
    return;
  }
  const caller = representedCaller(request, (user) => deps.clients.byPbxUser(user));
  const { partner, uri } = resolveOutgoing(request.uri, deps.partners);
  const offer = readOffer(deps, request);
  const call = openCall(context, uas, 'inner', partner);
  call.names = { caller: caller.uri, callee: uri };
  call.level = wishesOfRequest(request).level;
  call.dialogKey = `${call.calleeCallId};${call.calleeTag}`;
  carry(context, call, uas, caller, offer).catch((error: unknown) => refuseToPbx(call, error));
}

/** A group is spoken to by its configured speaker, whoever dialled it; else by the calling radio. */
function groupCallFromPbx(
  context: EdgeContext,
  uas: ServerTransaction,
  dialled: OutgoingGroup,
): void {
  const { deps } = context;
  const { request } = uas;
  const meant = groupMeant(deps, dialled);
  const speaker =
    meant.group.speaker ?? representedCaller(request, (user) => deps.clients.byPbxUser(user)).uri;
  const offer = readOffer(deps, request);
  const group = groupMediaFor(deps, meant, speaker);
  const call = openCall(context, uas, 'inner', meant.partner);
  call.names = { caller: speaker, callee: meant.group.id };
  call.group = meant.group.id;
  call.level = wishesOfRequest(request).level;
  call.dialogKey = `${call.calleeCallId};${call.calleeTag}`;
  carryGroup(context, call, uas, offer, group).catch((error: unknown) => refuseToPbx(call, error));
}

/** The temporary group that the dialled one is regrouped into, where its settings want that; else itself. */
function groupMeant(deps: EdgeDependencies, dialled: OutgoingGroup): OutgoingGroup {
  const { partner, group } = dialled;
  if (group.whenRegrouped === 'own') return dialled;
  const [id] = requireGroups(deps).temporaryGroupsOf(partner.name, group.id);
  return id === undefined ? dialled : { partner, group: { ...group, id } };
}

/** @throws SegyError SEGY_E_OFFER_REQUIRED, SEGY_E_SIP_SYNTAX, SEGY_E_MEDIA, SEGY_E_MEDIA_ADDRESS */
function readOffer({ settings }: EdgeDependencies, request: SipRequest): SessionModel {
  const sdp = contentOf(bodyOf(request), SDP_TYPE);
  if (sdp === null) throw new SegyError('SEGY_E_OFFER_REQUIRED', 'the INVITE has no SDP offer');
  const offer = readSdp(sdp);
  requireAudio(offer);
  checkInner(offer, new Set(settings.allowedMediaAddresses.map(normaliseHost)));
  return offer;
}

/** The represented user behind the inner From. @throws SegyError SEGY_E_UNKNOWN_CALLER */
function representedCaller(
  request: SipRequest,
  find: (user: string) => RadioUser | undefined,
): RadioUser {
  const { uri } = parseNameAddr(request.headers.get('From') ?? '');
  const user = userText(parseSipUri(uri)) ?? '';
  const caller = user === '' ? undefined : find(requireSafeUser(user, 'the calling user'));
  if (caller === undefined) {
    throw new SegyError('SEGY_E_UNKNOWN_CALLER', 'the inner From names no represented user');
  }
  return caller;
}

async function carry(
  context: EdgeContext,
  call: Call,
  uas: ServerTransaction,
  caller: RadioUser,
  offer: SessionModel,
): Promise<void> {
  const { clients } = call.deps;
  const channel = await findChannel(call);
  if (!call.isLive()) return;
  call.attach(channel);
  const made = await clients.makePck({
    caller,
    calleeUri: call.names.callee,
    partner: call.partner,
    dialogKey: call.dialogKey,
    signal: call.stop.signal,
  });
  const key = CallKey.fromOurs(made);
  if (!call.isLive()) {
    key.wipe();
    return;
  }
  const info = writePrivateCallInfo(call.names.callee, call.names.caller, call.level);
  await carryToPartner(context, call, uas, offer, { key, group: null }, info);
}

/** A call into a group: sent under the group's GMK as the speaker that is configured, or the caller. */
async function carryGroup(
  context: EdgeContext,
  call: Call,
  uas: ServerTransaction,
  offer: SessionModel,
  group: GroupMedia | null,
): Promise<void> {
  const channel = await findChannel(call);
  if (!call.isLive()) return;
  call.attach(channel);
  const info = writeGroupCallInfo(call.names.callee, call.names.caller, call.level);
  await carryToPartner(context, call, uas, offer, { key: null, group }, info);
}

/** What protects a call into `group`. @throws SegyError SEGY_E_NO_GROUP_KEY */
function groupMediaFor(
  deps: EdgeDependencies,
  { partner, group }: OutgoingGroup,
  speaker: string,
): GroupMedia | null {
  const groups = requireGroups(deps);
  if (mayBeClear(deps, groups, partner, group)) return null;
  const canSend = groups.sendingKey(partner.name, group.id, speaker) !== undefined;
  if (!canSend && group.withoutKey === 'refuse') {
    throw new SegyError('SEGY_E_NO_GROUP_KEY', `${speaker} holds no usable GMK of ${group.id}`);
  }
  const named = withMembers(deps.documents, partner, group);
  const { log } = deps.env;
  return new GroupMedia({ groups, log, partner: partner.name, group: named, speaker });
}
