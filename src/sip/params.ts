/**
 * Parameters behind a semicolon (generic-param of RFC 3261 clause 25.1). Names are kept in lower case,
 * values exactly as written (quotes included), null where there is no `=`. Order is kept.
 */
import { expectToken, splitOutside, syntaxError, unquoteString } from './text.js';

export type Params = Map<string, string | null>;

/** `value` before the first semicolon, and the parameters behind it. */
export interface ValueWithParams {
  value: string;
  params: Params;
}

/** @throws SegyError SEGY_E_SIP_SYNTAX on a bad name or value, or a name given twice */
export function parseParams(pieces: readonly string[]): Params {
  const params: Params = new Map();
  for (const piece of pieces) {
    const equals = piece.indexOf('=');
    const name = (equals < 0 ? piece : piece.slice(0, equals)).trim();
    expectToken(name, 'a parameter name');
    const key = name.toLowerCase();
    if (params.has(key)) throw syntaxError('a parameter is given twice');
    params.set(key, equals < 0 ? null : checkValue(piece.slice(equals + 1).trim()));
  }
  return params;
}

function checkValue(value: string): string {
  if (value.startsWith('"')) unquoteString(value);
  else if (!/^[^\s",;<>]+$/.test(value)) throw syntaxError('a parameter value is malformed');
  return value;
}

/** `;name=value` for every parameter. */
export function formatParams(params: ReadonlyMap<string, string | null>): string {
  let out = '';
  for (const [name, value] of params) out += value === null ? `;${name}` : `;${name}=${value}`;
  return out;
}

/** Reads headers shaped `value *(;param)`: Event, Reason, Content-Disposition, Replaces, Accept-Contact. */
export function parseValueWithParams(text: string): ValueWithParams {
  const [value, ...rest] = splitOutside(text, ';');
  if (value === undefined || value === '') throw syntaxError('a header value is empty');
  return { value, params: parseParams(rest) };
}

/** The value of a parameter without its quotes; undefined when absent, '' when it has none. */
export function paramText(params: Params, name: string): string | undefined {
  const value = params.get(name);
  return value === undefined ? undefined : value === null ? '' : unquoteString(value);
}
