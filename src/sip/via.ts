/** Via (RFC 3261 clause 20.42) with rport and received (RFC 3581). */
import { formatHostPort, parseHostPort } from './host.js';
import { formatParams, parseParams, type Params } from './params.js';
import { expectToken, splitOutside, syntaxError } from './text.js';

/** Branches that begin so identify a transaction on their own (RFC 3261 clause 8.1.1.7). */
export const BRANCH_COOKIE = 'z9hG4bK';

export interface Via {
  /** upper case: UDP, TCP, TLS, … */
  transport: string;
  host: string;
  port?: number;
  params: Params;
}

/** @throws SegyError SEGY_E_SIP_SYNTAX */
export function parseVia(text: string): Via {
  const [head = '', ...rest] = splitOutside(text, ';');
  const match = /^SIP\s*\/\s*2\.0\s*\/\s*([^\s/]+)\s+(\S.*)$/i.exec(head);
  if (match === null) throw syntaxError('a Via is malformed');
  const transport = expectToken(match[1] ?? '', 'the transport of a Via').toUpperCase();
  return { transport, ...parseHostPort(match[2] ?? ''), params: parseParams(rest.map(bareHost)) };
}

/** `received=[2001:db8::1]` with and without brackets is met (RFC 5118 clause 4.5). */
function bareHost(piece: string): string {
  return piece.replace(/^(received\s*=\s*)\[([^\]]*)\]$/i, '$1$2');
}

export function formatVia(via: Via): string {
  return `SIP/2.0/${via.transport} ${formatHostPort(via)}${formatParams(via.params)}`;
}

/** The branch; '' when there is none. */
export function branchOf(via: Via): string {
  return via.params.get('branch') ?? '';
}
