/**
 * A private call from an MC system to a radio user: from the INVITE on the outer side to the INVITE
 * to the PBX, and on to the armed media. Cheap checks first, keys last, and the PBX sees nothing
 * before the key is open (design: order of checks).
 */
import { SegyError, toSegyError } from '../base/errors.js';
import type { PartnerConfig } from '../config/index.js';
import { tagOf, type ServerTransaction, type SipRequest } from '../sip/index.js';
import { bodyOf, contentOf, SDP_TYPE, setSdp } from './bodies.js';
import type { Call } from './call.js';
import { CallKey } from './call-key.js';
import { CallMedia } from './call-media.js';
import { ownContact, ownHost } from './contact.js';
import { callVariables, openCall, openNegotiation, type EdgeContext } from './context.js';
import type { ClientsPort } from './clients-port.js';
import { buildRequest } from './dialog.js';
import { hostInDomains, readMcIdentity, type McIdentity } from './identity.js';
import { InviteRelay } from './invite-relay.js';
import {
  MCPTT_INFO_TYPE,
  readMcpttInfo,
  readSingleEntry,
  RESOURCE_LISTS_TYPE,
} from './mcptt-info.js';
import { pbxTarget } from './next-hop.js';
import type { SessionModel } from './sdp-model.js';
import { checkOuter, demandsKey, requireAudio } from './sdp-rules.js';
import { readSdp } from './sdp-read.js';
import { clockRatesOf } from './translate.js';

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
  const asked = readPrivateCall(uas.request, context.deps.clients);
  checkProtection(asked, partner);
  const call = openCall(context, uas, 'outer', partner);
  const tag = tagOf(uas.request.headers.get('From') ?? '') ?? '';
  call.dialogKey = `${call.callerCallId};${tag}`;
  carry(context, call, uas, asked).catch((error: unknown) => {
    // a command to a channel that has ended says less than the PBX's own response, which follows
    if (call.channel?.gone !== true) call.abort(toSegyError(error));
  });
}

/** Syntax and identities of the INVITE; no key is touched. */
function readPrivateCall(invite: SipRequest, clients: ClientsPort): PrivateCallRequest {
  const body = bodyOf(invite);
  const sdp = contentOf(body, SDP_TYPE);
  if (sdp === null) {
    throw new SegyError('SEGY_E_OFFER_REQUIRED', 'the INVITE has no SDP offer');
  }
  const offer = readSdp(sdp);
  checkOuter(offer, null);
  if (requireAudio(offer).port === 0) {
    throw new SegyError('SEGY_E_MEDIA', 'the offered audio stream has port 0');
  }
  const xml = contentOf(body, MCPTT_INFO_TYPE);
  const info = xml === null ? null : readMcpttInfo(xml);
  if (info?.sessionType !== 'private') {
    throw new SegyError('SEGY_E_CALL_TYPE', 'the INVITE does not ask for a private call');
  }
  const list = contentOf(body, RESOURCE_LISTS_TYPE);
  const calleeUri = info.requestUri ?? (list === null ? null : readSingleEntry(list));
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
  const media = await allocate(call, key);
  if (media === null) return;
  checkOuter(asked.offer, media.at('outer').address);
  const negotiation = openNegotiation(call, media);
  const relay = new InviteRelay({
    call,
    composer: context.composer,
    negotiation,
    source: uas.source,
    released: false,
    onRetryLater: () => {
      const unused = media.releaseKey();
      const callee = asked.callee.identity.uri;
      if (unused !== null) context.retryKeys.keep(call.dialogKey, { key: unused, caller, callee });
    },
  });
  const invite = inviteToPbx(context, call, caller, asked.callee.pbx);
  setSdp(invite, negotiation.offer('outer', asked.offer));
  relay.start(invite, [pbxTarget(call.deps.settings)]);
  await armWhenHandedOver(call, media, relay, clockRatesOf(asked.offer));
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

/** Ports for the call; null when it ended meanwhile. */
export async function allocate(call: Call, key: CallKey | null): Promise<CallMedia | null> {
  try {
    const session = await call.deps.media.allocate({ id: call.id });
    const media = new CallMedia(session, key, call.deps.env.log);
    if (!call.isLive()) {
      media.close();
      return null;
    }
    call.media = media;
    media.watch(() => call.abort(new SegyError('SEGY_E_MEDIA_ENDED', 'the media worker ended')));
    return media;
  } catch (error) {
    key?.wipe();
    throw error;
  }
}

function inviteToPbx(
  context: EdgeContext,
  call: Call,
  caller: McIdentity,
  pbxUser: string,
): SipRequest {
  const { settings } = context.deps;
  const { address, port, transport } = settings.pbx;
  const host = address.includes(':') ? `[${address}]` : address;
  const own = ownHost(settings, 'inner', transport);
  const request = buildRequest({
    method: 'INVITE',
    cseq: context.composer.cseqOf(call.invite),
    callId: call.calleeCallId,
    from: `<sip:${caller.user}@${own}>;tag=${call.calleeTag}`,
    to: `<sip:${pbxUser}@${host}>`,
    remoteTarget: `sip:${pbxUser}@${host}:${port}`,
    routeSet: [],
  });
  context.composer.passInitial(call, call.invite, request, transport);
  request.headers.set('Contact', ownContact(settings, 'inner', transport, 'caller'));
  request.headers.set('X-SeGy-Session', call.id);
  request.headers.set('X-SeGy-Call-Type', 'private');
  request.headers.set('X-SeGy-Caller', call.names.caller);
  request.headers.set('X-SeGy-Called', call.names.callee);
  request.headers.set('X-SeGy-Partner', call.partner.name);
  return request;
}

/** Waits for the dialplan to hand the channel over, arms the media, and lets the dialplan go on. */
async function armWhenHandedOver(
  call: Call,
  media: CallMedia,
  relay: InviteRelay,
  clockRates: Readonly<Record<number, number>>,
): Promise<void> {
  const { pbx, settings } = call.deps;
  const timeoutMs = settings.limits.setupMs;
  const late = new SegyError('SEGY_E_PBX_NO_CHANNEL', 'the dialplan did not hand the call over');
  call.later(timeoutMs, () => {
    if (!relay.released) call.abort(late);
  });
  const channel = await pbx.inboundChannel({
    callId: call.calleeCallId,
    sessionId: call.id,
    timeoutMs,
    signal: call.stop.signal,
  });
  if (!call.isLive()) {
    await channel.hangup();
    return;
  }
  call.attach(channel);
  const [armed] = await Promise.all([
    media.arm(clockRates),
    channel.setVariables(callVariables(call, media.key?.keyId ?? null)),
  ]);
  if (!armed || !call.isLive() || media.isClosed()) return;
  relay.release();
  await channel.proceed();
}
