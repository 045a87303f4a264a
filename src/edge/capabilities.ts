/** What the edge answers to OPTIONS outside a dialog (RFC 3261 clause 11.2). */
import type { PartnerConfig } from '../config/index.js';
import type { ServerTransaction, SipResponse } from '../sip/index.js';
import { SDP_TYPE } from './messages/bodies.js';
import { ownContact } from './messages/contact.js';
import type { EdgeDependencies, Side } from './dependencies.js';
import { wayOf } from './interfaces.js';
import { MCPTT_INFO_TYPE } from './messages/mcptt-info.js';
import { methodsFor, type MethodsKnown } from './methods.js';
import type { Refusals } from './messages/refusal.js';

/** @param partner who asks; undefined for the PBX */
export function capabilities(
  deps: MethodsKnown & Pick<EdgeDependencies, 'settings'>,
  refusals: Refusals,
  side: Side,
  uas: ServerTransaction,
  partner: PartnerConfig | undefined,
): SipResponse {
  const response = refusals.plain(uas.request, 200);
  response.headers.set('Allow', methodsFor(deps, side, partner).join(', '));
  response.headers.set('Accept', `${SDP_TYPE}, ${MCPTT_INFO_TYPE}, multipart/mixed`);
  // an INVITE of the MC side takes no call over
  response.headers.set('Supported', side === 'inner' ? '100rel, timer, replaces' : '100rel, timer');
  response.headers.set('Contact', ownContact(deps.settings, side, wayOf(uas.source), 'focus'));
  return response;
}
