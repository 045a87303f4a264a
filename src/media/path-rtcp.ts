/**
 * RTCP of one session. It ends on each side: reports that come in feed the statistics, reports that
 * go out are our own about our own streams. Outside it is SRTCP under the media's keys.
 */
import { parseRtcp, type SrtpSender } from '../srtp/index.js';
import type { InnerPeer } from './inner-peer.js';
import type { Legs } from './legs.js';
import type { PathEnvironment } from './path.js';
import type { Protection } from './protection.js';
import { Reception } from './reception.js';
import { RtcpReporter, SentStream } from './rtcp-reporter.js';
import type { DropReason } from './types.js';

export class PathRtcp {
  /** of the stream that comes from the outer, and from the inner side */
  readonly outerReception = new Reception();
  readonly innerReception = new Reception();
  /** our stream towards the outer side; begins anew with its SSRC */
  outerSent = new SentStream();
  readonly innerSent = new SentStream();
  fromOuterCount = 0;
  fromInnerCount = 0;
  readonly #env: PathEnvironment;
  readonly #protection: Protection;
  readonly #legs: Legs;
  readonly #inner: InnerPeer;
  readonly #outerReporter: RtcpReporter;
  readonly #innerReporter: RtcpReporter;

  constructor(env: PathEnvironment, protection: Protection, legs: Legs, inner: InnerPeer) {
    this.#env = env;
    this.#protection = protection;
    this.#legs = legs;
    this.#inner = inner;
    const now = env.monotonic();
    this.#outerReporter = new RtcpReporter(env.random, env.limits.rtcpIntervalMs, now);
    this.#innerReporter = new RtcpReporter(env.random, env.limits.rtcpIntervalMs, now);
  }

  /** Why the packet was dropped; null when its reports were taken. */
  fromOuter(packet: Uint8Array, address: string, port: number): DropReason | null {
    let clear = packet;
    if (this.#protection.receiver) {
      const result = this.#protection.unprotectRtcp(packet, address, port);
      if (!result.ok) return result.reason;
      clear = result.packet;
      const leg = this.#legs.attribute(result.ssrc, address, port);
      if (leg && result.newest) this.#legs.learnRtcp(leg, address, port);
    } else if (!this.#legs.signalledAt(address)) {
      return 'source';
    }
    if (!this.#readReports(clear, this.outerReception)) return 'malformed';
    this.fromOuterCount += 1;
    return null;
  }

  fromInner(packet: Uint8Array, address: string): DropReason | null {
    if (!this.#inner.acceptsRtcp(address)) return 'source';
    if (!this.#readReports(packet, this.innerReception)) return 'malformed';
    this.fromInnerCount += 1;
    return null;
  }

  /** Sends the reports that are due. */
  tick(now: number, outerSsrc: number, innerSsrc: number): void {
    if (this.#outerReporter.isDue(now)) this.#sendOuter(now, outerSsrc, false);
    if (this.#innerReporter.isDue(now)) this.#sendInner(now, innerSsrc, false);
  }

  /** Last report and BYE on both sides. */
  bye(now: number, outerSsrc: number, innerSsrc: number): void {
    this.#sendOuter(now, outerSsrc, true);
    this.#sendInner(now, innerSsrc, true);
  }

  #sendOuter(now: number, ssrc: number, bye: boolean): void {
    const block = this.outerReception.report(now);
    const unixMs = this.#env.unixMs();
    const compound = this.#outerReporter.compose(ssrc, this.outerSent, block, now, unixMs, bye);
    const destination = this.#legs.destination;
    if (!destination) return;
    const sender: SrtpSender | null = this.#protection.sender;
    if (this.#protection.receiver && !sender) return;
    const packet = sender ? sender.protectRtcp(compound) : compound;
    this.#env.sendRtcp('outer', packet, destination.rtcpPort, destination.rtcpAddress);
  }

  #sendInner(now: number, ssrc: number, bye: boolean): void {
    const block = this.innerReception.report(now);
    const unixMs = this.#env.unixMs();
    const compound = this.#innerReporter.compose(ssrc, this.innerSent, block, now, unixMs, bye);
    const { remote } = this.#inner;
    if (remote) this.#env.sendRtcp('inner', compound, this.#inner.rtcpPort, remote.address);
  }

  #readReports(compound: Uint8Array, reception: Reception): boolean {
    const packets = parseRtcp(compound);
    if (!packets) return false;
    const now = this.#env.monotonic();
    for (const packet of packets) {
      if (packet.type !== 'sr') continue;
      const { ntpSeconds, ntpFraction } = packet.sender;
      reception.senderReport(packet.ssrc, ntpSeconds, ntpFraction, now);
    }
    return true;
  }
}
