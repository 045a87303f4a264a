/** SIP messages: the types, the parser and the serialiser (RFC 3261 clause 7). */
import { concatBytes } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { SipHeaders } from './headers.js';
import { DEFAULT_SIP_LIMITS, type SipLimits } from './limits.js';
import { decodeText, encodeText, isToken, parseUint, syntaxError, tooLarge } from './text.js';

export interface SipRequest {
  readonly kind: 'request';
  /** upper case as registered; methods are case-sensitive */
  method: string;
  /** Request-URI as spelled */
  uri: string;
  headers: SipHeaders;
  body: Uint8Array;
}

export interface SipResponse {
  readonly kind: 'response';
  /** 100 to 699 */
  status: number;
  reason: string;
  headers: SipHeaders;
  body: Uint8Array;
}

export type SipMessage = SipRequest | SipResponse;

/** Fields that may stand once only; a second one would let two readers see two messages. */
const SINGLE = [
  'Call-ID',
  'Content-Length',
  'Content-Type',
  'CSeq',
  'From',
  'Max-Forwards',
  'RAck',
  'RSeq',
  'Session-Expires',
  'To',
];

const CRLF_CRLF = Buffer.from('\r\n\r\n');
const NO_OCTETS = new Uint8Array();

/**
 * Reads one whole message. Octets behind Content-Length are dropped (RFC 3261 clause 18.3); a missing
 * Content-Length means that the body ends with the octets. Line ends are CRLF and nothing else. The
 * body is a copy.
 * @throws SegyError SEGY_E_SIP_SYNTAX, or SEGY_E_SIP_TOO_LARGE when a limit is exceeded
 */
export function parseSip(bytes: Uint8Array, limits: SipLimits = DEFAULT_SIP_LIMITS): SipMessage {
  if (bytes.length > limits.messageOctets) throw tooLarge('the message is too large');
  const start = skipLineEnds(bytes);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf(CRLF_CRLF, start);
  if ((end < 0 ? bytes.length : end) - start > limits.headOctets) {
    throw tooLarge('the header section is too large');
  }
  if (end < 0) throw syntaxError('the header section has no end');
  const lines = splitLines(buffer.toString('latin1', start, end), limits);
  const [first = '', ...fields] = lines;
  const message = readStartLine(first);
  if (fields.length > limits.headerCount) throw tooLarge('there are too many header fields');
  for (const line of fields) readField(message.headers, line);
  checkSingles(message.headers);
  message.body = readBody(message.headers, bytes.subarray(end + 4), limits);
  return message;
}

/** Index of the first octet behind leading line ends (RFC 3261 clause 7.5). */
export function skipLineEnds(bytes: Uint8Array): number {
  let at = 0;
  while (bytes[at] === 13 && bytes[at + 1] === 10) at += 2;
  return at;
}

/** Unfolded lines, each as UTF-8 text. */
function splitLines(head: string, limits: SipLimits): string[] {
  const lines: string[] = [];
  for (const line of head.split('\r\n')) {
    if (/[\r\n\0]/.test(line)) throw syntaxError('a header line holds a bare CR, LF or NUL');
    const folded = /^[ \t]/.test(line) && lines.length > 1;
    const whole = folded ? `${(lines.pop() ?? '').trimEnd()} ${line.trim()}` : line;
    if (whole.length > limits.headerOctets) throw tooLarge('a header field is too large');
    lines.push(whole);
  }
  return lines.map((line) =>
    /[\x80-\xff]/.test(line) ? decodeText(Buffer.from(line, 'latin1')) : line,
  );
}

function readStartLine(line: string): SipMessage {
  const headers = new SipHeaders();
  const status = /^SIP\/2\.0 ([1-6][0-9]{2})(?: (.*))?$/i.exec(line);
  if (status !== null) {
    const reason = status[2] ?? '';
    return { kind: 'response', status: Number(status[1]), reason, headers, body: NO_OCTETS };
  }
  const request = /^(\S+) ([!-;=?-~]+) SIP\/2\.0$/i.exec(line);
  const method = request?.[1] ?? '';
  const uri = request?.[2] ?? '';
  if (!isToken(method)) throw syntaxError('the start line is malformed');
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:./.test(uri)) throw syntaxError('the Request-URI is malformed');
  return { kind: 'request', method, uri, headers, body: NO_OCTETS };
}

function readField(headers: SipHeaders, line: string): void {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0)).trimEnd();
  if (!isToken(name)) throw syntaxError('a header name is malformed');
  headers.add(name, line.slice(colon + 1).trim());
}

function checkSingles(headers: SipHeaders): void {
  for (const name of SINGLE) {
    if (headers.getAll(name).length > 1) throw syntaxError(`${name} is given twice`);
  }
}

function readBody(headers: SipHeaders, rest: Uint8Array, limits: SipLimits): Uint8Array {
  const text = headers.get('Content-Length');
  const length = text === undefined ? rest.length : parseUint(text, 2 ** 32, 'Content-Length');
  if (length > limits.bodyOctets) throw tooLarge('the body is too large');
  if (length > rest.length) throw syntaxError('the body is shorter than Content-Length');
  return rest.slice(0, length);
}

/**
 * Octets of `message`, its fields in their order; Content-Length is always made from the body and
 * stands last.
 * @throws SegyError SEGY_E_ARGUMENT when the start line would not be one
 */
export function serialiseSip(message: SipMessage): Uint8Array {
  const fields = message.headers
    .entries()
    .filter(([name]) => name.toLowerCase() !== 'content-length')
    .map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${startLine(message)}\r\n${fields.join('')}Content-Length: ${message.body.length}\r\n\r\n`;
  return concatBytes(encodeText(head), message.body);
}

function startLine(message: SipMessage): string {
  if (message.kind === 'response') {
    const good = Number.isInteger(message.status) && message.status >= 100 && message.status <= 699;
    if (!good || /[\r\n\0]/.test(message.reason)) {
      throw new SegyError('SEGY_E_ARGUMENT', 'a status line cannot be written');
    }
    return `SIP/2.0 ${message.status} ${message.reason}`;
  }
  if (!isToken(message.method) || !/^[!-;=?-~]+$/.test(message.uri)) {
    throw new SegyError('SEGY_E_ARGUMENT', 'a request line cannot be written');
  }
  return `${message.method} ${message.uri} SIP/2.0`;
}
