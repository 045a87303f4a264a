/** The two dialogs of a fork, from the INVITE as it came, as it was sent, and one response. */
import { toHex } from '../../base/bytes.js';
import {
  formatNameAddr,
  parseCSeq,
  parseNameAddr,
  tagOf,
  type SipRequest,
  type SipResponse,
  type SipSource,
  type SipTarget,
} from '../../sip/index.js';
import type { Call } from './call.js';
import { contactUri, Dialog, routeSetOf } from '../messages/dialog.js';
import { nextHop, peerHosts, peerTarget } from '../partners/next-hop.js';

/** Our dialog with the callee that answered `request` with `response`. */
export function calleeDialog(
  call: Call,
  request: SipRequest,
  target: SipTarget,
  response: SipResponse,
): Dialog {
  const routeSet = routeSetOf(response, true);
  const remoteTarget = contactUri(response) ?? request.uri;
  const hosts = peerHosts(call.calleeSide, call.partner, call.deps);
  const dialog = new Dialog({
    side: call.calleeSide,
    callId: call.calleeCallId,
    localTag: call.calleeTag,
    remoteTag: tagOf(response.headers.get('To') ?? '') ?? '',
    local: withoutTag(request.headers.get('From') ?? ''),
    remote: request.headers.get('To') ?? '',
    routeSet,
    remoteTarget,
    target: nextHop(target, hosts, routeSet, remoteTarget),
  });
  dialog.highestSent = cseqOf(request);
  return dialog;
}

/** Our dialog with the caller, under `localTag` or, for a further fork, a new one. */
export function callerDialog(call: Call, source: SipSource, localTag: string | null): Dialog {
  const { invite } = call;
  const { env } = call.deps;
  const from = invite.headers.get('From') ?? '';
  const routeSet = routeSetOf(invite, false);
  const remoteTarget = contactUri(invite) ?? invite.uri;
  const peer = peerTarget(call.callerSide, source, call.partner, call.deps);
  const hosts = peerHosts(call.callerSide, call.partner, call.deps);
  const dialog = new Dialog({
    side: call.callerSide,
    callId: call.callerCallId,
    localTag: localTag ?? toHex(env.random(8)),
    remoteTag: tagOf(from) ?? '',
    local: withoutTag(invite.headers.get('To') ?? ''),
    remote: withoutTag(from),
    routeSet,
    remoteTarget,
    target: nextHop(peer, hosts, routeSet, remoteTarget),
  });
  dialog.highestReceived = cseqOf(invite);
  return dialog;
}

function cseqOf(request: SipRequest): number {
  return parseCSeq(request.headers.get('CSeq') ?? '').number;
}

/** A From or To value without its tag. */
function withoutTag(value: string): string {
  const address = parseNameAddr(value);
  address.params.delete('tag');
  return formatNameAddr(address);
}
