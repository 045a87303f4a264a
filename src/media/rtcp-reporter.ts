/**
 * Our own RTCP on one side of a session: when it is due and what it says (RFC 3550 sections 6.2 and
 * 6.4). Nothing of the other side's RTCP passes through.
 */
import type { RandomBytes } from '../base/environment.js';
import {
  buildBye,
  buildCompound,
  buildRr,
  buildSdes,
  buildSr,
  ntpTime,
  type RtcpReportBlock,
} from '../srtp/index.js';

/** What was sent in our stream on this side. */
export class SentStream {
  packets = 0;
  octets = 0;
  #timestamp = 0;
  #clockRate = 8000;
  #at = 0;

  count(payloadOctets: number, timestamp: number, clockRate: number, now: number): void {
    this.packets += 1;
    this.octets += payloadOctets;
    this.#timestamp = timestamp;
    this.#clockRate = clockRate;
    this.#at = now;
  }

  /** RTP timestamp that stands for `now`. */
  timestampAt(now: number): number {
    return (this.#timestamp + Math.round(((now - this.#at) * this.#clockRate) / 1000)) >>> 0;
  }

  sentSince(then: number): boolean {
    return this.packets > 0 && this.#at >= then;
  }
}

export class RtcpReporter {
  readonly #cname: string;
  readonly #random: RandomBytes;
  readonly #intervalMs: number;
  #dueAt: number;
  #lastAt = 0;

  /** @param now monotonic milliseconds; the first report comes after a quarter to three quarters of an interval */
  constructor(random: RandomBytes, intervalMs: number, now: number) {
    this.#random = random;
    this.#intervalMs = intervalMs;
    this.#cname = Buffer.from(random(12)).toString('base64');
    this.#dueAt = now + this.#draw() / 2;
  }

  isDue(now: number): boolean {
    return now >= this.#dueAt;
  }

  /** Compound SR or RR, and SDES, and BYE where the stream ends; the next report is drawn anew. */
  compose(
    ssrc: number,
    sent: SentStream,
    block: RtcpReportBlock | null,
    now: number,
    unixMs: number,
    bye = false,
  ): Uint8Array {
    const blocks = block ? [block] : [];
    const active = sent.sentSince(this.#lastAt - this.#intervalMs);
    const report = active
      ? buildSr(
          ssrc,
          {
            ...ntpTime(unixMs),
            rtpTimestamp: sent.timestampAt(now),
            packetCount: sent.packets % 2 ** 32,
            octetCount: sent.octets % 2 ** 32,
          },
          blocks,
        )
      : buildRr(ssrc, blocks);
    this.#lastAt = now;
    this.#dueAt = now + this.#draw();
    const sdes = buildSdes(ssrc, this.#cname);
    return bye ? buildCompound(report, sdes, buildBye([ssrc])) : buildCompound(report, sdes);
  }

  #draw(): number {
    const fraction = Buffer.from(this.#random(4)).readUInt32BE() / 2 ** 32;
    return this.#intervalMs * (0.5 + fraction);
  }
}
