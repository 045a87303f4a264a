/** How a call begins, whichever side it comes from: its record, and the state of its offers and answers. */
import { toHex } from '../../base/bytes.js';
import { SegyError } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import type { ServerTransaction } from '../../sip/index.js';
import type { EdgeDependencies, Side } from '../dependencies.js';
import { interfaceFor, wayOf, type OuterInterface } from '../interfaces.js';
import { partnerTargets } from '../partners/next-hop.js';
import { outletTo } from '../partners/protected.js';
import { SdpSide, type KeyAttribute } from '../sdp/sdp-side.js';
import { Call } from './call.js';
import type { CallMedia } from './call-media.js';
import { directionOf } from './call-view.js';
import type { EdgeContext } from './context.js';
import { Negotiation } from './negotiation.js';

/**
 * A new call for the INVITE of `uas`, registered.
 * @throws SegyError SEGY_E_BUSY at the limit of calls, SEGY_E_PBX_DOWN without a control link
 */
export function openCall(
  context: EdgeContext,
  uas: ServerTransaction,
  callerSide: Side,
  partner: PartnerConfig,
): Call {
  const { deps, registry } = context;
  if (!deps.pbx.linked) throw new SegyError('SEGY_E_PBX_DOWN', 'there is no link to the PBX');
  if (registry.size >= deps.settings.limits.calls) {
    throw new SegyError('SEGY_E_BUSY', 'the gateway carries all the calls it may');
  }
  if (registry.countOf(partner.name) >= partner.limits.calls) {
    throw new SegyError('SEGY_E_BUSY', 'the partner has all the calls it may');
  }
  const call = new Call({
    id: newCallId(deps),
    callerSide,
    partner,
    uas,
    outerInterface: outerInterfaceOf(deps, uas, callerSide, partner),
    deps: { ...deps, outer: outletTo(deps, partner) },
    refusals: context.refusals,
    onEnded: context.onEnded,
  });
  registry.add(call, call.callerCallId);
  call.calleeCallId = newCallId(deps);
  registry.addCallee(call);
  deps.env.metrics.gauge('segy_calls', registry.size);
  const outer = callerSide === 'outer';
  deps.env.log.info('call.opened', {
    session: call.id,
    partner: partner.name,
    direction: directionOf(call),
    outerCallId: outer ? call.callerCallId : call.calleeCallId,
    innerCallId: outer ? call.calleeCallId : call.callerCallId,
  });
  return call;
}

/** Where the call comes in, or by which it will leave. */
function outerInterfaceOf(
  deps: EdgeDependencies,
  uas: ServerTransaction,
  callerSide: Side,
  partner: PartnerConfig,
): OuterInterface | undefined {
  const { interfaces } = deps.settings.outer;
  if (callerSide === 'outer') return interfaceFor(interfaces, wayOf(uas.source));
  const [target] = partnerTargets(partner, deps.addresses);
  return target === undefined ? interfaces[0] : interfaceFor(interfaces, target);
}

/** 128 random bits in hex: as Call-ID it names no host, as session ID it cannot be guessed. */
function newCallId(deps: EdgeDependencies): string {
  return toHex(deps.env.random(16));
}

/** Offer/answer state of a call with its media allocated and no dialog yet. */
export function openNegotiation(call: Call, media: CallMedia): Negotiation {
  const { env } = call.deps;
  const outer = media.at('outer');
  const advertised = call.outerInterface?.media.advertised;
  const sessionId = (): string => String(new DataView(env.random(4).buffer).getUint32(0));
  return new Negotiation(
    media,
    {
      outer: new SdpSide(sessionId(), { ...outer, address: advertised ?? outer.address }),
      inner: new SdpSide(sessionId(), media.at('inner')),
    },
    () => keyForOffer(call, media),
  );
}

/** Our offers repeat our own I_MESSAGE; the peer's only where its profile asks for it. */
function keyForOffer(call: Call, media: CallMedia): KeyAttribute | null {
  const { key } = media;
  const { keyMgmtLevel, repeatKeyWhenPeerMadeIt } = call.partner.outgoing;
  if (key === null || (key.maker === 'peer' && !repeatKeyWhenPeerMadeIt)) return null;
  return { level: keyMgmtLevel, message: key.message };
}
