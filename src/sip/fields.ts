/** Header fields with a grammar of their own: each a parser and, where we send it, a formatter. */
import { formatHostPort, parseHostPort } from './host.js';
import { formatParams, paramText, parseParams, type Params } from './params.js';
import {
  expectToken,
  isToken,
  parseUint,
  quoteString,
  splitOutside,
  syntaxError,
  unquoteString,
} from './text.js';

const MAX_CSEQ = 2 ** 31 - 1;
const MAX_UINT32 = 2 ** 32 - 1;

export interface CSeq {
  number: number;
  method: string;
}

/** RFC 3261 clause 20.16; the number is below 2^31. @throws SegyError SEGY_E_SIP_SYNTAX */
export function parseCSeq(text: string): CSeq {
  const [number = '', method = '', ...more] = text.trim().split(/\s+/);
  if (more.length > 0) throw syntaxError('CSeq is malformed');
  return {
    number: parseUint(number, MAX_CSEQ, 'the CSeq number'),
    method: expectToken(method, 'the CSeq method'),
  };
}

export interface RAck {
  rseq: number;
  cseq: number;
  method: string;
}

/** RFC 3262 clause 7.2. @throws SegyError SEGY_E_SIP_SYNTAX */
export function parseRAck(text: string): RAck {
  const [rseq = '', cseq = '', method = '', ...more] = text.trim().split(/\s+/);
  if (more.length > 0) throw syntaxError('RAck is malformed');
  return {
    rseq: parseRSeq(rseq),
    cseq: parseUint(cseq, MAX_CSEQ, 'the CSeq number in RAck'),
    method: expectToken(method, 'the method in RAck'),
  };
}

/** RFC 3262 clause 7.1: 1 to 2^32 - 1. @throws SegyError SEGY_E_SIP_SYNTAX */
export function parseRSeq(text: string): number {
  const value = parseUint(text.trim(), MAX_UINT32, 'RSeq');
  if (value === 0) throw syntaxError('RSeq is zero');
  return value;
}

export interface ContentType {
  /** lower case, such as `multipart/mixed` */
  type: string;
  params: Params;
}

/** RFC 3261 clause 20.15. @throws SegyError SEGY_E_SIP_SYNTAX */
export function parseContentType(text: string): ContentType {
  const [head = '', ...rest] = splitOutside(text, ';');
  const [type = '', subtype = '', ...more] = head.split('/').map((piece) => piece.trim());
  if (more.length > 0 || !isToken(type) || !isToken(subtype)) {
    throw syntaxError('Content-Type is malformed');
  }
  return { type: `${type}/${subtype}`.toLowerCase(), params: parseParams(rest) };
}

export function formatContentType(value: ContentType): string {
  return value.type + formatParams(value.params);
}

/** Option tags, methods, or any other comma-separated tokens. @throws SegyError SEGY_E_SIP_SYNTAX */
export function parseTokenList(values: readonly string[]): string[] {
  return values
    .flatMap((value) => splitOutside(value, ','))
    .map((tag) => expectToken(tag, 'a list item'));
}

export interface SessionExpires {
  /** seconds */
  delta: number;
  refresher?: 'uac' | 'uas';
  params: Params;
}

/** Session-Expires and Min-SE (RFC 4028). @throws SegyError SEGY_E_SIP_SYNTAX */
export function parseSessionExpires(text: string): SessionExpires {
  const [delta = '', ...rest] = splitOutside(text, ';');
  const params = parseParams(rest);
  const value = { delta: parseUint(delta, MAX_UINT32, 'Session-Expires'), params };
  const refresher = paramText(params, 'refresher')?.toLowerCase();
  if (refresher === undefined) return value;
  if (refresher !== 'uac' && refresher !== 'uas') throw syntaxError('the refresher is unknown');
  return { ...value, refresher };
}

export function formatSessionExpires(value: SessionExpires): string {
  const params = new Map(value.params);
  params.delete('refresher');
  const refresher = value.refresher === undefined ? '' : `;refresher=${value.refresher}`;
  return `${value.delta}${refresher}${formatParams(params)}`;
}

export interface Warning {
  /** 300 to 399, though other three-digit codes pass */
  code: number;
  /** host[:port] or a pseudonym */
  agent: string;
  text: string;
}

/** One warning-value (RFC 3261 clause 20.43). @throws SegyError SEGY_E_SIP_SYNTAX */
export function parseWarning(text: string): Warning {
  const match = /^([0-9]{3}) +(\S+) +(".*")$/s.exec(text.trim());
  if (match === null) throw syntaxError('Warning is malformed');
  const agent = match[2] ?? '';
  if (!isToken(agent)) formatHostPort(parseHostPort(agent));
  return { code: Number(match[1]), agent, text: unquoteString(match[3] ?? '') };
}

export function formatWarning(value: Warning): string {
  return `${value.code} ${value.agent} ${quoteString(value.text)}`;
}

/** Max-Forwards (RFC 3261 clause 20.22): 0 to 255. @throws SegyError SEGY_E_SIP_SYNTAX */
export function parseMaxForwards(text: string): number {
  return parseUint(text.trim(), 255, 'Max-Forwards');
}
