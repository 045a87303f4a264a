/**
 * Which packets of unknown talkers are worth the derivation of keys. An invented MKI and a real
 * talker's first packet look alike, and both cost a derivation and an authentication, so a flood of
 * invented MKIs would leave nothing for a talker who begins meanwhile. Ranks, each with a rate of
 * its own that is refilled all the time:
 *
 * | a packet | rate |
 * |---|---|
 * | from an address that SDP signalled or that has authenticated | `talkersPerSecond`, not shared with others |
 * | from any other address | `talkersPerSecond` |
 * | whose MKI, SSRC and port were seen within the last 500 ms, and not tried in vain within the last second | `returningPerSecond`, where the rates above are used up |
 *
 * A talker comes back every 20 to 60 ms with the same MKI and SSRC, so its second packet is heard
 * where its first one was not. Who floods has to send every invention twice to rank with it, which
 * makes at most half as many derivations as packets. What was seen is kept in a table of fixed size
 * (144 KiB), which is made only when the rates have run out.
 */
import type { Clock, RandomBytes } from '../base/environment.js';
import { TokenBucket } from '../base/token-bucket.js';

export interface AdmissionLimits {
  /** talkers derived in one second at their first packet: for known sources, and as many for others */
  readonly talkersPerSecond: number;
  /** talkers derived in one second at a later packet, beyond these */
  readonly returningPerSecond: number;
}

/** What is known of a packet before any of it is authentic. */
export interface TalkerSign {
  /** second half of the MKI */
  readonly gukId: number;
  readonly ssrc: number;
  readonly port: number;
  /** its address was signalled, or has authenticated */
  readonly known: boolean;
}

const SETS = 4_096;
const WAYS = 4;
const RETURN_MS = 500;
const TRIED_MS = 1_000;
/** the part of a second's rate that may be used at once */
const BURST = 0.2;
const SEED_OCTETS = 8;

/** Signs seen lately: of four that share a place the one seen longest ago makes room. */
class SeenTable {
  readonly #tags = new Uint32Array(SETS * WAYS);
  readonly #seenAt = new Uint32Array(SETS * WAYS);
  readonly #tried = new Uint8Array(SETS * WAYS);
  readonly #seeds: readonly [number, number];

  constructor(seed: Uint8Array) {
    const words = Buffer.from(seed);
    this.#seeds = [words.readUInt32BE(0), words.readUInt32BE(4)];
  }

  /** Place of a sign. `seen` and `tried` say what stood there before of it. */
  enter(sign: TalkerSign, now: number): { at: number; seen: boolean; tried: boolean } {
    const first = mix(this.#seeds[0], sign) % SETS;
    const tag = mix(this.#seeds[1], sign) | 1;
    let at = first * WAYS;
    for (let i = first * WAYS; i < (first + 1) * WAYS; i += 1) {
      if (this.#tags[i] === tag >>> 0) {
        const age = this.#age(i, now);
        this.#seenAt[i] = now;
        if (age >= TRIED_MS) this.#tried[i] = 0;
        return { at: i, seen: age <= RETURN_MS, tried: this.#tried[i] === 1 };
      }
      if (this.#age(i, now) > this.#age(at, now)) at = i;
    }
    this.#tags[at] = tag;
    this.#seenAt[at] = now;
    this.#tried[at] = 0;
    return { at, seen: false, tried: false };
  }

  mark(at: number, tried: boolean): void {
    this.#tried[at] = tried ? 1 : 0;
  }

  #age(at: number, now: number): number {
    return this.#tags[at] === 0 ? Infinity : (now - (this.#seenAt[at] ?? 0)) >>> 0;
  }
}

export class TalkerAdmission {
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #known: TokenBucket;
  readonly #other: TokenBucket;
  readonly #returning: TokenBucket;
  #seen: SeenTable | null = null;
  #lastAt = -1;

  constructor(limits: AdmissionLimits, clock: Clock, random: RandomBytes) {
    this.#clock = clock;
    this.#random = random;
    const { talkersPerSecond, returningPerSecond } = limits;
    const bucket = (rate: number): TokenBucket =>
      new TokenBucket(clock, rate, Math.max(1, rate * BURST));
    this.#known = bucket(talkersPerSecond);
    this.#other = bucket(talkersPerSecond);
    this.#returning = bucket(returningPerSecond);
  }

  /** Whether the keys of this sign are to be derived now. */
  admits(sign: TalkerSign): boolean {
    this.#lastAt = -1;
    const first = sign.known ? this.#known : this.#other;
    if (this.#seen === null) {
      if (first.take()) return true;
      this.#seen = new SeenTable(this.#random(SEED_OCTETS));
    }
    const now = Math.floor(this.#clock.now()) >>> 0;
    const { at, seen, tried } = this.#seen.enter(sign, now);
    if (!first.take() && !(seen && !tried && this.#returning.take())) return false;
    this.#seen.mark(at, true);
    this.#lastAt = at;
    return true;
  }

  /** The packet that was admitted last is authentic: its talker was not tried in vain. */
  proved(): void {
    if (this.#lastAt >= 0) this.#seen?.mark(this.#lastAt, false);
    this.#lastAt = -1;
  }

  /** Keys have changed: what was in vain before may be good now. */
  forget(): void {
    this.#seen = null;
    this.#lastAt = -1;
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
