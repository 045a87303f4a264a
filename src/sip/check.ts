/**
 * What a message needs beyond its syntax before a transaction can look at it: the mandatory fields,
 * each well formed (RFC 3261 clauses 8.1.1 and 8.2.6.2).
 */
import { parseContentType, parseCSeq, parseMaxForwards } from './fields.js';
import type { SipMessage } from './message.js';
import { parseNameAddr } from './name-addr.js';
import { syntaxError } from './text.js';
import { parseVia } from './via.js';

/**
 * @throws SegyError SEGY_E_SIP_SYNTAX when Via, From, To, Call-ID or CSeq is missing or malformed,
 *   CSeq names another method, Max-Forwards is no number up to 255, or a body has no Content-Type
 */
export function checkMessage(message: SipMessage): void {
  const { headers } = message;
  const vias = headers.list('Via');
  if (vias.length === 0) throw syntaxError('Via is missing');
  vias.forEach(parseVia);
  const from = parseNameAddr(required(message, 'From'));
  if (message.kind === 'request' && !from.params.get('tag')) throw syntaxError('From has no tag');
  parseNameAddr(required(message, 'To'));
  if (/[\s,;]/.test(required(message, 'Call-ID'))) throw syntaxError('Call-ID is malformed');
  const cseq = parseCSeq(required(message, 'CSeq'));
  if (message.kind === 'request' && cseq.method !== message.method) {
    throw syntaxError('CSeq and the request line name different methods');
  }
  const hops = headers.get('Max-Forwards');
  if (hops !== undefined) parseMaxForwards(hops);
  const type = headers.get('Content-Type');
  if (type !== undefined) parseContentType(type);
  else if (message.body.length > 0) throw syntaxError('a body has no Content-Type');
}

function required(message: SipMessage, name: string): string {
  const value = message.headers.get(name);
  if (value === undefined || value === '') throw syntaxError(`${name} is missing`);
  return value;
}
