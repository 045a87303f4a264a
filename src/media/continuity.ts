/**
 * One steady RTP stream out of whatever sources come in: an index that only grows, a timestamp that
 * goes on, whoever sends and however often a source starts its numbers again.
 *
 * | packet | becomes |
 * |---|---|
 * | next in sequence, or ahead by a gap | the same step in the index |
 * | the same (sequence number, timestamp) again | `duplicate` |
 * | behind the highest, with an older timestamp | `late`, or its own index where late ones are kept |
 * | any other jump: the source started its numbers again | the next index, time goes on |
 * | of another source (SSRC) | the next index, time goes on; the former source is `other-source` while both send |
 *
 * A source that changes its key keeps its SSRC and is the same source.
 */

export type ContinuityOutcome = 'ok' | 'duplicate' | 'late' | 'other-source';

export interface ContinuityOptions {
  readonly firstIndex: number;
  readonly firstTimestamp: number;
  /** take packets that come out of order at their own place (never before the source's first) */
  readonly keepLate: boolean;
  /** set the marker at a new source and after a pause */
  readonly markTalkSpurts: boolean;
  readonly takeOverMs: number;
}

const MAX_GAP = 3_000;
const MAX_LATE = 1_000;
const MAX_KEPT_LATE = 100;
const HISTORY = 1_024;
const PAUSE_MS = 300;
const RESYNC_MS = 1_000;
const MAX_DISPLACED = 8;
/** a late packet's timestamp is not further back than this; further is a new start */
const MAX_LATE_TICKS = 1 << 22;

interface Displaced {
  readonly ssrc: number;
  seenAt: number;
}

export class RtpContinuity {
  /** of the packet last accepted */
  index: number;
  timestamp: number;
  marker = false;
  /** the packet last accepted came from another source than the one before */
  switched = false;

  readonly #options: ContinuityOptions;
  readonly #sequences = new Int32Array(HISTORY).fill(-1);
  readonly #timestamps = new Uint32Array(HISTORY);
  readonly #displaced: Displaced[] = [];
  #started = false;
  #ssrc = 0;
  #highestIndex: number;
  #sourceFirstIndex = 0;
  #highestSequence = 0;
  #highestTimestamp = 0;
  #offset = 0;
  #lastOut = 0;
  #lastStep = 1;
  #lastAt = 0;

  constructor(options: ContinuityOptions) {
    this.#options = options;
    this.#highestIndex = options.firstIndex - 1;
    this.index = this.#highestIndex;
    this.timestamp = options.firstTimestamp >>> 0;
    this.#lastOut = this.timestamp;
  }

  /** SSRC of the current source; meaningless before the first packet. */
  get source(): number {
    return this.#ssrc;
  }

  /** Highest index given so far. */
  get highestIndex(): number {
    return this.#highestIndex;
  }

  /**
   * Places one packet. On `ok`, `index`, `timestamp`, `marker` and `switched` describe what to send.
   * @param clockRate of the payload, Hz
   * @param now monotonic milliseconds
   */
  accept(
    ssrc: number,
    sequence: number,
    timestamp: number,
    marker: boolean,
    clockRate: number,
    now: number,
  ): ContinuityOutcome {
    this.switched = false;
    this.marker = marker;
    if (!this.#started || ssrc !== this.#ssrc) {
      if (this.#started && !this.#mayTakeOver(ssrc, now)) return 'other-source';
      this.#switch(ssrc);
      this.#restart(sequence, timestamp, clockRate, now);
      return 'ok';
    }
    const slot = sequence % HISTORY;
    if (this.#sequences[slot] === sequence && this.#timestamps[slot] === timestamp) {
      return 'duplicate';
    }
    const step = ((sequence - this.#highestSequence) << 16) >> 16;
    const ticks = (timestamp - this.#highestTimestamp) | 0;
    if (step > 0 && step <= MAX_GAP) {
      this.#advance(step, ticks, sequence, timestamp, clockRate, now);
      return 'ok';
    }
    if (step <= 0 && step > -MAX_LATE && ticks <= 0 && ticks > -MAX_LATE_TICKS) {
      return this.#late(step, sequence, timestamp) ? 'ok' : 'late';
    }
    this.#restart(sequence, timestamp, clockRate, now);
    return 'ok';
  }

  #advance(
    step: number,
    ticks: number,
    sequence: number,
    timestamp: number,
    clockRate: number,
    now: number,
  ): void {
    const idle = now - this.#lastAt;
    const expected = (idle * clockRate) / 1000;
    if (idle > RESYNC_MS && Math.abs(ticks - expected) > 2 * clockRate) {
      this.#retime(timestamp, clockRate, now);
    } else if (ticks > 0 && ticks < clockRate) {
      this.#lastStep = Math.max(1, Math.round(ticks / step));
    }
    if (idle > PAUSE_MS && this.#options.markTalkSpurts) this.marker = true;
    this.#take(this.#highestIndex + step, sequence, timestamp, now);
  }

  #late(step: number, sequence: number, timestamp: number): boolean {
    const index = this.#highestIndex + step;
    if (!this.#options.keepLate || step <= -MAX_KEPT_LATE || index < this.#sourceFirstIndex) {
      return false;
    }
    if (step === 0) return false;
    this.#remember(sequence, timestamp);
    this.index = index;
    this.timestamp = (timestamp + this.#offset) >>> 0;
    return true;
  }

  /** The source's numbers begin anew: one step in the index, time goes on by the clock. */
  #restart(sequence: number, timestamp: number, clockRate: number, now: number): void {
    this.#sequences.fill(-1);
    this.#sourceFirstIndex = this.#highestIndex + 1;
    this.#retime(timestamp, clockRate, now);
    if (this.#options.markTalkSpurts) this.marker = true;
    this.#take(this.#highestIndex + 1, sequence, timestamp, now);
  }

  #retime(timestamp: number, clockRate: number, now: number): void {
    let elapsed = 0;
    if (this.#started) {
      elapsed = Math.max(this.#lastStep, Math.round(((now - this.#lastAt) * clockRate) / 1000));
    }
    this.#offset = (this.#lastOut + elapsed - timestamp) >>> 0;
  }

  #take(index: number, sequence: number, timestamp: number, now: number): void {
    this.#started = true;
    this.#highestIndex = index;
    this.#highestSequence = sequence;
    this.#highestTimestamp = timestamp;
    this.#lastAt = now;
    this.#remember(sequence, timestamp);
    this.index = index;
    this.timestamp = (timestamp + this.#offset) >>> 0;
    this.#lastOut = this.timestamp;
  }

  #remember(sequence: number, timestamp: number): void {
    this.#sequences[sequence % HISTORY] = sequence;
    this.#timestamps[sequence % HISTORY] = timestamp;
  }

  /** A source that has just begun takes over; one that a newer source displaced waits for a pause. */
  #mayTakeOver(ssrc: number, now: number): boolean {
    const { takeOverMs } = this.#options;
    const known = this.#displaced.find((one) => one.ssrc === ssrc);
    if (!known || now - known.seenAt >= takeOverMs || now - this.#lastAt >= takeOverMs) return true;
    known.seenAt = now;
    return false;
  }

  #switch(ssrc: number): void {
    const at = this.#displaced.findIndex((one) => one.ssrc === ssrc);
    if (at >= 0) this.#displaced.splice(at, 1);
    if (this.#started) {
      this.#displaced.push({ ssrc: this.#ssrc, seenAt: this.#lastAt });
      if (this.#displaced.length > MAX_DISPLACED) this.#displaced.shift();
    }
    this.#ssrc = ssrc;
    this.switched = true;
  }
}
