/**
 * Gets out of a message that does not parse what is needed to answer it. Whatever is doubtful makes it
 * unanswerable: silence is safer than an answer to the wrong place.
 */
import { parseCSeq } from './fields.js';
import { SipHeaders } from './headers.js';
import type { SipRequest } from './message.js';
import { isToken } from './text.js';
import { parseVia } from './via.js';

/** A header section is looked at no further than this, in octets. */
const LOOK = 65_536;

const NEEDED = ['Via', 'From', 'To', 'Call-ID', 'CSeq'];

/**
 * A request with only the fields that identify its transaction, when every one of them is there, Via
 * and CSeq can be read, and it is no ACK (RFC 3261 clause 17.1.1.3: an ACK is never answered).
 */
export function salvageRequest(bytes: Uint8Array): SipRequest | undefined {
  const text = Buffer.from(bytes.subarray(0, LOOK))
    .toString('latin1')
    .replace(/^(?:\r\n)+/, '');
  const head = text.split('\r\n\r\n', 1)[0] ?? '';
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const method = /^(\S+) .* SIP\/[0-9]/i.exec(lines[0] ?? '')?.[1] ?? '';
  if (!isToken(method) || method === 'ACK') return undefined;
  const headers = new SipHeaders();
  for (const line of lines.slice(1)) readField(headers, line);
  if (!NEEDED.every((name) => headers.has(name))) return undefined;
  try {
    parseVia(headers.list('Via')[0] ?? '');
    if (parseCSeq(headers.get('CSeq') ?? '').method !== method) return undefined;
  } catch {
    return undefined;
  }
  return { kind: 'request', method, uri: 'sip:invalid', headers, body: new Uint8Array() };
}

function readField(headers: SipHeaders, line: string): void {
  const match = /^([A-Za-z-]+)[ \t]*:[ \t]*([^\r\n\0]*)$/.exec(line);
  const [, name, value] = match ?? [];
  if (name === undefined || value === undefined) return;
  const single = new SipHeaders([[name, value.trim()]]);
  for (const needed of NEEDED) {
    const wanted = single.get(needed);
    if (wanted === undefined || wanted === '') continue;
    if (needed === 'Via' || !headers.has(needed)) headers.add(needed, wanted);
  }
}
