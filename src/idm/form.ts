/** The form of a token request (RFC 6749 appendix B), strictly: what could be read in two ways is refused. */
import type { HttpRequestHead } from '../https/index.js';
import { refusal } from './refusal.js';
import { MAX_TOKEN } from './token-fault.js';

/** Largest body of a token request: two tokens and what is said about them. */
export const MAX_FORM = 24_576;
const MAX_PARAMETERS = 32;
/** RFC 8693 clause 2.1 lets these come more than once. */
const REPEATABLE = new Set(['resource', 'audience']);
const MAX_REPEATED = 8;
const MEDIA_TYPE = /^application\/x-www-form-urlencoded\s*(?:;\s*charset="?utf-8"?\s*)?$/i;
const FORBIDDEN = /[\p{Cc}\uFFFD]/u;

export interface TokenForm {
  /** the one value; undefined where it is absent or empty */
  get(name: string): string | undefined;
  all(name: string): readonly string[];
}

/** Whether the body is said to be a form, in UTF-8 and without a content coding. */
export function isForm(request: HttpRequestHead): boolean {
  const coding = request.header('content-encoding')?.trim().toLowerCase() ?? 'identity';
  return MEDIA_TYPE.test(request.header('content-type') ?? '') && coding === 'identity';
}

/** @throws SegyError SEGY_E_TOKEN_REQUEST, told as invalid_request */
export function readForm(body: Uint8Array): TokenForm {
  const text = new TextDecoder('latin1').decode(body);
  if (!/^[\x20-\x7e]*$/.test(text) || /%(?![0-9A-Fa-f]{2})/.test(text)) {
    throw wrong('the form is not encoded as one');
  }
  const values = new Map<string, string[]>();
  const parameters = text.split('&', MAX_PARAMETERS + 1).filter((part) => part !== '');
  if (parameters.length > MAX_PARAMETERS) throw wrong('the form has too many parameters');
  for (const [name, value] of new URLSearchParams(parameters.join('&'))) {
    if (FORBIDDEN.test(name) || FORBIDDEN.test(value)) {
      throw wrong('a parameter is not UTF-8, or has control characters');
    }
    if (value.length > MAX_TOKEN) throw wrong('a parameter is too long');
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else if (!REPEATABLE.has(name)) throw wrong('a parameter comes twice');
    else if (known.push(value) > MAX_REPEATED) throw wrong('a parameter comes too often');
  }
  const all = (name: string): readonly string[] =>
    (values.get(name) ?? []).filter((value) => value !== '');
  return { all, get: (name) => all(name)[0] };
}

function wrong(message: string): Error {
  return refusal('SEGY_E_TOKEN_REQUEST', 'invalid_request', message);
}
