/**
 * Messages towards one side made from messages of the other: headers that may pass, and ours.
 */
import {
  createResponse,
  parseCSeq,
  parseMaxForwards,
  type SipRequest,
  type SipResponse,
} from '../../sip/index.js';
import type { Call } from './call.js';
import type { CallRegistry } from './call-registry.js';
import { ownContact, ownHost, type OuterRole } from '../messages/contact.js';
import { otherSide, type Side } from '../dependencies.js';
import type { Dialog } from '../messages/dialog.js';
import type { PeerWay } from '../interfaces.js';
import { methodsWith, takesTransfers, TRANSFER_METHODS } from '../messages/methods.js';
import { passHeaders, type HeaderContext } from '../messages/pass-headers.js';

const DEFAULT_HOPS = 70;

export class Composer {
  readonly #registry: CallRegistry;

  constructor(registry: CallRegistry) {
    this.#registry = registry;
  }

  /** How header values of `from` are written for the other side, over `dialog` there. */
  wording(call: Call, from: Side, dialog: Pick<Dialog, 'target'>): HeaderContext {
    const receiver = otherSide(from);
    return this.#context(call, from, ownHost(call.deps.settings, receiver, dialog.target));
  }

  #context(call: Call, from: Side, host: string): HeaderContext {
    return {
      map: this.#registry.mapFrom(from, call.partner.name),
      host,
      transfers: takesTransfers(call),
      referrer: from === 'inner' ? call.deps.settings.outer.identity : null,
    };
  }

  /** The call of a partner that a Call-ID of `side` names. */
  callOf(side: Side, callId: string, partner: string): Call | undefined {
    const call = this.#registry.find(side, callId);
    return call?.partner.name === partner ? call : undefined;
  }

  /** CSeq number of a request. */
  cseqOf(request: SipRequest): number {
    return parseCSeq(request.headers.get('CSeq') ?? '').number;
  }

  /** Fills `to`, the INVITE that opens a call's other half, with what of `from` may pass. */
  passInitial(call: Call, from: SipRequest, to: SipRequest, way: PeerWay): void {
    const host = ownHost(call.deps.settings, call.calleeSide, way);
    const context = this.#context(call, call.callerSide, host);
    passHeaders(from, to.headers, context);
    if (!to.headers.has('Allow')) {
      to.headers.set('Allow', methodsWith(context.transfers).join(', '));
    }
    to.headers.set('Max-Forwards', String(hopsLeft(from)));
  }

  /** Fills `to`, a request over `dialog`, with what of `from` may pass; bodies are the caller's. */
  passRequest(call: Call, from: SipRequest, to: SipRequest, dialog: Dialog): void {
    passHeaders(from, to.headers, this.wording(call, otherSide(dialog.side), dialog));
    to.headers.set('Max-Forwards', String(hopsLeft(from)));
    if (refreshesTarget(from.method)) this.#setContact(call, to, dialog);
  }

  /**
   * Response `from` as a response to `request`, which came over `dialog`. Without body; the reason
   * phrase is the registered one.
   */
  passResponse(
    call: Call,
    from: SipResponse,
    request: SipRequest,
    dialog: Dialog,
    status: number = from.status,
  ): SipResponse {
    const response = createResponse(request, status, undefined, { toTag: dialog.localTag });
    passHeaders(from, response.headers, this.wording(call, otherSide(dialog.side), dialog));
    if (refreshesTarget(request.method) && status > 100 && status < 300)
      this.#setContact(call, response, dialog);
    return response;
  }

  #setContact(call: Call, message: SipRequest | SipResponse, dialog: Dialog): void {
    const role: OuterRole = call.callerSide === 'outer' ? 'focus' : 'caller';
    const { settings } = call.deps;
    message.headers.set('Contact', ownContact(settings, dialog.side, dialog.target, role));
  }
}

/** Requests that carry the Contact of their sender (RFC 3261 clause 12.2, RFC 6665 clause 4.4.1). */
export function refreshesTarget(method: string): boolean {
  return method === 'INVITE' || method === 'UPDATE' || TRANSFER_METHODS.includes(method);
}

/** Max-Forwards of what is sent on; the caller has refused 0. */
function hopsLeft(request: SipRequest): number {
  const text = request.headers.get('Max-Forwards');
  return text === undefined ? DEFAULT_HOPS : Math.max(0, parseMaxForwards(text) - 1);
}
