/**
 * One SIP dialog of the edge with one peer (RFC 3261 clause 12). A call has two for each fork: one
 * with the caller, one with the callee, and nothing but the CSeq and RSeq numbers is common to both.
 * Those pass through unchanged, so RAck and retries need no table; the edge's only request of its
 * own is BYE, one above the highest number seen in that direction.
 */
import { SegyError } from '../../base/errors.js';
import {
  SipHeaders,
  parseNameAddr,
  type SipMessage,
  type SipRequest,
  type SipTarget,
} from '../../sip/index.js';
import type { Side } from '../dependencies.js';

const MAX_ROUTES = 16;
const MAX_CSEQ = 0x7fff_ffff;

export interface DialogInit {
  readonly side: Side;
  readonly callId: string;
  readonly localTag: string;
  /** empty while the peer has none yet */
  readonly remoteTag: string;
  /** name-addr of our side without tag */
  readonly local: string;
  /** name-addr of the peer without tag */
  readonly remote: string;
  readonly routeSet: readonly string[];
  readonly remoteTarget: string;
  /** where requests of this dialog go */
  readonly target: SipTarget;
}

export class Dialog {
  readonly side: Side;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly local: string;
  readonly remote: string;
  routeSet: readonly string[];
  target: SipTarget;
  remoteTarget: string;
  /** highest CSeq the peer sent; a lower one in a new request is refused */
  highestReceived = 0;
  /** highest CSeq of our requests to the peer */
  highestSent = 0;

  constructor(init: DialogInit) {
    this.side = init.side;
    this.callId = init.callId;
    this.localTag = init.localTag;
    this.remoteTag = init.remoteTag;
    this.local = init.local;
    this.remote = init.remote;
    this.routeSet = init.routeSet;
    this.remoteTarget = init.remoteTarget;
    this.target = init.target;
  }

  /** A request of this dialog with its routing and dialog headers, no body. */
  request(method: string, cseq: number): SipRequest {
    if (method !== 'ACK' && method !== 'CANCEL')
      this.highestSent = Math.max(this.highestSent, cseq);
    return buildRequest({
      method,
      cseq,
      callId: this.callId,
      from: `${this.local};tag=${this.localTag}`,
      to: this.remoteTag === '' ? this.remote : `${this.remote};tag=${this.remoteTag}`,
      remoteTarget: this.remoteTarget,
      routeSet: this.routeSet,
    });
  }

  /** The edge's own BYE. */
  bye(): SipRequest {
    return this.request('BYE', Math.min(this.highestSent + 1, MAX_CSEQ));
  }

  /** Takes the peer's new Contact after a target refresh (RFC 3261 clause 12.2). */
  refreshTarget(message: SipMessage): void {
    const contact = contactUri(message);
    if (contact !== null) this.remoteTarget = contact;
  }
}

export interface RequestInit {
  readonly method: string;
  readonly cseq: number;
  readonly callId: string;
  readonly from: string;
  readonly to: string;
  readonly remoteTarget: string;
  readonly routeSet: readonly string[];
}

/** A request from dialog facts alone; the transport adds Via. */
export function buildRequest(init: RequestInit): SipRequest {
  const headers = new SipHeaders();
  if (init.routeSet.length > 0) headers.set('Route', [...init.routeSet]);
  headers.set('Max-Forwards', '70');
  headers.set('From', init.from);
  headers.set('To', init.to);
  headers.set('Call-ID', init.callId);
  headers.set('CSeq', `${init.cseq} ${init.method}`);
  return {
    kind: 'request',
    method: init.method,
    uri: init.remoteTarget,
    headers,
    body: new Uint8Array(),
  };
}

/** URI of the first Contact, or null where there is none or it is `*`. */
export function contactUri(message: SipMessage): string | null {
  const value = message.headers.list('Contact')[0];
  if (value === undefined || value.trim() === '*') return null;
  return parseNameAddr(value).uri;
}

/**
 * Route set from Record-Route: in order for the called side, reversed for the calling side.
 * @throws SegyError SEGY_E_SIP_TOO_LARGE with more than 16 entries
 */
export function routeSetOf(message: SipMessage, weCalled: boolean): string[] {
  const routes = message.headers.list('Record-Route');
  if (routes.length > MAX_ROUTES) {
    throw new SegyError('SEGY_E_SIP_TOO_LARGE', 'Record-Route has too many entries');
  }
  return weCalled ? [...routes].reverse() : [...routes];
}
