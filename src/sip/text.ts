/**
 * SIP text: octets to strings and back without loss, tokens, quoted strings, and splitting that
 * respects quotes and angle brackets (RFC 3261 clause 25.1).
 */
import { SegyError } from '../base/errors.js';

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

export function syntaxError(message: string): SegyError {
  return new SegyError('SEGY_E_SIP_SYNTAX', message);
}

export function tooLarge(message: string): SegyError {
  return new SegyError('SEGY_E_SIP_TOO_LARGE', message);
}

/** Is `text` a token of RFC 3261 clause 25.1? */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** @throws SegyError SEGY_E_SIP_SYNTAX unless `text` is a token */
export function expectToken(text: string, name: string): string {
  if (!isToken(text)) throw syntaxError(`${name} is not a token`);
  return text;
}

/**
 * Text of UTF-8 octets. An octet that is not UTF-8 becomes a lone surrogate U+DC80 to U+DCFF, so that
 * `encodeText` gives back the same octets.
 */
export function decodeText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  if (!text.includes('\ufffd')) return text;
  let out = '';
  let at = 0;
  while (at < buffer.length) {
    const length = sequenceLength(buffer, at);
    if (length === 0) {
      out += String.fromCharCode(0xdc00 + (buffer[at] ?? 0));
      at += 1;
    } else {
      out += buffer.toString('utf8', at, at + length);
      at += length;
    }
  }
  return out;
}

/** Octets of the valid UTF-8 sequence at `at`, 0 if there is none (RFC 3629 clause 4). */
function sequenceLength(buffer: Buffer, at: number): number {
  const lead = buffer[at] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : 4;
  if (lead < 0xc2 || lead > 0xf4 || at + length > buffer.length) return 0;
  const piece = buffer.subarray(at, at + length);
  return Buffer.from(piece.toString('utf8'), 'utf8').equals(piece) ? length : 0;
}

/** Octets of `text`; undoes `decodeText` exactly. */
export function encodeText(text: string): Uint8Array {
  if (!/[\udc80-\udcff]/.test(text)) return Buffer.from(text, 'utf8');
  const pieces: Buffer[] = [];
  for (const character of text) {
    const code = character.charCodeAt(0);
    const escaped = character.length === 1 && code >= 0xdc80 && code <= 0xdcff;
    pieces.push(escaped ? Buffer.of(code - 0xdc00) : Buffer.from(character, 'utf8'));
  }
  return Buffer.concat(pieces);
}

/**
 * The pieces of `text` between `separator` characters that stand outside quotes and angle brackets,
 * trimmed. An empty text has no pieces.
 * @throws SegyError SEGY_E_SIP_SYNTAX on an open quote or bracket
 */
export function splitOutside(text: string, separator: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  let quoted = false;
  let bracketed = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (quoted) {
      if (character === '\\') at += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '<') bracketed = true;
    else if (character === '>') bracketed = false;
    else if (character === separator && !bracketed) {
      pieces.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  if (quoted || bracketed) throw syntaxError('a quote or bracket is not closed');
  const last = text.slice(start).trim();
  if (pieces.length > 0 || last !== '') pieces.push(last);
  return pieces;
}

/** `text` as a quoted-string. */
export function quoteString(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/**
 * The content of a quoted-string; any other text as it is.
 * @throws SegyError SEGY_E_SIP_SYNTAX when it opens with a quote and does not end with its partner
 */
export function unquoteString(text: string): string {
  if (!text.startsWith('"')) return text;
  if (!/^"(?:[^"\\]|\\[^])*"$/.test(text)) throw syntaxError('a quoted string is malformed');
  return text.slice(1, -1).replace(/\\([^])/g, '$1');
}

/**
 * An unsigned decimal integer of at most `max`.
 * @throws SegyError SEGY_E_SIP_SYNTAX
 */
export function parseUint(text: string, max: number, name: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw syntaxError(`${name} is not an unsigned integer`);
  const value = Number(text);
  if (value > max) throw syntaxError(`${name} is out of range`);
  return value;
}
