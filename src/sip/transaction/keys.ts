/** How messages find their transaction (RFC 3261 clauses 17.1.3 and 17.2.3). */
import { formatHostPort } from '../host.js';
import { parseCSeq } from '../fields.js';
import type { SipMessage, SipRequest } from '../message.js';
import { tagOf } from '../name-addr.js';
import { BRANCH_COOKIE, branchOf, parseVia, type Via } from '../via.js';

export function topVia(message: SipMessage): Via {
  return parseVia(message.headers.list('Via')[0] ?? '');
}

/** Key of the client transaction that a response, or the request itself, belongs to. */
export function clientKey(message: SipMessage): string {
  return `${branchOf(topVia(message))}|${parseCSeq(message.headers.get('CSeq') ?? '').method}`;
}

/**
 * Key of the server transaction of a request; `method` INVITE finds the INVITE of an ACK or CANCEL. A
 * branch without the cookie is helped out with the fields of RFC 2543.
 */
export function serverKey(request: SipRequest, via: Via, method: string): string {
  const branch = branchOf(via);
  const sentBy = formatHostPort(via).toLowerCase();
  if (branch.startsWith(BRANCH_COOKIE)) return `${branch}|${sentBy}|${method}`;
  return `${request.uri}|${callKey(request)}|${sentBy}|${branch}|${method}`;
}

/** Call-ID, CSeq number and From tag: what an ACK of a 2xx shares with its INVITE. */
export function callKey(message: SipMessage): string {
  const { headers } = message;
  const { number } = parseCSeq(headers.get('CSeq') ?? '');
  return `${headers.get('Call-ID') ?? ''}|${number}|${tagOf(headers.get('From') ?? '') ?? ''}`;
}

/** The To tag of a message; '' without one. */
export function toTag(message: SipMessage): string {
  return tagOf(message.headers.get('To') ?? '') ?? '';
}
