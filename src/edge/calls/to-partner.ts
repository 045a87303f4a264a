/**
 * From a call that the PBX dialled to the partner: the PBX channel, the media armed before anything
 * leaves, the INVITE.
 */
import { toSegyError } from '../../base/errors.js';
import type { ServerTransaction, SipRequest } from '../../sip/index.js';
import { setSdpAndInfo } from '../messages/bodies.js';
import type { Call } from './call.js';
import { setServiceHeaders } from '../messages/contact.js';
import { callVariables } from './call-variables.js';
import type { EdgeContext } from './context.js';
import { openNegotiation } from './open-call.js';
import { buildRequest } from '../messages/dialog.js';
import { InviteRelay } from './invite-relay.js';
import { partnerTargets } from '../partners/next-hop.js';
import type { PbxChannel } from '../ports/pbx-port.js';
import type { SessionModel } from '../sdp/sdp-model.js';
import { allocate, type CallProtection } from './to-pbx.js';
import { clockRatesOf } from '../sdp/clock-rates.js';

/** Carries a call whose channel is attached to the partner, with `info` as its mcptt-info. */
export async function carryToPartner(
  context: EdgeContext,
  call: Call,
  uas: ServerTransaction,
  offer: SessionModel,
  protection: CallProtection,
  info: string,
): Promise<void> {
  const media = await allocate(call, protection);
  const { channel } = call;
  if (media === null || channel === null) return;
  if (call.partner.floor?.offer === true) await media.floor?.open();
  const [armed] = await Promise.all([
    media.arm(clockRatesOf(offer.audio)),
    channel.setVariables(callVariables(call, media)),
  ]);
  if (!armed || !call.isLive() || media.isClosed()) return;
  media.floor?.follow(channel);
  const negotiation = openNegotiation(call, media);
  const relay = new InviteRelay({
    call,
    composer: context.composer,
    negotiation,
    source: uas.source,
    released: true,
  });
  const invite = inviteToPartner(context, call);
  setSdpAndInfo(invite, negotiation.offer('inner', offer), info, call.deps.env.random);
  await call.deps.protection?.authenticate(call.partner, invite, call.names.caller);
  if (!call.isLive()) return;
  relay.start(invite, partnerTargets(call.partner, call.deps.addresses));
}

/** The channel that dials us; a call without one cannot be tied to anything and is refused. */
export async function findChannel(call: Call): Promise<PbxChannel> {
  const { pbx, settings } = call.deps;
  return pbx.outboundChannel({
    callId: call.callerCallId,
    timeoutMs: settings.limits.outboundChannelMs,
    signal: call.stop.signal,
  });
}

function inviteToPartner(context: EdgeContext, call: Call): SipRequest {
  const { settings } = context.deps;
  const { sip } = call.partner;
  const isGroup = call.group !== null;
  const requestUri = isGroup ? (sip.groupRequestUri ?? sip.requestUri) : sip.requestUri;
  const { answerMode } = call.partner.outgoing;
  const outer = call.outerInterface;
  const request = buildRequest({
    method: 'INVITE',
    cseq: context.composer.cseqOf(call.invite),
    callId: call.calleeCallId,
    from: `<${settings.outer.identity}>;tag=${call.calleeTag}`,
    to: `<${requestUri}>`,
    remoteTarget: requestUri,
    routeSet: [],
  });
  const way = {
    protocol: outer?.protocol ?? 'tls',
    address: '',
    ...(outer && { via: [outer.name] }),
  };
  context.composer.passInitial(call, call.invite, request, way);
  setServiceHeaders(request, settings.outer.identity);
  if (answerMode !== null && !isGroup) request.headers.set('Answer-Mode', answerMode);
  return request;
}

/** Tells the dialplan why, then the PBX; a missing channel is this side's 503, not a 480. */
export function refuseToPbx(call: Call, error: unknown): void {
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
