/**
 * Which packets of unknown talkers are worth the derivation of keys. An invented MKI and a real
 * talker's first packet look alike, and both cost a derivation and an authentication, so a flood of
 * invented MKIs would leave nothing for a talker who begins meanwhile. Ranks, each with a rate of
 * its own that is refilled all the time:
 *
 * | a packet | rate |
 * |---|---|
 * | whose MKI names a member that is known | `memberPerSecond` for each, `talkersPerSecond` for all |
 * | from an address that SDP signalled or that has authenticated | `talkersPerSecond`, not shared with others |
 * | from any other address | `talkersPerSecond` |
 * | whose MKI, SSRC and port were seen within the last 500 ms | `returningPerSecond`, where the rates above are used up |
 *
 * A talker comes back every 20 to 60 ms with the same MKI and SSRC, and an invention has to be sent
 * again to do so too. Of those that return, who came more often since it was tried last goes first:
 * each more time may take from an eighth of the rate that the ones before must leave. To stand in a
 * talker's way at its n-th packet, a flood has to send each of its inventions n times for each try,
 * so that it gets the fewer of them.
 *
 * Who copies the MKI, SSRC and port of a talker does not use up its tries: the keys that a copy made
 * us derive are the talker's, and the receiver keeps those that nothing has proven yet for longer
 * than a talker pauses between two packets, so that its next one needs no derivation. It is tried
 * with them within `retriesPerSecond`, of which all that comes under keys not proven yet has a fair
 * share.
 *
 * What was seen is kept in a table of fixed size (160 KiB), which is made only when the rates have
 * run out.
 */
import type { Clock, RandomBytes } from '../base/environment.js';
import { TokenBucket } from '../base/token-bucket.js';
import { FairShare } from './fair-share.js';

export interface AdmissionLimits {
  /** talkers derived in one second at their first packet: for known sources, and as many for others */
  readonly talkersPerSecond: number;
  /** talkers derived in one second at a later packet, beyond these */
  readonly returningPerSecond: number;
  /** packets tried in one second with keys that were derived before and are not proven yet */
  readonly retriesPerSecond: number;
  /** derived in one second for one member that is known */
  readonly memberPerSecond: number;
}

/** What is known of a packet before any of it is authentic. */
export interface TalkerSign {
  /** second half of the MKI */
  readonly gukId: number;
  readonly ssrc: number;
  readonly port: number;
  /** its address was signalled, or has authenticated */
  readonly known: boolean;
  /** its GUK-ID is that of a member */
  readonly member: boolean;
}

const SETS = 4_096;
const WAYS = 4;
const RETURN_MS = 500;
/** from so many returns on nothing has to be left for anybody */
const PATIENCE = 8;
const MAX_RETURNS = 255;
/** the part of a second's rate that may be used at once */
const BURST = 0.2;
const SEED_OCTETS = 8;

/** Signs seen lately: of four that share a place the one seen longest ago makes room. */
class SeenTable {
  readonly #tags = new Uint32Array(SETS * WAYS);
  readonly #seenAt = new Uint32Array(SETS * WAYS);
  readonly #returns = new Uint8Array(SETS * WAYS);
  readonly #seeds: readonly [number, number];

  constructor(seed: Uint8Array) {
    const words = Buffer.from(seed);
    this.#seeds = [words.readUInt32BE(0), words.readUInt32BE(4)];
  }

  /** Place of a sign, and how often it has come back since it was new or was tried. */
  enter(sign: TalkerSign, now: number): { at: number; returns: number } {
    const first = mix(this.#seeds[0], sign) % SETS;
    const tag = mix(this.#seeds[1], sign) | 1;
    let at = first * WAYS;
    for (let i = first * WAYS; i < (first + 1) * WAYS; i += 1) {
      if (this.#tags[i] === tag >>> 0) {
        const age = this.#age(i, now);
        const returns = age > RETURN_MS ? 0 : Math.min(MAX_RETURNS, (this.#returns[i] ?? 0) + 1);
        this.#seenAt[i] = now;
        this.#returns[i] = returns;
        return { at: i, returns };
      }
      if (this.#age(i, now) > this.#age(at, now)) at = i;
    }
    this.#tags[at] = tag;
    this.#seenAt[at] = now;
    this.#returns[at] = 0;
    return { at, returns: 0 };
  }

  tried(at: number): void {
    this.#returns[at] = 0;
  }

  #age(at: number, now: number): number {
    return this.#tags[at] === 0 ? Infinity : (now - (this.#seenAt[at] ?? 0)) >>> 0;
  }
}

export class TalkerAdmission {
  readonly #limits: AdmissionLimits;
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #members: TokenBucket;
  readonly #known: TokenBucket;
  readonly #other: TokenBucket;
  readonly #returning: TokenBucket;
  readonly #retries: FairShare;
  /** by GUK-ID */
  readonly #member = new Map<number, TokenBucket>();
  #seen: SeenTable | null = null;

  constructor(limits: AdmissionLimits, clock: Clock, random: RandomBytes) {
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
    this.#members = this.#bucket(limits.talkersPerSecond);
    this.#known = this.#bucket(limits.talkersPerSecond);
    this.#other = this.#bucket(limits.talkersPerSecond);
    this.#returning = this.#bucket(limits.returningPerSecond);
    this.#retries = new FairShare(clock, limits.retriesPerSecond, random);
  }

  /** Whether the keys of this sign are to be derived now. */
  admits(sign: TalkerSign): boolean {
    if (sign.member && this.#admitsMember(sign.gukId)) return true;
    const first = sign.known ? this.#known : this.#other;
    if (this.#seen === null) {
      if (first.take()) return true;
      this.#seen = new SeenTable(this.#random(SEED_OCTETS));
    }
    const now = Math.floor(this.#clock.now()) >>> 0;
    const { at, returns } = this.#seen.enter(sign, now);
    if (!first.take() && !(returns > 0 && this.#admitsReturn(returns))) return false;
    this.#seen.tried(at);
    return true;
  }

  /** Whether a packet is to be tried with keys that were derived before and are not proven. */
  triesAgain(): boolean {
    return this.#retries.take();
  }

  /** Keys have changed: what was in vain before may be good now. */
  forget(): void {
    this.#seen = null;
    this.#member.clear();
  }

  #admitsMember(gukId: number): boolean {
    let own = this.#member.get(gukId);
    if (own === undefined) {
      own = this.#bucket(this.#limits.memberPerSecond);
      this.#member.set(gukId, own);
    }
    return own.take() && this.#members.take();
  }

  #admitsReturn(returns: number): boolean {
    const burst = this.#limits.returningPerSecond * BURST;
    return this.#returning.take(burst * Math.max(0, 1 - returns / PATIENCE));
  }

  #bucket(perSecond: number): TokenBucket {
    return new TokenBucket(this.#clock, perSecond, Math.max(1, perSecond * BURST));
  }
}

function mix(seed: number, { gukId, ssrc, port }: TalkerSign): number {
  let hash = seed;
  for (const word of [gukId, ssrc, port]) {
    hash = Math.imul(hash ^ word, 0x9e37_79b1);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca77);
    hash ^= hash >>> 13;
  }
  return hash >>> 0;
}
