/**
 * The packet path of one session, without sockets: what happens to each packet that arrives on one
 * of its ports. It runs in a worker; it is a plain object so that tests can drive it. What it sends
 * is in path-streams.ts; where the call has floor control, floor-path.ts says who may speak.
 */
import type { RandomBytes, Timers } from '../base/environment.js';
import {
  rtpHeaderLength,
  rtpPayloadEnd,
  rtpPayloadType,
  rtpSequenceNumber,
  rtpSsrc,
  rtpTimestamp,
} from '../srtp/index.js';
import { clockRateTable } from './clock-rates.js';
import { DirectionCounters } from './counters.js';
import { FloorPath } from './floor-path.js';
import { Dialler } from './dialler.js';
import { FloorCounters } from './floor-counters.js';
import type { FloorCommand } from './floor-types.js';
import { InnerPeer } from './inner-peer.js';
import { Legs, type Leg } from './legs.js';
import type { MediaLimits } from './options.js';
import { Protection } from './protection.js';
import type { PathCommand, WireFloor } from './protocol.js';
import { PathRtcp } from './path-rtcp.js';
import { InwardStream, OutwardStream, random32 } from './path-streams.js';
import type { DropReason, MediaEvent, MediaSide, MediaStats } from './types.js';

/** The sockets of a session, and time. */
export interface PathEnvironment {
  readonly limits: MediaLimits;
  readonly innerAllowed: ReadonlySet<string>;
  readonly random: RandomBytes;
  readonly timers: Timers;
  /** milliseconds that never go back */
  monotonic(): number;
  /** milliseconds since 1970 */
  unixMs(): number;
  sendRtp(side: MediaSide, packet: Uint8Array, port: number, address: string): void;
  sendRtcp(side: MediaSide, packet: Uint8Array, port: number, address: string): void;
  /** from the floor port */
  sendFloor(packet: Uint8Array, port: number, address: string): void;
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
  readonly #inward: InwardStream;
  readonly #outward: OutwardStream;
  readonly #rtcp: PathRtcp;
  #direction = { toInner: true, toOuter: true };
  #clockRates = clockRateTable({});
  #authenticatedAt: number | null = null;
  readonly floorCounters = new FloorCounters();
  /** null without floor control */
  #floor: FloorPath | null = null;
  readonly #dialler: Dialler;

  constructor(id: string, env: PathEnvironment, markTalkSpurts: boolean) {
    this.id = id;
    this.#env = env;
    this.#protection = new Protection(env.limits, {
      clock: { now: () => env.monotonic() },
      random: env.random,
      isKnownSource: (address, port) => this.#legs.knows(address, port),
      waitedInVain: (count) => this.toInner.drop('unknown-mki', count),
    });
    this.#legs = new Legs(env.limits.legs);
    this.#inner = new InnerPeer(env.innerAllowed);
    this.#rtcp = new PathRtcp(env, this.#protection, this.#legs, this.#inner);
    const parts = {
      env,
      protection: this.#protection,
      legs: this.#legs,
      inner: this.#inner,
      rtcp: this.#rtcp,
    };
    this.#inward = new InwardStream(parts, this.toInner, markTalkSpurts);
    this.#outward = new OutwardStream(parts, this.toOuter);
    this.#dialler = new Dialler(env.timers, (event) => this.#inward.insert(event));
  }

  /** Carries out a command that is the path's. @throws SegyError as MediaSession says */
  command(command: PathCommand): void {
    switch (command.type) {
      case 'arm': {
        this.#clockRates = clockRateTable(command.clockRates);
        this.#begin(this.#protection.arm(command.receive, command.send));
        return;
      }
      case 'rekey': {
        this.#begin(this.#protection.rekey(command.receive?.keys ?? null, command.send));
        return;
      }
      case 'clockRates':
        this.#clockRates = clockRateTable(command.clockRates);
        return;
      case 'group':
        this.#begin(this.#protection.changeGroup(command.keys, command.send));
        return;
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
      case 'floor':
        this.#setFloor(command.setup);
        return;
      case 'floorCommand':
        this.#floorCommand(command.command);
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

  onFloor(packet: Uint8Array, address: string): void {
    if (packet.length === 0 || !this.#protection.armed) return;
    this.#floor?.onDatagram(packet, address);
  }

  /** RTCP, keep-alive and drop reports that are due. */
  tick(): void {
    const now = this.#env.monotonic();
    this.#protection.tick();
    this.#reportDrops(now);
    if (!this.#protection.armed) return;
    this.#inward.tick(now);
    this.#rtcp.tick(now, this.#outward.ssrc, this.#inward.ssrc);
    this.#floor?.tick(now);
    const destination = this.#legs.destination;
    if (destination && now - this.#outward.sentAt >= this.#env.limits.keepAliveMs) {
      this.#outward.sentAt = now;
      this.#env.sendRtp('outer', EMPTY, destination.port, destination.address);
    }
  }

  /** The floor is given back, BYE on both sides, then no packet passes and no key is left. */
  disarm(): void {
    if (!this.#protection.armed) return;
    try {
      this.#setFloor(null);
      this.#dialler.stop();
      this.#rtcp.bye(this.#env.monotonic(), this.#outward.ssrc, this.#inward.ssrc);
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
      outerSsrc: this.#protection.armed ? this.#outward.ssrc : null,
      innerSsrc: this.#inward.ssrc,
      sinceAuthenticatedMs: this.#authenticatedAt === null ? null : now - this.#authenticatedAt,
      streams: this.#protection.receiver?.streamCount ?? 0,
      rocJumps: this.#protection.receiver?.rocJumps ?? 0,
      rtcpFromOuter: this.#rtcp.fromOuterCount,
      rtcpFromInner: this.#rtcp.fromInnerCount,
      floor: this.floorCounters.stats(),
    };
  }

  /** Why the packet was dropped; null when it was forwarded, or waits for its keys or the floor. */
  #fromOuter(packet: Uint8Array, address: string, port: number): DropReason | null {
    const protection = this.#protection;
    if (!protection.armed) return 'disarmed';
    if (packet.length > this.#env.limits.datagram) return 'malformed';
    if (!protection.receiver) {
      const leg = this.#legs.signalledAt(address);
      if (!leg) return 'source';
      return this.#inwards(packet, EMPTY, leg);
    }
    const result = protection.unprotect(packet, address, port);
    if (!result.ok) return result.reason;
    for (const earlier of protection.takeWaiting()) {
      this.onOuterRtp(earlier.packet, earlier.address, earlier.port);
    }
    const now = this.#env.monotonic();
    this.#authenticatedAt = now;
    const leg = this.#legs.attribute(result.ssrc, address, port);
    if (!leg) return 'leg';
    if (result.newest) this.#learn(leg, address, port, now);
    return this.#inwards(result.packet, result.mki, leg);
  }

  /** Why the packet was dropped; null when it was forwarded, or waits for the floor. */
  #fromInner(packet: Uint8Array, address: string, port: number): DropReason | null {
    if (!this.#protection.armed) return 'disarmed';
    // a PBX may speak before its SDP has come this far: nothing to warn of
    if (this.#inner.remote === null) return 'no-remote';
    if (!this.#inner.accepts(address, port)) return 'source';
    if (!isWhole(packet) || packet.length > this.#env.limits.datagram) return 'malformed';
    const clockRate = this.#received(packet, 'innerReception');
    if (!this.#direction.toOuter) return 'held';
    const gate = this.#floor?.fromRadio(packet) ?? 'open';
    if (gate === 'open') return this.#outward.forward(packet, clockRate);
    return gate === 'waits' ? null : gate;
  }

  /** `packet` is clear; its memory is ours. */
  #inwards(packet: Uint8Array, mki: Uint8Array, leg: Leg): DropReason | null {
    if (!isWhole(packet)) return 'malformed';
    const clockRate = this.#received(packet, 'outerReception');
    if (!this.#direction.toInner) return 'held';
    const forward = (): DropReason | null => this.#inward.forward(packet, clockRate, mki, leg);
    if (!this.#floor) return forward();
    const gate = this.#floor.fromMc(rtpSsrc(packet), forward);
    if (gate === 'open') return forward();
    return gate === 'waits' ? null : gate;
  }

  /** Counts a packet for the reception reports. @returns its RTP clock in Hz */
  #received(packet: Uint8Array, stream: 'innerReception' | 'outerReception'): number {
    const clockRate = this.#clockRateOf(packet);
    this.#rtcp[stream].update(
      rtpSsrc(packet),
      rtpSequenceNumber(packet),
      rtpTimestamp(packet),
      clockRate,
      this.#env.monotonic(),
    );
    return clockRate;
  }

  #clockRateOf(packet: Uint8Array): number {
    return this.#clockRates[rtpPayloadType(packet)] ?? 8_000;
  }

  #setFloor(setup: WireFloor | null): void {
    if (setup === null) {
      this.#floor?.end();
      this.#floor = null;
    } else if (this.#floor) this.#floor.change(setup);
    else {
      this.#floor = new FloorPath(this.#env, setup, {
        forward: (held) => this.#outward.forward(held, this.#clockRateOf(held)),
        dial: (digits, payloadType) => this.#dialler.dial(digits, payloadType),
        droppedOutward: (reason) => this.toOuter.drop(reason),
        droppedInward: (reason) => this.toInner.drop(reason),
        counters: this.floorCounters,
      });
    }
  }

  #floorCommand(command: FloorCommand): void {
    this.#floor?.command(command);
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

  /** The outgoing stream begins anew with a new sender. */
  #begin(anew: boolean): void {
    if (anew) this.#outward.start(this.#protection.sender?.ssrc ?? random32(this.#env));
  }
}

function isWhole(packet: Uint8Array): boolean {
  const headerLength = rtpHeaderLength(packet);
  return headerLength >= 0 && rtpPayloadEnd(packet, headerLength) >= 0;
}
