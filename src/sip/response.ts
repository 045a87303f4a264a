/** Responses to a request (RFC 3261 clause 8.2.6). */
import { SipHeaders } from './headers.js';
import type { SipRequest, SipResponse } from './message.js';
import { formatNameAddr, parseNameAddr } from './name-addr.js';

const REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  181: 'Call Is Being Forwarded',
  182: 'Queued',
  183: 'Session Progress',
  199: 'Early Dialog Terminated',
  200: 'OK',
  202: 'Accepted',
  204: 'No Notification',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Moved Temporarily',
  305: 'Use Proxy',
  380: 'Alternative Service',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  410: 'Gone',
  412: 'Conditional Request Failed',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
  416: 'Unsupported URI Scheme',
  420: 'Bad Extension',
  421: 'Extension Required',
  422: 'Session Interval Too Small',
  423: 'Interval Too Brief',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  483: 'Too Many Hops',
  484: 'Address Incomplete',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  489: 'Bad Event',
  491: 'Request Pending',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Server Time-out',
  505: 'Version Not Supported',
  513: 'Message Too Large',
  600: 'Busy Everywhere',
  603: 'Decline',
  604: 'Does Not Exist Anywhere',
  606: 'Not Acceptable',
};

/** The registered reason phrase; one of its class for a status without one. */
export function reasonPhrase(status: number): string {
  return REASONS[status] ?? REASONS[Math.floor(status / 100) * 100] ?? 'Unknown';
}

/**
 * A response with Via, From, To, Call-ID and CSeq of `request`; Timestamp in a 100; Record-Route where
 * a dialog may come of it (101 to 299, RFC 3261 clause 12.1.1).
 * @param options.toTag put into To unless To has a tag already
 */
export function createResponse(
  request: SipRequest,
  status: number,
  reason: string = reasonPhrase(status),
  options: { readonly toTag?: string } = {},
): SipResponse {
  const headers = new SipHeaders();
  copyFields(request, headers, ['Via', 'From']);
  const to = request.headers.get('To');
  if (to !== undefined) headers.add('To', withTag(to, options.toTag));
  copyFields(request, headers, ['Call-ID', 'CSeq']);
  if (status === 100) copyFields(request, headers, ['Timestamp']);
  if (status > 100 && status < 300) copyFields(request, headers, ['Record-Route']);
  return { kind: 'response', status, reason, headers, body: new Uint8Array() };
}

function copyFields(request: SipRequest, headers: SipHeaders, names: readonly string[]): void {
  for (const name of names) {
    for (const value of request.headers.getAll(name)) headers.add(name, value);
  }
}

/**
 * `value` (a From or To) with `tag`, unless it has a tag, none is given, or it cannot be read: a broken
 * request gets its own To back.
 */
export function withTag(value: string, tag: string | undefined): string {
  if (tag === undefined) return value;
  let address;
  try {
    address = parseNameAddr(value);
  } catch {
    return value;
  }
  if (address.params.has('tag')) return value;
  address.params.set('tag', tag);
  return formatNameAddr(address);
}
