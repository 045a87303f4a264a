/**
 * A private call from a radio user to an MC system: from the PBX's INVITE on the inner side to the
 * INVITE to the partner. The PBX channel is found first; without it no key is made and no packet
 * passes. The media is armed before the INVITE leaves.
 */
import { SegyError, toSegyError } from '../base/errors.js';
import { parseNameAddr, parseSipUri, userText } from '../sip/index.js';
import type { ServerTransaction, SipRequest } from '../sip/index.js';
import { SDP_TYPE, bodyOf, contentOf, setSdpAndInfo } from './bodies.js';
import { canonicalAddress } from './admission.js';
import type { Call } from './call.js';
import type { RadioUser } from './clients-port.js';
import { CallKey } from './call-key.js';
import { ownContact, setServiceHeaders } from './contact.js';
import { callVariables, openCall, openNegotiation, type EdgeContext } from './context.js';
import { buildRequest } from './dialog.js';
import { requireSafeUser } from './identity.js';
import { InviteRelay } from './invite-relay.js';
import { writePrivateCallInfo } from './mcptt-info.js';
import { partnerTargets } from './next-hop.js';
import { allocate } from './pipeline-in.js';
import type { PbxChannel } from './ports.js';
import { resolveOutgoing } from './route-out.js';
import type { SessionModel } from './sdp-model.js';
import { checkInner, requireAudio } from './sdp-rules.js';
import { readSdp } from './sdp-read.js';
import { clockRatesOf } from './translate.js';

/** Starts a call for an INVITE of the PBX. Every refusal goes to its transaction. */
export function callFromPbx(context: EdgeContext, uas: ServerTransaction): void {
  const { deps } = context;
  const { request } = uas;
  const caller = representedCaller(request, (user) => deps.clients.byPbxUser(user));
  const { partner, uri } = resolveOutgoing(request.uri, deps.partners);
  const sdp = contentOf(bodyOf(request), SDP_TYPE);
  if (sdp === null) throw new SegyError('SEGY_E_OFFER_REQUIRED', 'the INVITE has no SDP offer');
  const offer = readSdp(sdp);
  requireAudio(offer);
  checkInner(offer, new Set(deps.settings.allowedMediaAddresses.map(canonicalAddress)));
  const call = openCall(context, uas, 'inner', partner);
  call.names = { caller: caller.uri, callee: uri };
  call.dialogKey = `${call.calleeCallId};${call.calleeTag}`;
  carry(context, call, uas, caller, offer).catch((error: unknown) => refuse(call, error));
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
  const media = await allocate(call, key);
  if (media === null) return;
  const [armed] = await Promise.all([
    media.arm(clockRatesOf(offer)),
    channel.setVariables(callVariables(call, key.keyId)),
  ]);
  if (!armed || !call.isLive() || media.isClosed()) return;
  const negotiation = openNegotiation(call, media);
  const relay = new InviteRelay({
    call,
    composer: context.composer,
    negotiation,
    source: uas.source,
    released: true,
  });
  const invite = inviteToPartner(context, call);
  const info = writePrivateCallInfo(call.names.callee, call.names.caller);
  setSdpAndInfo(invite, negotiation.offer('inner', offer), info, call.deps.env.random);
  relay.start(invite, partnerTargets(call.partner));
}

/** The channel that dials us; a call without one cannot be tied to anything and is refused. */
async function findChannel(call: Call): Promise<PbxChannel> {
  const { pbx, settings } = call.deps;
  return pbx.outboundChannel({
    callId: call.callerCallId,
    timeoutMs: settings.limits.outboundChannelMs,
    signal: call.stop.signal,
  });
}

function inviteToPartner(context: EdgeContext, call: Call): SipRequest {
  const { settings } = context.deps;
  const { requestUri } = call.partner.sip;
  const { answerMode } = call.partner.outgoing;
  const transport = partnerTargets(call.partner)[0]?.protocol ?? 'tls';
  const request = buildRequest({
    method: 'INVITE',
    cseq: context.composer.cseqOf(call.invite),
    callId: call.calleeCallId,
    from: `<${settings.outer.identity}>;tag=${call.calleeTag}`,
    to: `<${requestUri}>`,
    remoteTarget: requestUri,
    routeSet: [],
  });
  context.composer.passInitial(call, call.invite, request, transport);
  request.headers.set('Contact', ownContact(settings, 'outer', transport, 'caller'));
  setServiceHeaders(request, settings.outer.identity);
  if (answerMode !== null) request.headers.set('Answer-Mode', answerMode);
  return request;
}

/** Tells the dialplan why, then the PBX; a missing channel is this side's 503, not a 480. */
function refuse(call: Call, error: unknown): void {
  const refusal = toSegyError(error);
  const status = refusal.code === 'SEGY_E_PBX_NO_CHANNEL' ? 503 : refusal.sipStatus;
  const { channel } = call;
  if (channel === null || channel.gone) {
    call.abort(refusal, status);
    return;
  }
  channel
    .setVariables({ SEGY_STATUS: 'REFUSED', SEGY_CODE: refusal.code })
    .catch(() => undefined)
    .finally(() => call.abort(refusal, status));
}
