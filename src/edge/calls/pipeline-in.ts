/**
 * A private call from an MC system to a radio user: from the INVITE on the outer side to the INVITE
 * to the PBX, and on to the armed media. Cheap checks first, keys last, and the PBX sees nothing
 * before the key is open (design: order of checks).
 */
import { SegyError } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import type { ServerTransaction } from '../../sip/index.js';
import type { Call } from './call.js';
import { CallKey } from './call-key.js';
import type { EdgeContext } from './context.js';
import type { ClientsPort } from '../ports/clients-port.js';
import { GROUP_SESSIONS, groupCallFromMc } from './group-in.js';
import { hostInDomains, readMcIdentity, type McIdentity } from '../messages/identity.js';
import { failFromMc, openCallFromMc, readInvite, type McInvite } from './mc-invite.js';
import type { SessionModel } from '../sdp/sdp-model.js';
import { demandsKey } from '../sdp/sdp-rules.js';
import { carryToPbx } from './to-pbx.js';

/** What an INVITE from outside asks for. */
interface PrivateCallRequest {
  readonly offer: SessionModel;
  readonly callee: { readonly identity: McIdentity; readonly pbx: string };
  /** `mcptt-calling-user-id`; null where there is none */
  readonly claimedCaller: McIdentity | null;
}

/** Starts a call for an INVITE that `partner` sent. Every refusal goes to its transaction. */
export function callFromMc(
  context: EdgeContext,
  uas: ServerTransaction,
  partner: PartnerConfig,
): void {
  const invite = readInvite(uas.request);
  if (GROUP_SESSIONS.has(invite.info.sessionType ?? '')) {
    groupCallFromMc(context, uas, partner, invite);
    return;
  }
  const asked = readPrivateCall(invite, context.deps.clients);
  checkProtection(asked, partner);
  const call = openCallFromMc(context, uas, partner);
  call.level = invite.info.level;
  carry(context, call, uas, asked).catch((error: unknown) => failFromMc(call, error));
}

/** Identities of the INVITE; no key is touched. */
function readPrivateCall(
  { offer, info, entry }: McInvite,
  clients: ClientsPort,
): PrivateCallRequest {
  if (info.sessionType !== 'private') {
    throw new SegyError('SEGY_E_CALL_TYPE', 'the INVITE does not ask for a private call');
  }
  const calleeUri = info.requestUri ?? entry;
  if (calleeUri === null) {
    throw new SegyError('SEGY_E_CALLEE_UNDETERMINED', 'the INVITE does not name one called user');
  }
  const identity = readMcIdentity(calleeUri, 'the called identity');
  const user = clients.byUri(identity.uri);
  if (user === undefined) {
    throw new SegyError('SEGY_E_UNKNOWN_CALLEE', 'the called identity is not represented here');
  }
  const claimedCaller =
    info.callingUserId === null ? null : readMcIdentity(info.callingUserId, 'the calling identity');
  return { offer, callee: { identity, pbx: user.pbx }, claimedCaller };
}

/** A call without a key passes only where policy allows it, and only for a user of the partner. */
function checkProtection(
  { offer, claimedCaller }: PrivateCallRequest,
  partner: PartnerConfig,
): void {
  if (offer.keyMessage !== null) return;
  if (partner.media.policy !== 'allow-clear' || demandsKey(offer)) {
    throw new SegyError('SEGY_E_KEY_REQUIRED', 'the INVITE carries no I_MESSAGE');
  }
  if (claimedCaller === null || !hostInDomains(claimedCaller.host, partner.domains)) {
    throw new SegyError('SEGY_E_IDENTITY_MISMATCH', 'the calling user is not one of the partner');
  }
}

async function carry(
  context: EdgeContext,
  call: Call,
  uas: ServerTransaction,
  asked: PrivateCallRequest,
): Promise<void> {
  const { key, caller } = await openKey(context, call, asked);
  if (!call.isLive()) {
    key?.wipe();
    return;
  }
  call.names = { caller: caller.uri, callee: asked.callee.identity.uri };
  const parties = { from: caller.user, to: asked.callee.pbx };
  await carryToPbx(context, call, uas, asked.offer, { key, group: null }, parties, (media) => {
    const unused = media.releaseKey();
    const callee = asked.callee.identity.uri;
    if (unused !== null) context.retryKeys.keep(call.dialogKey, { key: unused, caller, callee });
  });
}

/** The key and who is calling: the identity whose UID verified the signature, never a header. */
async function openKey(
  { retryKeys }: EdgeContext,
  call: Call,
  { offer, callee, claimedCaller }: PrivateCallRequest,
): Promise<{ key: CallKey | null; caller: McIdentity }> {
  const message = offer.keyMessage;
  if (message === null) {
    if (claimedCaller === null) {
      throw new SegyError('SEGY_E_IDENTITY_MISMATCH', 'nobody is named as calling');
    }
    return { key: null, caller: claimedCaller };
  }
  const kept = retryKeys.take(call.dialogKey, message, callee.identity.uri);
  if (kept !== null) return kept;
  const opened = await call.deps.clients.openPck({
    message,
    partner: call.partner,
    dialogKey: call.dialogKey,
    callee: callee.identity.uri,
    caller: claimedCaller?.uri ?? null,
    signal: call.stop.signal,
  });
  const key = CallKey.fromPeer(opened, message);
  try {
    return { key, caller: readMcIdentity(opened.initiatorUri, 'the calling identity') };
  } catch (error) {
    key.wipe();
    throw error;
  }
}
