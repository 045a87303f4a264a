/**
 * Cuts a stream into SIP messages by Content-Length, which must be there (RFC 3261 clause 18.3), and
 * notices keep-alives between them (RFC 5626 clause 4.4.1).
 */
import { toSegyError, type SegyError } from '../../base/errors.js';
import type { SipLimits } from '../limits.js';
import { parseUint, syntaxError, tooLarge } from '../text.js';

const CRLF_CRLF = Buffer.from('\r\n\r\n');

export interface Framed {
  /** whole messages, each a copy of its own */
  readonly messages: Uint8Array[];
  /** a ping (CRLF CRLF between messages) came */
  readonly ping: boolean;
  /** the stream cannot be cut any more; `rest` is what stands where it broke */
  readonly broken?: { readonly error: SegyError; readonly rest: Uint8Array };
}

export class StreamFramer {
  readonly #limits: SipLimits;
  /** always on a store of its own, never on Node's shared pool: `grow` writes behind its end */
  #buffer: Buffer = Buffer.from(new ArrayBuffer(0));
  /** no header section ends before this index */
  #searched = 0;
  /** octets of the message at the front, once its head is known */
  #need: number | undefined;
  #lineEnds = 0;
  #broken = false;

  constructor(limits: SipLimits) {
    this.#limits = limits;
  }

  /** Has a message begun that is not complete? */
  get partial(): boolean {
    return this.#buffer.length > 0;
  }

  /** Takes the next octets. After a break everything is ignored. */
  push(chunk: Uint8Array): Framed {
    const messages: Uint8Array[] = [];
    if (this.#broken) return { messages, ping: false };
    this.#buffer = grow(this.#buffer, chunk);
    let ping = false;
    try {
      for (;;) {
        if (this.#skipLineEnds()) ping = true;
        const message = this.#take();
        if (message === undefined) return { messages, ping };
        messages.push(message);
      }
    } catch (error) {
      const rest = this.#buffer;
      this.#broken = true;
      this.#buffer = this.#buffer.subarray(rest.length);
      return { messages, ping, broken: { error: toSegyError(error), rest } };
    }
  }

  /** Drops line ends before a message; true when there were two together. */
  #skipLineEnds(): boolean {
    if (this.#need !== undefined || this.#searched > 0) return false;
    let ping = false;
    let at = 0;
    while (this.#buffer[at] === 13 && this.#buffer[at + 1] === 10) {
      at += 2;
      this.#lineEnds += 1;
      if (this.#lineEnds === 2) {
        this.#lineEnds = 0;
        ping = true;
      }
    }
    this.#buffer = this.#buffer.subarray(at);
    if (this.#buffer.length > 0 && this.#buffer[0] !== 13) this.#lineEnds = 0;
    return ping;
  }

  #take(): Uint8Array | undefined {
    this.#need ??= this.#measure();
    const need = this.#need;
    if (need === undefined || this.#buffer.length < need) return undefined;
    const message = new Uint8Array(this.#buffer.subarray(0, need));
    this.#buffer = this.#buffer.subarray(need);
    this.#need = undefined;
    this.#searched = 0;
    return message;
  }

  /** Octets of the message at the front; undefined while its head is not complete. */
  #measure(): number | undefined {
    const limits = this.#limits;
    const end = this.#buffer.indexOf(CRLF_CRLF, Math.max(0, this.#searched - 3));
    if ((end < 0 ? this.#buffer.length : end) > limits.headOctets) {
      throw tooLarge('the header section is too large');
    }
    if (end < 0) {
      // a lone CR may still become a keep-alive
      this.#searched = this.#buffer.length > 1 ? this.#buffer.length : 0;
      return undefined;
    }
    const length = contentLength(this.#buffer.toString('latin1', 0, end));
    if (length > limits.bodyOctets) throw tooLarge('the body is too large');
    const need = end + 4 + length;
    if (need > limits.messageOctets) throw tooLarge('the message is too large');
    return need;
  }
}

/** `buffer` with `chunk` behind it, in amortised linear time. */
function grow(buffer: Buffer, chunk: Uint8Array): Buffer {
  const room = buffer.buffer.byteLength - buffer.byteOffset - buffer.length;
  const whole = Buffer.from(
    buffer.buffer,
    buffer.byteOffset,
    buffer.length + Math.min(room, chunk.length),
  );
  if (room >= chunk.length) {
    whole.set(chunk, buffer.length);
    return whole;
  }
  const larger = Buffer.from(new ArrayBuffer(2 * (buffer.length + chunk.length)));
  larger.set(buffer);
  larger.set(chunk, buffer.length);
  return larger.subarray(0, buffer.length + chunk.length);
}

function contentLength(head: string): number {
  const found = head.match(/\r\n(?:content-length|l)[ \t]*:[^\r]*(?:\r\n[ \t][^\r]*)*/gi) ?? [];
  const [field, ...more] = found;
  if (field === undefined) throw syntaxError('a message on a stream has no Content-Length');
  if (more.length > 0) throw syntaxError('Content-Length is given twice');
  return parseUint(field.slice(field.indexOf(':') + 1).trim(), 2 ** 40, 'Content-Length');
}
