/**
 * MIME bodies: multipart with nested parts (RFC 2046 clause 5.1, RFC 5621). A part's octets are views
 * of the body that came, so a digest runs over what travelled.
 */
import { concatBytes } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import type { RandomBytes } from '../base/environment.js';
import { formatContentType, parseContentType, type ContentType } from './fields.js';
import { SipHeaders } from './headers.js';
import { DEFAULT_BODY_LIMITS, type BodyLimits } from './limits.js';
import { decodeText, encodeText, isToken, syntaxError, tooLarge, unquoteString } from './text.js';

export interface BodyPart {
  readonly contentType: ContentType;
  /** fields of the part; for a whole body only its Content-Type */
  readonly headers: SipHeaders;
  /** content as it travels; for a multipart everything between its headers and its end */
  readonly body: Uint8Array;
  /** the parts of a multipart in order; none for anything else */
  readonly parts: readonly BodyPart[];
}

const CRLF_CRLF = Buffer.from('\r\n\r\n');
const DEFAULT_PART_TYPE = 'text/plain';

/**
 * Reads a message body. Delimiters stand at the start of a line that ends with CRLF; preamble and
 * epilogue are ignored.
 * @param contentType the Content-Type field of the message
 * @throws SegyError SEGY_E_SIP_SYNTAX (also when the closing delimiter is missing), SEGY_E_SIP_TOO_LARGE
 */
export function parseBody(
  contentType: string,
  body: Uint8Array,
  limits: BodyLimits = DEFAULT_BODY_LIMITS,
): BodyPart {
  if (body.length > limits.octets) throw tooLarge('the body is too large');
  const headers = new SipHeaders([['Content-Type', contentType]]);
  return readPart(headers, body, 0, { limits, parts: 0 });
}

interface Reading {
  readonly limits: BodyLimits;
  parts: number;
}

function readPart(headers: SipHeaders, body: Uint8Array, depth: number, state: Reading): BodyPart {
  const contentType = parseContentType(headers.get('Content-Type') ?? DEFAULT_PART_TYPE);
  if (!contentType.type.startsWith('multipart/')) return { contentType, headers, body, parts: [] };
  if (depth >= state.limits.depth) throw tooLarge('the body is nested too deeply');
  const parts = splitParts(body, boundaryOf(contentType), state).map((octets) => {
    const { fields, content } = splitHead(octets, state.limits);
    return readPart(fields, content, depth + 1, state);
  });
  return { contentType, headers, body, parts };
}

function boundaryOf(contentType: ContentType): string {
  const boundary = unquoteString(contentType.params.get('boundary') ?? '');
  if (!/^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary)) {
    throw syntaxError('a multipart has no proper boundary');
  }
  return boundary;
}

/** The octets of each part: what stands between one delimiter line and the CRLF before the next. */
function splitParts(body: Uint8Array, boundary: string, state: Reading): Uint8Array[] {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const dash = Buffer.from(`--${boundary}`, 'latin1');
  const found: Uint8Array[] = [];
  let start = -1;
  for (let at = buffer.indexOf(dash); at >= 0; at = buffer.indexOf(dash, at + 1)) {
    const line = delimiterAt(buffer, at, dash.length);
    if (line === undefined) continue;
    if (start >= 0) {
      // a delimiter directly below the last one shares its line end: the part between has no octets
      found.push(body.subarray(start, Math.max(start, at - 2)));
      state.parts += 1;
      if (state.parts > state.limits.parts) throw tooLarge('the body has too many parts');
    }
    if (line.closing) {
      if (found.length === 0) throw syntaxError('a multipart has no part');
      return found;
    }
    start = line.end;
  }
  throw syntaxError('a multipart has no closing delimiter');
}

/** Is there a delimiter line at `at`? Then where it ends and whether it closes the multipart. */
function delimiterAt(
  buffer: Buffer,
  at: number,
  length: number,
): { closing: boolean; end: number } | undefined {
  if (at > 0 && !(buffer[at - 2] === 13 && buffer[at - 1] === 10)) return undefined;
  let end = at + length;
  const closing = buffer[end] === 45 && buffer[end + 1] === 45;
  if (closing) end += 2;
  while (buffer[end] === 32 || buffer[end] === 9) end += 1;
  if (buffer[end] === 13 && buffer[end + 1] === 10) return { closing, end: end + 2 };
  return closing && end === buffer.length ? { closing, end } : undefined;
}

function splitHead(
  octets: Uint8Array,
  limits: BodyLimits,
): { fields: SipHeaders; content: Uint8Array } {
  const buffer = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  if (buffer[0] === 13 && buffer[1] === 10) {
    return { fields: new SipHeaders(), content: octets.subarray(2) };
  }
  const end = buffer.indexOf(CRLF_CRLF);
  if (end < 0) throw syntaxError('the headers of a part have no end');
  if (end > limits.headOctets) throw tooLarge('the headers of a part are too large');
  const lines = decodeText(buffer.subarray(0, end))
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  if (lines.length > limits.headerCount) throw tooLarge('a part has too many headers');
  const fields = new SipHeaders();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trimEnd();
    if (!isToken(name) || /[\r\n\0]/.test(line))
      throw syntaxError('a header of a part is malformed');
    // no compact forms here: MIME knows none (RFC 2045)
    if (name.length > 1) fields.add(name, line.slice(colon + 1).trim());
  }
  if (fields.getAll('Content-Type').length > 1 || fields.getAll('Content-ID').length > 1) {
    throw syntaxError('a part has two types or two identifiers');
  }
  return { fields, content: octets.subarray(end + 4) };
}

/** What a part to be sent consists of. */
export interface OutgoingPart {
  /** fields such as Content-Type, Content-ID, Content-Disposition */
  readonly headers: SipHeaders;
  readonly body: Uint8Array;
}

/**
 * Octets of a multipart body; each part's body unchanged.
 * @throws SegyError SEGY_E_ARGUMENT when the boundary occurs in a part or is malformed
 */
export function serialiseMultipart(parts: readonly OutgoingPart[], boundary: string): Uint8Array {
  if (parts.length === 0 || !isToken(boundary) || boundary.length > 70) {
    throw new SegyError('SEGY_E_ARGUMENT', 'a multipart needs a part and a token as boundary');
  }
  const pieces: Uint8Array[] = [];
  for (const part of parts) {
    const fields = part.headers.entries().map(([name, value]) => `${name}: ${value}\r\n`);
    const head = encodeText(`${fields.join('')}\r\n`);
    if (occursIn(boundary, head) || occursIn(boundary, part.body)) {
      throw new SegyError('SEGY_E_ARGUMENT', 'the boundary occurs in a part');
    }
    pieces.push(encodeText(`--${boundary}\r\n`), head, part.body, encodeText('\r\n'));
  }
  return concatBytes(...pieces, encodeText(`--${boundary}--\r\n`));
}

function occursIn(boundary: string, octets: Uint8Array): boolean {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).includes(boundary);
}

/** A boundary of 24 hexadecimal digits that occurs in no part. */
function makeBoundary(parts: readonly OutgoingPart[], random: RandomBytes): string {
  for (;;) {
    const boundary = Buffer.from(random(12)).toString('hex');
    if (!parts.some((part) => occursIn(boundary, part.body))) return boundary;
  }
}

/** A multipart/mixed of `parts`: the Content-Type for the message, and the octets. */
export function makeMultipart(
  parts: readonly OutgoingPart[],
  random: RandomBytes,
): { contentType: string; body: Uint8Array } {
  const boundary = makeBoundary(parts, random);
  const params = new Map([['boundary', boundary]]);
  const contentType = formatContentType({ type: 'multipart/mixed', params });
  return { contentType, body: serialiseMultipart(parts, boundary) };
}

/** The Content-ID of a part without angle brackets; undefined without one. */
export function contentId(part: BodyPart): string | undefined {
  return part.headers.get('Content-ID')?.replace(/^<([^<>]*)>$/, '$1');
}

/** Every part that is no multipart, in order of appearance; the body itself when it has no parts. */
export function leafParts(part: BodyPart): BodyPart[] {
  if (!part.contentType.type.startsWith('multipart/')) return [part];
  return part.parts.flatMap(leafParts);
}

/** The first leaf of a type (lower case); undefined when there is none. */
export function findPart(part: BodyPart, type: string): BodyPart | undefined {
  return leafParts(part).find((leaf) => leaf.contentType.type === type);
}

/**
 * The content of a leaf with its Content-Transfer-Encoding undone. Signatures never run over this.
 * @throws SegyError SEGY_E_SIP_SYNTAX for an encoding other than 7bit, 8bit, binary and base64
 */
export function decodedContent(part: BodyPart): Uint8Array {
  const encoding = part.headers.get('Content-Transfer-Encoding')?.toLowerCase() ?? 'binary';
  if (['7bit', '8bit', 'binary'].includes(encoding)) return part.body;
  const text = Buffer.from(part.body).toString('latin1').replace(/\s+/g, '');
  if (encoding !== 'base64' || !/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw syntaxError('the transfer encoding of a part is not supported or broken');
  }
  return new Uint8Array(Buffer.from(text, 'base64'));
}
