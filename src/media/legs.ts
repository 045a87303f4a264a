/**
 * Outer remotes of one session: one leg for each early dialog of a forked call.
 *
 * A leg's address is what SDP signalled until an authenticated packet shows another; then it
 * follows the packets. An authenticated packet belongs to the leg that owns its SSRC, else to the
 * one whose signalled address it comes from, else to the only leg there is.
 */
import { SegyError } from '../base/errors.js';
import type { MediaAddress } from './types.js';

export interface Destination {
  readonly address: string;
  readonly port: number;
  readonly rtcpAddress: string;
  readonly rtcpPort: number;
}

const SSRCS_PER_LEG = 64;

export class Leg {
  readonly name: string;
  signalled: MediaAddress | null = null;
  /** from authenticated RTP */
  learned: { address: string; port: number } | null = null;
  /** from authenticated RTCP */
  learnedRtcp: { address: string; port: number } | null = null;
  /** monotonic; 0 before the first authenticated packet */
  firstMediaAt = 0;
  readonly ssrcs = new Set<number>();

  constructor(name: string) {
    this.name = name;
  }

  destination(): Destination | null {
    const rtp = this.learned ?? this.signalled;
    if (!rtp) return null;
    const signalledRtcp = this.signalled?.rtcpPort ?? rtp.port + 1;
    const rtcp = this.learnedRtcp ?? { address: rtp.address, port: signalledRtcp };
    return {
      address: rtp.address,
      port: rtp.port,
      rtcpAddress: rtcp.address,
      rtcpPort: rtcp.port,
    };
  }

  owns(ssrc: number): void {
    if (this.ssrcs.size >= SSRCS_PER_LEG) {
      const oldest = this.ssrcs.values().next();
      if (oldest.done !== true) this.ssrcs.delete(oldest.value);
    }
    this.ssrcs.add(ssrc);
  }
}

/** Leg of authenticated packets that come before any SDP did. */
const UNSIGNALLED = '';

export class Legs {
  readonly #legs = new Map<string, Leg>();
  readonly #limit: number;
  #selected: Leg | null = null;
  #latest: Leg | null = null;
  #destination: Destination | null = null;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Where outer packets go: the selected leg, else the one whose media began last, else the newest. */
  get destination(): Destination | null {
    return this.#destination;
  }

  /** @throws SegyError SEGY_E_MEDIA beyond the limit of legs */
  setRemote(name: string, address: MediaAddress | null): void {
    const leg = this.#leg(name);
    const before = leg.signalled;
    leg.signalled = address;
    if (before?.address !== address?.address || before?.port !== address?.port) {
      leg.learned = null;
      leg.learnedRtcp = null;
    }
    if (!this.#selected && !(this.#latest && this.#latest.firstMediaAt > 0)) this.#latest = leg;
    this.#refresh();
  }

  select(name: string): void {
    this.#selected = this.#leg(name);
    this.#refresh();
  }

  drop(name: string): void {
    const leg = this.#legs.get(name);
    if (!leg) return;
    this.#legs.delete(name);
    if (this.#selected === leg) this.#selected = null;
    if (this.#latest === leg) this.#latest = [...this.#legs.values()].pop() ?? null;
    this.#refresh();
  }

  /** Whether outer packets go to this address now: it was signalled, or has authenticated. */
  knows(address: string, port: number): boolean {
    for (const leg of this.#legs.values()) {
      const to = leg.destination();
      if (to?.address === address && to.port === port) return true;
      if (to?.rtcpAddress === address && to.rtcpPort === port) return true;
    }
    return false;
  }

  /** The leg of an authenticated packet; null when it cannot be told, or another leg is confirmed. */
  attribute(ssrc: number, address: string, port: number): Leg | null {
    const leg = this.#find(ssrc, address, port);
    if (!leg) return null;
    return this.#selected && this.#selected !== leg ? null : leg;
  }

  /** Follows an authenticated RTP packet; true when its address is new for the leg. */
  learn(leg: Leg, address: string, port: number, now: number): boolean {
    if (leg.firstMediaAt === 0) {
      leg.firstMediaAt = Math.max(now, 1);
      if (!this.#selected) this.#latest = leg;
      this.#refresh();
    }
    const known = leg.learned ?? leg.signalled;
    if (leg.learned && known?.address === address && known.port === port) return false;
    leg.learned = { address, port };
    if (known?.address !== address) leg.learnedRtcp = null;
    this.#refresh();
    return known?.address !== address || known.port !== port;
  }

  /** Follows an authenticated RTCP packet. */
  learnRtcp(leg: Leg, address: string, port: number): void {
    if (leg.learnedRtcp?.address === address && leg.learnedRtcp.port === port) return;
    leg.learnedRtcp = { address, port };
    this.#refresh();
  }

  /** The leg that signalled this address (any port); for clear media, which proves nothing itself. */
  signalledAt(address: string): Leg | null {
    for (const leg of this.#legs.values()) {
      if (leg.signalled?.address === address && (!this.#selected || this.#selected === leg)) {
        return leg;
      }
    }
    return null;
  }

  #find(ssrc: number, address: string, port: number): Leg | null {
    let sameHost: Leg | null = null;
    let samePort: Leg | null = null;
    for (const leg of this.#legs.values()) {
      if (leg.name !== UNSIGNALLED && leg.ssrcs.has(ssrc)) return leg;
      if (leg.signalled?.address !== address) continue;
      sameHost = leg;
      if (leg.signalled.port === port) samePort = leg;
    }
    const signalled = [...this.#legs.values()].filter((leg) => leg.name !== UNSIGNALLED);
    const only = signalled.length === 1 ? (signalled[0] ?? null) : null;
    const leg = samePort ?? sameHost ?? only;
    if (leg) {
      leg.owns(ssrc);
      return leg;
    }
    return signalled.length === 0 ? this.#leg(UNSIGNALLED) : null;
  }

  #leg(name: string): Leg {
    const held = this.#legs.get(name);
    if (held) return held;
    if (this.#legs.size >= this.#limit) {
      throw new SegyError('SEGY_E_MEDIA', 'the session has too many early dialogs');
    }
    const leg = new Leg(name);
    this.#legs.set(name, leg);
    return leg;
  }

  #refresh(): void {
    const leg = this.#selected ?? this.#latest;
    this.#destination = leg?.destination() ?? null;
    if (!this.#destination && !this.#selected) {
      for (const other of this.#legs.values()) {
        const destination = other.destination();
        if (destination) this.#destination = destination;
      }
    }
  }
}
