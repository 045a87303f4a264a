/**
 * From an MC call that is checked to the PBX: ports, the INVITE, the wait for the dialplan to hand
 * the channel over, and only then the armed media.
 */
import { SegyError } from '../../base/errors.js';
import type { ServerTransaction, SipRequest } from '../../sip/index.js';
import { setSdp, setSdpAndMcBodies } from '../messages/bodies.js';
import type { Call } from './call.js';
import type { CallKey } from './call-key.js';
import { CallMedia } from './call-media.js';
import { ownHost } from '../messages/contact.js';
import { callVariables } from './call-variables.js';
import type { EdgeContext } from './context.js';
import { openNegotiation } from './open-call.js';
import { buildRequest } from '../messages/dialog.js';
import type { GroupMedia } from '../groups/group-media.js';
import { requireSafeText } from '../messages/identity.js';
import { InviteRelay } from './invite-relay.js';
import { pbxTarget } from '../partners/next-hop.js';
import type { SessionModel } from '../sdp/sdp-model.js';
import { floorOf } from './floor-of-call.js';
import { wishesOfChannel } from '../push-to-talk/floor-wishes.js';
import { checkOuter } from '../sdp/sdp-rules.js';
import { clockRatesOf } from '../sdp/clock-rates.js';

/** What protects a call's media: a PCK, the keys of a group, or by policy nothing. */
export interface CallProtection {
  readonly key: CallKey | null;
  readonly group: GroupMedia | null;
}

/** Who calls whom on the PBX side, as user parts. */
export interface PbxParties {
  readonly from: string;
  readonly to: string;
}

/**
 * Carries a call of the outer side to the PBX; resolves when its media is armed.
 * @param onRetryLater the PBX asks the caller to try again, so that its key may come again
 */
export async function carryToPbx(
  context: EdgeContext,
  call: Call,
  uas: ServerTransaction,
  offer: SessionModel,
  protection: CallProtection,
  parties: PbxParties,
  onRetryLater: (media: CallMedia) => void = () => undefined,
): Promise<void> {
  const media = await allocate(call, protection);
  if (media === null) return;
  checkOuter(offer, media.at('outer').address);
  const negotiation = openNegotiation(call, media);
  const relay = new InviteRelay({
    call,
    composer: context.composer,
    negotiation,
    source: uas.source,
    released: false,
    onRetryLater: () => onRetryLater(media),
  });
  const invite = inviteToPbx(context, call, parties);
  const sdp = negotiation.offer('outer', offer);
  const { env, settings } = call.deps;
  if (settings.inner.mcBodies) setSdpAndMcBodies(invite, sdp, call.invite, env.random);
  else setSdp(invite, sdp);
  relay.start(invite, [pbxTarget(settings)]);
  await armWhenHandedOver(call, media, relay, clockRatesOf(offer.audio));
}

/** Ports for the call; null when it ended meanwhile. */
export async function allocate(
  call: Call,
  { key, group }: CallProtection,
): Promise<CallMedia | null> {
  try {
    const session = await call.deps.media.allocate({
      id: call.id,
      ...(call.outerInterface && { outerAddress: call.outerInterface.media.address }),
    });
    const floor = floorOf(call, session, group);
    const media = new CallMedia(session, key, call.deps.env.log, group, floor);
    if (!call.isLive()) {
      media.close();
      return null;
    }
    call.media = media;
    if (group !== null) group.onFailed = (error) => call.abort(error);
    media.watch(
      () => call.abort(new SegyError('SEGY_E_MEDIA_ENDED', 'the media worker ended')),
      (mki) => tellTalker(call, mki),
    );
    return media;
  } catch (error) {
    key?.wipe();
    group?.close();
    throw error;
  }
}

/** Tells the PBX and the log who is heard in a group call. */
function tellTalker(call: Call, mki: string): void {
  const { group } = call.media ?? {};
  const { channel } = call;
  if (group === undefined || group === null || channel === null || channel.gone) return;
  const talker = group.talkerOf(mki);
  call.talker = talker;
  call.deps.env.log.info('group.talker', { session: call.id, group: group.group.id, talker });
  channel
    .tell('segy_talker', {
      SEGY_TALKER: requireSafeText(talker, 'the talker'),
      SEGY_SESSION: call.id,
    })
    .catch((error: unknown) => {
      call.deps.env.log.debug('group.talker.failed', { session: call.id, reason: String(error) });
    });
}

function inviteToPbx(context: EdgeContext, call: Call, { from, to }: PbxParties): SipRequest {
  const { settings } = context.deps;
  const { address, port } = settings.pbx;
  const host = address.includes(':') ? `[${address}]` : address;
  const own = ownHost(settings, 'inner', pbxTarget(settings));
  const request = buildRequest({
    method: 'INVITE',
    cseq: context.composer.cseqOf(call.invite),
    callId: call.calleeCallId,
    from: `<sip:${from}@${own}>;tag=${call.calleeTag}`,
    to: `<sip:${to}@${host}>`,
    remoteTarget: `sip:${to}@${host}:${port}`,
    routeSet: [],
  });
  context.composer.passInitial(call, call.invite, request, pbxTarget(settings));
  request.headers.set('X-SeGy-Session', call.id);
  request.headers.set('X-SeGy-Call-Type', call.group === null ? 'private' : 'group');
  request.headers.set('X-SeGy-Caller', call.names.caller);
  request.headers.set('X-SeGy-Called', call.names.callee);
  request.headers.set('X-SeGy-Partner', call.partner.name);
  request.headers.set('X-SeGy-Priority', call.level);
  if (call.group !== null) request.headers.set('X-SeGy-Group', call.group);
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
  const { floor } = media;
  const [armed] = await Promise.all([
    media.arm(clockRates),
    channel.setVariables(callVariables(call, media)),
    floor === null ? null : wishesOfChannel(channel).then((wishes) => floor.wish(wishes)),
  ]);
  if (!armed || !call.isLive() || media.isClosed()) return;
  floor?.follow(channel);
  relay.release();
  await channel.proceed();
}
