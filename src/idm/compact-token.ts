/**
 * The form of a token before anything in it is believed: a compact JWS (RFC 7515 clause 7.1) in the one
 * way to write it, of JSON objects that all readers read alike.
 */
import { SegyError } from '../base/errors.js';
import { MAX_TOKEN } from './token-fault.js';

const COMPACT = /^([\w-]+)\.([\w-]+)\.([\w-]*)$/;
/** Header parameters that change what the payload is: none of them belongs into a JWT that is signed. */
const FOREIGN = ['b64', 'zip', 'enc'];
const LEXEME = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;

/**
 * @param what it is, for the message
 * @throws SegyError SEGY_E_TOKEN
 */
export function checkCompact(token: string, what: string): void {
  const refuse = (how: string): never => {
    throw new SegyError('SEGY_E_TOKEN', `${what} ${how}`);
  };
  if (token.length > MAX_TOKEN) refuse('is too long');
  const [, header = '', payload = '', signature = ''] = COMPACT.exec(token) ?? refuse('is no JWS');
  if (![header, payload, signature].every(isCanonical)) refuse('is not encoded as one');
  const [parameters] = [header, payload].map((part) => {
    const value = objectIn(part);
    return value ?? refuse('holds what is no object, or a name twice');
  });
  if (FOREIGN.some((name) => Object.hasOwn(parameters ?? {}, name))) {
    refuse('has a header of another kind of token');
  }
}

/** Whether nobody could write the same octets in another way. */
function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

/** undefined for what is no JSON object in UTF-8, and where a name comes twice (RFC 7519 clause 4). */
function objectIn(part: string): object | undefined {
  try {
    const octets = Buffer.from(part, 'base64url');
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject && !namesTwice(text) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether an object of this well-formed JSON has a name twice, however it is escaped. */
function namesTwice(text: string): boolean {
  /** names of each object that is open; null for a list */
  const open: (Set<string> | null)[] = [];
  let isNameNext = false;
  for (const [lexeme] of text.matchAll(LEXEME)) {
    const names = open.at(-1) ?? null;
    if (lexeme === '{') open.push(new Set());
    else if (lexeme === '[') open.push(null);
    else if (lexeme === '}' || lexeme === ']') open.pop();
    else if (lexeme !== ',' && isNameNext) {
      const name = String(JSON.parse(lexeme));
      if (names?.has(name) === true) return true;
      names?.add(name);
    }
    isNameNext = lexeme === '{' || (lexeme === ',' && names !== null);
  }
  return false;
}
