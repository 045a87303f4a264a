/** Header fields with a grammar of their own: each a parser and, where we send it, a formatter. */
import { formatParams, parseParams, type Params } from './params.js';
import { expectToken, isToken, parseUint, splitOutside, syntaxError } from './text.js';

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

/** Max-Forwards (RFC 3261 clause 20.22): 0 to 255. @throws SegyError SEGY_E_SIP_SYNTAX */
export function parseMaxForwards(text: string): number {
  return parseUint(text.trim(), 255, 'Max-Forwards');
}
