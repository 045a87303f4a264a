/**
 * SIP, SIPS and tel URIs (RFC 3261 clause 19.1, RFC 3966). Parts keep their spelling, escapes included,
 * so that a URI that is only passed on is never changed; `userText` gives the unescaped user part.
 */
import { parseHostPort } from './host.js';
import { syntaxError } from './text.js';

export interface SipUri {
  scheme: 'sip' | 'sips' | 'tel';
  /** as spelled, with escapes; the number for tel */
  user?: string;
  password?: string;
  /** '' for tel; IPv6 without brackets */
  host: string;
  port?: number;
  /** names in lower case, values as spelled, null without `=` */
  params: Map<string, string | null>;
  /** header name and value as spelled, in order */
  headers: [string, string][];
}

const ESCAPED = '%[0-9A-Fa-f]{2}';
const USER = new RegExp(`^(?:[A-Za-z0-9\\-_.!~*'()&=+$,;?/]|${ESCAPED})+$`);
const PASSWORD = new RegExp(`^(?:[A-Za-z0-9\\-_.!~*'()&=+$,]|${ESCAPED})*$`);
const PARAM_PART = new RegExp(`^(?:[A-Za-z0-9\\-_.!~*'()[\\]/:&+$]|${ESCAPED})+$`);
const HEADER_PART = new RegExp(`^(?:[A-Za-z0-9\\-_.!~*'()[\\]/?:+$;@,]|${ESCAPED})*$`);
/** Digits and visual separators; at least one digit is asked for apart, which keeps this linear. */
const TEL = /^(?:\+[0-9().-]+|[0-9A-Fa-f*#().-]+)$/;

/** @throws SegyError SEGY_E_SIP_SYNTAX for anything but a well-formed sip, sips or tel URI */
export function parseSipUri(text: string): SipUri {
  const match = /^(sip|sips|tel):([^\s<>]+)$/i.exec(text);
  if (match === null) throw syntaxError('not a sip, sips or tel URI');
  const scheme = (match[1] ?? '').toLowerCase() as SipUri['scheme'];
  const rest = match[2] ?? '';
  return scheme === 'tel' ? parseTel(rest) : parseHierarchical(scheme, rest);
}

function parseTel(rest: string): SipUri {
  const [number = '', ...params] = rest.split(';');
  if (!TEL.test(number) || !/[0-9A-Fa-f*#]/.test(number))
    throw syntaxError('a tel URI has no number');
  return { scheme: 'tel', user: number, host: '', params: readParams(params), headers: [] };
}

function parseHierarchical(scheme: SipUri['scheme'], rest: string): SipUri {
  const at = rest.indexOf('@');
  const tail = rest.slice(at + 1);
  const question = tail.indexOf('?');
  const [hostPort = '', ...params] = (question < 0 ? tail : tail.slice(0, question)).split(';');
  const uri: SipUri = {
    scheme,
    ...parseHostPort(hostPort),
    params: readParams(params),
    headers: question < 0 ? [] : readHeaders(tail.slice(question + 1)),
  };
  if (at >= 0) readUserInfo(uri, rest.slice(0, at));
  return uri;
}

function readUserInfo(uri: SipUri, text: string): void {
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  if (!USER.test(user)) throw syntaxError('the user part of a URI is malformed');
  uri.user = user;
  if (colon < 0) return;
  const password = text.slice(colon + 1);
  if (!PASSWORD.test(password)) throw syntaxError('the password of a URI is malformed');
  uri.password = password;
}

function readParams(pieces: readonly string[]): Map<string, string | null> {
  const params = new Map<string, string | null>();
  for (const piece of pieces) {
    const equals = piece.indexOf('=');
    const name = (equals < 0 ? piece : piece.slice(0, equals)).toLowerCase();
    const value = equals < 0 ? null : piece.slice(equals + 1);
    if (!PARAM_PART.test(name) || (value !== null && !PARAM_PART.test(value))) {
      throw syntaxError('a URI parameter is malformed');
    }
    if (params.has(name)) throw syntaxError('a URI parameter is given twice');
    params.set(name, value);
  }
  return params;
}

function readHeaders(text: string): [string, string][] {
  return text.split('&').map((piece) => {
    const [name = '', value, ...more] = piece.split('=');
    if (name === '' || value === undefined || more.length > 0) {
      throw syntaxError('a URI header is malformed');
    }
    if (!HEADER_PART.test(name) || !HEADER_PART.test(value)) {
      throw syntaxError('a URI header is malformed');
    }
    return [name, value];
  });
}

/**
 * The user part with its escapes resolved; undefined where there is none.
 * @throws SegyError SEGY_E_SIP_SYNTAX when the escapes are not UTF-8
 */
export function userText(uri: SipUri): string | undefined {
  if (uri.user === undefined) return undefined;
  try {
    return decodeURIComponent(uri.user);
  } catch (cause) {
    throw syntaxError(`the user part of a URI is not UTF-8 (${String(cause)})`);
  }
}
