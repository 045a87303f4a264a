/**
 * The packet path of one session, without sockets: what happens to each packet that arrives on one
 * of its four ports. It runs in a worker; it is a plain object so that tests can drive it.
 *
 * The gateway is an RTP endpoint on both sides. Towards MC: own SSRC, an index that only grows,
 * sealed once. Towards the PBX: one steady stream, whoever talks. Payload type, marker and payload
 * pass as they are (a marker is added at a talk spurt towards the PBX); padding, CSRCs and header
 * extensions end here, because neither side has negotiated the other's.
 */
import type { RandomBytes } from '../base/environment.js';
import { toHex } from '../base/bytes.js';
import {
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
import { clockRateTable } from './clock-rates.js';
import { RtpContinuity } from './continuity.js';
import { DirectionCounters } from './counters.js';
import { InnerPeer } from './inner-peer.js';
import { Legs, type Leg } from './legs.js';
import type { MediaLimits } from './options.js';
import { Protection } from './protection.js';
import type { SessionCommand } from './protocol.js';
import { PathRtcp } from './path-rtcp.js';
import { SentStream } from './rtcp-reporter.js';
import type { DropReason, MediaEvent, MediaSide, MediaStats } from './types.js';

/** The four sockets of a session, and time. */
export interface PathEnvironment {
  readonly limits: MediaLimits;
  readonly innerAllowed: ReadonlySet<string>;
  readonly random: RandomBytes;
  /** milliseconds that never go back */
  monotonic(): number;
  /** milliseconds since 1970 */
  unixMs(): number;
  sendRtp(side: MediaSide, packet: Uint8Array, port: number, address: string): void;
  sendRtcp(side: MediaSide, packet: Uint8Array, port: number, address: string): void;
  emit(event: MediaEvent): void;
}

const EMPTY = new Uint8Array(0);

export class MediaPath {
  readonly id: string;
  readonly toInner = new DirectionCounters();
  readonly toOuter = new DirectionCounters();
  readonly #env: PathEnvironment;
  readonly #protection: Protection;
  readonly #legs: Legs;
  readonly #inner: InnerPeer;
  readonly #inward: RtpContinuity;
  #outward: RtpContinuity;
  readonly #innerSsrc: number;
  #outerSsrc = 0;
  readonly #rtcp: PathRtcp;
  #direction = { toInner: true, toOuter: true };
  #clockRates = clockRateTable({});
  #outerSentAt: number;
  #authenticatedAt: number | null = null;

  constructor(id: string, env: PathEnvironment, markTalkSpurts: boolean) {
    this.id = id;
    this.#env = env;
    this.#protection = new Protection(env.limits, {
      clock: { now: () => env.monotonic() },
      random: env.random,
      isKnownSource: (address, port) => this.#legs.knows(address, port),
    });
    this.#legs = new Legs(env.limits.legs);
    this.#inner = new InnerPeer(env.innerAllowed);
    this.#innerSsrc = this.#random32();
    this.#inward = this.#continuity(true, markTalkSpurts);
    this.#outward = this.#continuity(false, false);
    this.#rtcp = new PathRtcp(env, this.#protection, this.#legs, this.#inner);
    this.#outerSentAt = env.monotonic();
  }

  /** Carries out a command other than `open` and `close`. @throws SegyError as MediaSession says */
  command(command: Exclude<SessionCommand, { type: 'open' | 'close' | 'stats' }>): void {
    switch (command.type) {
      case 'arm': {
        this.#clockRates = clockRateTable(command.clockRates);
        const anew = this.#protection.arm(command.receive, command.send);
        if (anew) this.#startOutward(this.#protection.sender?.ssrc ?? this.#random32());
        return;
      }
      case 'rekey': {
        if (command.clockRates) this.#clockRates = clockRateTable(command.clockRates);
        const anew = this.#protection.rekey(command.receive?.keys ?? null, command.send);
        if (anew) this.#startOutward(this.#protection.sender?.ssrc ?? this.#random32());
        return;
      }
      case 'group': {
        const anew = this.#protection.changeGroup(command.keys, command.send);
        if (anew) this.#startOutward(this.#protection.sender?.ssrc ?? this.#random32());
        return;
      }
      case 'dropKeys':
        this.#protection.dropKeys(command.which);
        return;
      case 'disarm':
        this.disarm();
        return;
      case 'remote':
        if (command.side === 'outer') this.#legs.setRemote(command.leg, command.address);
        else this.#inner.setRemote(command.address);
        return;
      case 'direction':
        this.#direction = { ...command.direction };
        return;
      case 'selectLeg':
        this.#legs.select(command.leg);
        return;
      case 'dropLeg':
        this.#legs.drop(command.leg);
        return;
    }
  }

  onOuterRtp(packet: Uint8Array, address: string, port: number): void {
    if (packet.length === 0) return;
    const reason = this.#fromOuter(packet, address, port);
    if (reason) this.toInner.drop(reason);
  }

  onInnerRtp(packet: Uint8Array, address: string, port: number): void {
    if (packet.length === 0) return;
    const reason = this.#fromInner(packet, address, port);
    if (reason) this.toOuter.drop(reason);
  }

  onOuterRtcp(packet: Uint8Array, address: string, port: number): void {
    if (packet.length === 0 || !this.#protection.armed) return;
    const reason = this.#rtcp.fromOuter(packet, address, port);
    if (reason) this.toInner.drop(reason);
  }

  onInnerRtcp(packet: Uint8Array, address: string): void {
    if (packet.length === 0 || !this.#protection.armed) return;
    const reason = this.#rtcp.fromInner(packet, address);
    if (reason) this.toOuter.drop(reason);
  }

  /** RTCP, keep-alive and drop reports that are due. */
  tick(): void {
    const now = this.#env.monotonic();
    this.#reportDrops(now);
    if (!this.#protection.armed) return;
    this.#rtcp.tick(now, this.#outerSsrc, this.#innerSsrc);
    const destination = this.#legs.destination;
    if (destination && now - this.#outerSentAt >= this.#env.limits.keepAliveMs) {
      this.#outerSentAt = now;
      this.#env.sendRtp('outer', EMPTY, destination.port, destination.address);
    }
  }

  /** BYE on both sides, then no packet passes and no key is left. */
  disarm(): void {
    if (!this.#protection.armed) return;
    try {
      this.#rtcp.bye(this.#env.monotonic(), this.#outerSsrc, this.#innerSsrc);
    } finally {
      this.#protection.disarm();
    }
  }

  /** Of the stream from outside: packets lost, and jitter in milliseconds. */
  get reception(): { readonly lost: number; readonly jitterMs: number } {
    return this.#rtcp.outerReception;
  }

  stats(): MediaStats {
    const destination = this.#legs.destination;
    const now = this.#env.monotonic();
    return {
      id: this.id,
      armed: this.#protection.armed,
      toInner: this.toInner.stats(this.#rtcp.outerReception),
      toOuter: this.toOuter.stats(this.#rtcp.innerReception),
      outerRemote: destination ? { address: destination.address, port: destination.port } : null,
      outerSsrc: this.#protection.armed ? this.#outerSsrc : null,
      innerSsrc: this.#innerSsrc,
      sinceAuthenticatedMs: this.#authenticatedAt === null ? null : now - this.#authenticatedAt,
      streams: this.#protection.receiver?.streamCount ?? 0,
      rocJumps: this.#protection.receiver?.rocJumps ?? 0,
      rtcpFromOuter: this.#rtcp.fromOuterCount,
      rtcpFromInner: this.#rtcp.fromInnerCount,
    };
  }

  /** Why the packet was dropped; null when it was forwarded. */
  #fromOuter(packet: Uint8Array, address: string, port: number): DropReason | null {
    const protection = this.#protection;
    if (!protection.armed) return 'disarmed';
    if (packet.length > this.#env.limits.datagram) return 'malformed';
    if (!protection.receiver) {
      const leg = this.#legs.signalledAt(address);
      if (!leg) return 'source';
      return this.#forwardInward(packet, EMPTY, leg);
    }
    const result = protection.unprotect(packet, address, port);
    if (!result.ok) return result.reason;
    const now = this.#env.monotonic();
    this.#authenticatedAt = now;
    const leg = this.#legs.attribute(result.ssrc, address, port);
    if (!leg) return 'leg';
    if (result.newest) this.#learn(leg, address, port, now);
    return this.#forwardInward(result.packet, result.mki, leg);
  }

  /** Why the packet was dropped; null when it was forwarded. */
  #fromInner(packet: Uint8Array, address: string, port: number): DropReason | null {
    const counters = this.toOuter;
    if (!this.#protection.armed) return 'disarmed';
    // a PBX may speak before its SDP has come this far: nothing to warn of
    if (this.#inner.remote === null) return 'no-remote';
    if (!this.#inner.accepts(address, port)) return 'source';
    const headerLength = rtpHeaderLength(packet);
    const end = headerLength < 0 ? -1 : rtpPayloadEnd(packet, headerLength);
    if (end < 0 || packet.length > this.#env.limits.datagram) return 'malformed';
    const now = this.#env.monotonic();
    const payloadType = rtpPayloadType(packet);
    const clockRate = this.#clockRates[payloadType] ?? 8_000;
    const ssrc = rtpSsrc(packet);
    const sequence = rtpSequenceNumber(packet);
    const timestamp = rtpTimestamp(packet);
    this.#rtcp.innerReception.update(ssrc, sequence, timestamp, clockRate, now);
    if (!this.#direction.toOuter) return 'held';
    const destination = this.#legs.destination;
    if (!destination) return 'no-remote';
    if (this.#protection.receiver && !this.#protection.sender) return 'no-key';
    const stream = this.#outward;
    const marker = rtpMarker(packet);
    const outcome = stream.accept(ssrc, sequence, timestamp, marker, clockRate, now);
    if (outcome !== 'ok') return outcome;
    if (stream.index > MAX_PACKET_INDEX) return 'exhausted';
    const out = packet.subarray(headerLength - RTP_FIXED_HEADER, end);
    writeRtpHeader(
      out,
      payloadType,
      stream.marker,
      sequenceOf(stream.index),
      stream.timestamp,
      this.#outerSsrc,
    );
    const sealed = this.#protection.sender?.protect(out, stream.index) ?? out;
    this.#outerSentAt = now;
    this.#rtcp.outerSent.count(end - headerLength, stream.timestamp, clockRate, now);
    counters.packets += 1;
    counters.octets += end - headerLength;
    this.#env.sendRtp('outer', sealed, destination.port, destination.address);
    return null;
  }

  /** `packet` is clear; its memory is ours to write the new header into. */
  #forwardInward(packet: Uint8Array, mki: Uint8Array, leg: Leg): DropReason | null {
    const counters = this.toInner;
    const headerLength = rtpHeaderLength(packet);
    const end = headerLength < 0 ? -1 : rtpPayloadEnd(packet, headerLength);
    if (end < 0) return 'malformed';
    const now = this.#env.monotonic();
    const payloadType = rtpPayloadType(packet);
    const clockRate = this.#clockRates[payloadType] ?? 8_000;
    const ssrc = rtpSsrc(packet);
    const sequence = rtpSequenceNumber(packet);
    const timestamp = rtpTimestamp(packet);
    this.#rtcp.outerReception.update(ssrc, sequence, timestamp, clockRate, now);
    if (!this.#direction.toInner) return 'held';
    const remote = this.#inner.remote;
    if (!remote) return 'no-remote';
    const stream = this.#inward;
    const marker = rtpMarker(packet);
    const outcome = stream.accept(ssrc, sequence, timestamp, marker, clockRate, now);
    if (outcome !== 'ok') return outcome;
    if (stream.switched) {
      this.#env.emit({ type: 'talker', ssrc, mki: toHex(mki), leg: leg.name });
    }
    const out = packet.subarray(headerLength - RTP_FIXED_HEADER, end);
    writeRtpHeader(
      out,
      payloadType,
      stream.marker,
      sequenceOf(stream.index),
      stream.timestamp,
      this.#innerSsrc,
    );
    this.#rtcp.innerSent.count(end - headerLength, stream.timestamp, clockRate, now);
    counters.packets += 1;
    counters.octets += end - headerLength;
    this.#env.sendRtp('inner', out, remote.port, remote.address);
    return null;
  }

  #learn(leg: Leg, address: string, port: number, now: number): void {
    const first = leg.firstMediaAt === 0;
    const moved = this.#legs.learn(leg, address, port, now);
    if (first) this.#env.emit({ type: 'media', leg: leg.name });
    if (moved) this.#env.emit({ type: 'moved', leg: leg.name, address, port });
  }

  #reportDrops(now: number): void {
    const { dropReportMs } = this.#env.limits;
    for (const direction of ['toInner', 'toOuter'] as const) {
      const counts = this[direction].takeReport(now, dropReportMs);
      if (counts) this.#env.emit({ type: 'dropped', direction, counts });
    }
  }

  /** A new SSRC is a new stream: random first index below 2^15 (RFC 3711 section 3.3.1), ROC 0. */
  #startOutward(ssrc: number): void {
    this.#outerSsrc = ssrc;
    this.#outward = this.#continuity(false, false);
    this.#rtcp.outerSent = new SentStream();
  }

  #continuity(keepLate: boolean, markTalkSpurts: boolean): RtpContinuity {
    return new RtpContinuity({
      firstIndex: this.#random32() & 0x7fff,
      firstTimestamp: this.#random32(),
      keepLate,
      markTalkSpurts,
      takeOverMs: this.#env.limits.takeOverMs,
    });
  }

  #random32(): number {
    return Buffer.from(this.#env.random(4)).readUInt32BE();
  }
}
