/**
 * Reception statistics of one received stream: RFC 3550 section 6.4.1 and appendices A.3 and A.8.
 */
import type { RtcpReportBlock } from '../srtp/index.js';

const CYCLE = 0x1_0000;

export class Reception {
  #ssrc = -1;
  #base = 0;
  #highest = 0;
  #received = 0;
  #expectedPrior = 0;
  #receivedPrior = 0;
  #jitter = 0;
  #transit: number | null = null;
  #clockRate = 8000;
  #lastSr = 0;
  #lastSrAt = 0;

  get active(): boolean {
    return this.#ssrc >= 0;
  }

  /** Packets lost of the current stream; duplicates may make it negative. */
  get lost(): number {
    return this.active ? this.#highest - this.#base + 1 - this.#received : 0;
  }

  get jitterMs(): number {
    return (this.#jitter * 1000) / this.#clockRate;
  }

  /** Counts a packet; a new SSRC or a jump of its numbers starts the statistics again. */
  update(ssrc: number, sequence: number, timestamp: number, clockRate: number, now: number): void {
    const step = ((sequence - (this.#highest % CYCLE)) << 16) >> 16;
    if (ssrc !== this.#ssrc || step > 3_000 || step < -1_000) this.#reset(ssrc, sequence);
    else if (step > 0) this.#highest += step;
    this.#received += 1;
    this.#clockRate = clockRate;
    const transit = Math.round((now * clockRate) / 1000) - timestamp;
    if (this.#transit !== null) {
      const d = Math.abs((transit - this.#transit) | 0);
      if (d < clockRate) this.#jitter += (d - this.#jitter) / 16;
    }
    this.#transit = transit;
  }

  /** Takes the NTP time of a sender report of this stream. */
  senderReport(ssrc: number, ntpSeconds: number, ntpFraction: number, now: number): void {
    if (ssrc !== this.#ssrc) return;
    this.#lastSr = (((ntpSeconds & 0xffff) << 16) | (ntpFraction >>> 16)) >>> 0;
    this.#lastSrAt = now;
  }

  /** Report block since the last one; null before the first packet. */
  report(now: number): RtcpReportBlock | null {
    if (!this.active) return null;
    const expected = this.#highest - this.#base + 1;
    const expectedNow = expected - this.#expectedPrior;
    const receivedNow = this.#received - this.#receivedPrior;
    this.#expectedPrior = expected;
    this.#receivedPrior = this.#received;
    const lostNow = Math.max(0, expectedNow - receivedNow);
    const delay = this.#lastSr === 0 ? 0 : Math.round(((now - this.#lastSrAt) * 65_536) / 1000);
    return {
      ssrc: this.#ssrc,
      fractionLost: expectedNow > 0 ? Math.min(255, Math.floor((lostNow * 256) / expectedNow)) : 0,
      cumulativeLost: this.lost,
      highestSequence: this.#highest % 2 ** 32,
      jitter: Math.floor(this.#jitter),
      lastSr: this.#lastSr,
      delaySinceLastSr: delay % 2 ** 32,
    };
  }

  #reset(ssrc: number, sequence: number): void {
    this.#ssrc = ssrc;
    this.#base = sequence;
    this.#highest = sequence;
    this.#received = 0;
    this.#expectedPrior = 0;
    this.#receivedPrior = 0;
    this.#jitter = 0;
    this.#transit = null;
    this.#lastSr = 0;
  }
}
