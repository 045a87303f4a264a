/**
 * The floor line's end on the wire: SRTCP under the keys of floor control (TS 33.180 clause 9.4), on a
 * port of its own. What comes is checked cheap first: source, size, form and sender, then how much was
 * opened this second, and only then the key. Nothing that did not authenticate leaves state behind.
 *
 * One key may serve every call with a partner. So a message counts only from the sender that the call
 * heard first: one that was made for another call, or comes back from us, has another SSRC.
 */
import {
  readFloorDatagram,
  splitProtected,
  type FloorCodecSettings,
  type FloorDatagram,
  type FloorDropReason,
} from '../floor/index.js';
import { readUint32, SrtpReceiver, SrtpSender, TAG_LENGTH } from '../srtp/index.js';
import type { FloorAddress, FloorDrop } from './floor-types.js';
import type { WireFloor } from './protocol.js';

/** Why a datagram, or a message in it, was dropped. */
type FloorLineDrop = Exclude<FloorDrop, FloorDropReason>;

export interface FloorArrival {
  readonly content: FloorDatagram;
  /** clear octets */
  readonly clear: Uint8Array;
  /** SRTCP index; undefined in clear */
  readonly index: number | undefined;
}

const APP = 204;
const APP_HEADER = 12;
const INDEX_WORD = 4;
const STREAMS = 4;
const REPLAY_WINDOW = 64;

export class FloorLine {
  #remote: FloorAddress;
  #receiver: SrtpReceiver | null = null;
  #sender: SrtpSender | null = null;
  #ssrc = 0;
  /** the floor server's SSRC, once it was heard */
  #server: number | null = null;
  #trailer = 0;
  #codec: FloorCodecSettings;
  #perSecond = 0;
  #second = -1;
  #left = 0;

  constructor(setup: WireFloor) {
    this.#remote = setup.remote;
    this.#codec = setup.codec;
    this.change(setup);
  }

  get remote(): FloorAddress {
    return this.#remote;
  }

  /** Keys that are held keep their indexes and replay windows. */
  change({ keys, remote, ssrc, messagesPerSecond, codec }: WireFloor): void {
    this.#codec = codec;
    const moved = remote.address !== this.#remote.address || remote.port !== this.#remote.port;
    if (moved || ssrc !== this.#ssrc) this.#server = null;
    this.#remote = remote;
    this.#perSecond = messagesPerSecond;
    if (keys === null) {
      this.#ssrc = ssrc;
      this.wipe();
      return;
    }
    if (this.#receiver) this.#receiver.replaceKeys(keys.receive);
    else {
      const limits = { streams: STREAMS, replayWindow: REPLAY_WINDOW };
      this.#receiver = new SrtpReceiver({ keys: keys.receive, limits });
    }
    this.#trailer = TAG_LENGTH[keys.send.suite] + INDEX_WORD + keys.send.mki.length;
    if (this.#sender && this.#ssrc === ssrc) return;
    this.#ssrc = ssrc;
    this.#sender?.wipe();
    this.#sender = new SrtpSender(keys.send, { ssrc });
  }

  /** What of a datagram may be acted upon. @param dropped is told each reason */
  open(
    datagram: Uint8Array,
    address: string,
    now: number,
    dropped: (reason: FloorLineDrop) => void,
  ): FloorArrival[] {
    if (address !== this.#remote.address) {
      dropped('source');
      return [];
    }
    const parts = splitProtected(datagram, this.#trailer) ?? [datagram];
    return parts.flatMap((part) => {
      const arrival = this.#refusal(part, now) ?? this.#openOne(part);
      if (typeof arrival !== 'string') return [this.#read(arrival, dropped)];
      dropped(arrival);
      return [];
    });
  }

  /** A message of ours as it goes out. */
  seal(message: Uint8Array): Uint8Array {
    return this.#sender?.protectRtcp(message) ?? message;
  }

  wipe(): void {
    this.#receiver?.wipe();
    this.#sender?.wipe();
    this.#receiver = null;
    this.#sender = null;
    this.#trailer = 0;
  }

  /** What tells a message wrong without a key. */
  #refusal(part: Uint8Array, now: number): FloorLineDrop | null {
    if (part.length < APP_HEADER + this.#trailer) return 'truncated';
    if ((part[0] ?? 0) >>> 6 !== 2) return 'version';
    if (part[1] !== APP) return 'packet-type';
    const sender = readUint32(part, 4);
    if (sender === this.#ssrc) return 'ssrc';
    if (this.#server !== null && sender !== this.#server) return 'ssrc';
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#left = this.#perSecond;
    }
    if (this.#left <= 0) return 'rate';
    this.#left -= 1;
    return null;
  }

  #openOne(part: Uint8Array): Omit<FloorArrival, 'content'> | FloorLineDrop {
    if (!this.#receiver) return { clear: part, index: undefined };
    const result = this.#receiver.unprotectRtcp(part);
    return result.ok ? { clear: result.packet, index: result.index } : result.reason;
  }

  #read(
    { clear, index }: Omit<FloorArrival, 'content'>,
    dropped: (reason: FloorLineDrop) => void,
  ): FloorArrival {
    const read = readFloorDatagram(clear, this.#codec);
    read.dropped.forEach(dropped);
    // several messages under one tag: each has to be of the sender that the tag is of
    const sender = readUint32(clear, 4);
    const messages = read.messages.filter((message) => message.ssrc === sender);
    for (let i = messages.length; i < read.messages.length; i++) dropped('ssrc');
    if (messages.length > 0) this.#server ??= sender;
    return { content: { ...read, messages }, clear, index };
  }
}
