/**
 * The two RTP streams that a session sends, each steady whoever speaks. Towards MC: own SSRC, an index
 * that only grows, sealed once. Towards the PBX: one stream for all talkers. Payload type, marker and
 * payload pass as they are; padding, CSRCs and header extensions end here.
 */
import { toHex } from '../base/bytes.js';
import {
  buildRtp,
  MAX_PACKET_INDEX,
  RTP_FIXED_HEADER,
  rtpHeaderLength,
  rtpMarker,
  rtpPayloadEnd,
  rtpPayloadType,
  rtpSequenceNumber,
  rtpSsrc,
  rtpTimestamp,
  sequenceOf,
  writeRtpHeader,
} from '../srtp/index.js';
import { RtpContinuity } from './continuity.js';
import type { DirectionCounters } from './counters.js';
import type { InnerPeer } from './inner-peer.js';
import type { Leg, Legs } from './legs.js';
import type { PathEnvironment } from './path.js';
import type { PathRtcp } from './path-rtcp.js';
import type { Protection } from './protection.js';
import { SentStream } from './rtcp-reporter.js';
import { TalkerNews } from './talker-news.js';
import type { DropReason } from './types.js';

/** What both streams of one session work on. */
export interface StreamParts {
  readonly env: PathEnvironment;
  readonly protection: Protection;
  readonly legs: Legs;
  readonly inner: InnerPeer;
  readonly rtcp: PathRtcp;
}

/** The stream towards MC. */
export class OutwardStream {
  ssrc = 0;
  /** when anything was last sent on its port, monotonic */
  sentAt: number;
  readonly #parts: StreamParts;
  readonly #counters: DirectionCounters;
  #stream: RtpContinuity;

  constructor(parts: StreamParts, counters: DirectionCounters) {
    this.#parts = parts;
    this.#counters = counters;
    this.sentAt = parts.env.monotonic();
    this.#stream = newContinuity(parts.env, false, false);
  }

  /** A new SSRC is a new stream: random first index below 2^15 (RFC 3711 section 3.3.1), ROC 0. */
  start(ssrc: number): void {
    this.ssrc = ssrc;
    this.#stream = newContinuity(this.#parts.env, false, false);
    this.#parts.rtcp.outerSent = new SentStream();
  }

  /**
   * Sends a packet of the PBX on. It is clear and well-formed; its memory is ours to write into.
   * @returns why it was dropped; null when it was sent
   */
  forward(packet: Uint8Array, clockRate: number): DropReason | null {
    const { env, protection, legs, rtcp } = this.#parts;
    const destination = legs.destination;
    if (!destination) return 'no-remote';
    if (protection.receiver && !protection.sender) return 'no-key';
    const headerLength = rtpHeaderLength(packet);
    const end = rtpPayloadEnd(packet, headerLength);
    const now = env.monotonic();
    const stream = this.#stream;
    const outcome = stream.accept(
      rtpSsrc(packet),
      rtpSequenceNumber(packet),
      rtpTimestamp(packet),
      rtpMarker(packet),
      clockRate,
      now,
    );
    if (outcome !== 'ok') return outcome;
    if (stream.index > MAX_PACKET_INDEX) return 'exhausted';
    const out = rewritten(packet, headerLength, end, stream, this.ssrc);
    const sealed = protection.sender?.protect(out, stream.index) ?? out;
    this.sentAt = now;
    rtcp.outerSent.count(end - headerLength, stream.timestamp, clockRate, now);
    this.#counters.packets += 1;
    this.#counters.octets += end - headerLength;
    env.sendRtp('outer', sealed, destination.port, destination.address);
    return null;
  }
}

/** The stream towards the PBX. */
export class InwardStream {
  readonly ssrc: number;
  readonly #parts: StreamParts;
  readonly #counters: DirectionCounters;
  readonly #stream: RtpContinuity;
  /** packets of our own among those that were sent */
  #inserted = 0;
  /** when `#stream.timestamp` was; null before the first packet */
  #sentAt: number | null = null;
  #clockRate = 8_000;
  #eventTimestamp = 0;
  readonly #news: TalkerNews;

  constructor(parts: StreamParts, counters: DirectionCounters, markTalkSpurts: boolean) {
    this.#parts = parts;
    this.#counters = counters;
    this.ssrc = random32(parts.env);
    this.#stream = newContinuity(parts.env, true, markTalkSpurts);
    this.#news = new TalkerNews((event) => parts.env.emit(event));
  }

  /** Tells who was heard last, where that had to wait. */
  tick(now: number): void {
    this.#news.tick(now);
  }

  /**
   * Sends a packet of the MC side on; as `OutwardStream.forward`.
   * @param mki of the key that opened it; empty in a clear call
   */
  forward(packet: Uint8Array, clockRate: number, mki: Uint8Array, leg: Leg): DropReason | null {
    const { env, inner, rtcp } = this.#parts;
    const remote = inner.remote;
    if (!remote) return 'no-remote';
    const headerLength = rtpHeaderLength(packet);
    const end = rtpPayloadEnd(packet, headerLength);
    const now = env.monotonic();
    const ssrc = rtpSsrc(packet);
    const stream = this.#stream;
    const outcome = stream.accept(
      ssrc,
      rtpSequenceNumber(packet),
      rtpTimestamp(packet),
      rtpMarker(packet),
      clockRate,
      now,
    );
    if (outcome !== 'ok') return outcome;
    if (stream.switched) {
      this.#news.heard({ type: 'talker', ssrc, mki: toHex(mki), leg: leg.name }, now);
    } else this.#news.tick(now);
    const out = rewritten(packet, headerLength, end, stream, this.ssrc, this.#inserted);
    this.#sentAt = now;
    this.#clockRate = clockRate;
    rtcp.innerSent.count(end - headerLength, stream.timestamp, clockRate, now);
    this.#counters.packets += 1;
    this.#counters.octets += end - headerLength;
    env.sendRtp('inner', out, remote.port, remote.address);
    return null;
  }

  /** Sends a packet of our own between those of the MC side. */
  insert({ payloadType, payload, first }: InsertedEvent): void {
    const { env, inner, rtcp } = this.#parts;
    const { remote } = inner;
    if (!remote) return;
    const now = env.monotonic();
    if (first) {
      this.#sentAt ??= now;
      const elapsed = Math.round(((now - this.#sentAt) * this.#clockRate) / 1000);
      this.#eventTimestamp = (this.#stream.timestamp + elapsed) >>> 0;
    }
    this.#inserted += 1;
    const out = buildRtp({
      payloadType,
      marker: first,
      sequenceNumber: sequenceOf(this.#stream.highestIndex + this.#inserted),
      timestamp: this.#eventTimestamp,
      ssrc: this.ssrc,
      payload,
    });
    rtcp.innerSent.count(payload.length, this.#eventTimestamp, this.#clockRate, now);
    env.sendRtp('inner', out, remote.port, remote.address);
  }
}

/** A packet of a telephone-event (RFC 4733) of our own. */
export interface InsertedEvent {
  readonly payloadType: number;
  readonly payload: Uint8Array;
  /** the first of its event */
  readonly first: boolean;
}

export function random32(env: Pick<PathEnvironment, 'random'>): number {
  return Buffer.from(env.random(4)).readUInt32BE();
}

/** The payload behind a header of ours, in the packet's own memory. */
function rewritten(
  packet: Uint8Array,
  headerLength: number,
  end: number,
  stream: RtpContinuity,
  ssrc: number,
  inserted = 0,
): Uint8Array {
  const payloadType = rtpPayloadType(packet);
  const out = packet.subarray(headerLength - RTP_FIXED_HEADER, end);
  const sequence = sequenceOf(stream.index + inserted);
  writeRtpHeader(out, payloadType, stream.marker, sequence, stream.timestamp, ssrc);
  return out;
}

function newContinuity(
  env: PathEnvironment,
  keepLate: boolean,
  markTalkSpurts: boolean,
): RtpContinuity {
  return new RtpContinuity({
    firstIndex: random32(env) & 0x7fff,
    firstTimestamp: random32(env),
    keepLate,
    markTalkSpurts,
    takeOverMs: env.limits.takeOverMs,
  });
}
