import assert from 'node:assert/strict';
import { RtpContinuity, type ContinuityOutcome } from '../../src/media/continuity.js';

const RATE = 8_000;
const FRAME = 160;
const FRAME_MS = 20;

/** Drives a continuity at 50 packets a second; `step` says what each packet became. */
class Stream {
  readonly continuity: RtpContinuity;
  now = 1_000;

  constructor(keepLate: boolean, markTalkSpurts = keepLate) {
    this.continuity = new RtpContinuity({
      firstIndex: 100,
      firstTimestamp: 0xffff_ff00,
      keepLate,
      markTalkSpurts,
      takeOverMs: 200,
    });
  }

  step(sequence: number, timestamp: number, ssrc = 1, elapsedMs = FRAME_MS): number | string {
    this.now += elapsedMs;
    const outcome: ContinuityOutcome = this.continuity.accept(
      ssrc,
      sequence & 0xffff,
      timestamp >>> 0,
      false,
      RATE,
      this.now,
    );
    return outcome === 'ok' ? this.continuity.index : outcome;
  }
}

describe('the stream towards MC, from what the PBX sends', () => {
  it('takes only its steps from the inner sequence number, gaps included, over a wrap', () => {
    const s = new Stream(false);
    const got = [65_534, 65_535, 65_536, 65_540].map((i) => s.step(i, i * FRAME));
    assert.deepEqual(got, [100, 101, 102, 106]);
  });

  it('never gives a duplicate or a late packet an index', () => {
    const s = new Stream(false);
    const got = [10, 11, 13, 12, 13, 11, 14].map((i) => s.step(i, i * FRAME, 1, 1));
    assert.deepEqual(got, [100, 101, 103, 'late', 'duplicate', 'duplicate', 104]);
  });

  it('never gives a packet of 900 packets ago an index', () => {
    const s = new Stream(false);
    for (let i = 0; i < 1_000; i++) s.step(i, i * FRAME);
    assert.equal(s.step(99, 99 * FRAME), 'duplicate');
  });

  for (const [what, sequence, timestamp] of [
    ['to zero', 0, 0],
    ['far forward', 40_000, 12],
    ['a little back, with later timestamps', 4_990, 5_000 * FRAME + 1_600],
    ['a little back, with timestamps of another origin', 4_990, 0x7000_0000],
  ] as const) {
    it(`goes on with the next index when the PBX sets its sequence number ${what}`, () => {
      const s = new Stream(false);
      assert.equal(s.step(5_000, 5_000 * FRAME), 100);
      assert.equal(s.step(sequence, timestamp), 101);
      assert.equal(s.step(sequence + 1, timestamp + FRAME), 102);
    });
  }

  it('goes on in time over a restart of the timestamps', () => {
    const s = new Stream(false);
    s.step(1, 1_000);
    const before = s.continuity.timestamp;
    s.step(30_000, 77);
    assert.equal((s.continuity.timestamp - before) >>> 0, FRAME);
  });

  it('goes on with the next index and in time under a new inner SSRC', () => {
    const s = new Stream(false);
    s.step(1, 1_000, 1);
    const before = s.continuity.timestamp;
    assert.equal(s.step(60_000, 5, 2), 101);
    assert.equal((s.continuity.timestamp - before) >>> 0, FRAME);
  });

  it('passes the marker as it is', () => {
    const s = new Stream(false);
    s.step(1, 1_000);
    assert.equal(s.continuity.marker, false);
  });
});

describe('the stream towards the PBX, from who talks in the MC system', () => {
  it('keeps late packets at their own place, but none from before the talker began', () => {
    const s = new Stream(true);
    const got = [10, 12, 11, 9].map((i) => s.step(i, i * FRAME, 1, 5));
    assert.deepEqual(got, [100, 102, 101, 'late']);
  });

  it('marks the start of a talk spurt and no packet inside it', () => {
    const s = new Stream(true);
    const marks = [1, 2, 3].map((i) => {
      s.step(i, i * FRAME);
      return s.continuity.marker;
    });
    s.step(4, 4 * FRAME + 8_000, 1, 1_000);
    assert.deepEqual([...marks, s.continuity.marker], [true, false, false, true]);
  });

  it('is one sequence over a change of talker', () => {
    const s = new Stream(true);
    s.step(10, 0, 1);
    s.step(11, FRAME, 1);
    const before = s.continuity.timestamp;
    assert.equal(s.step(50_000, 9_999, 2), 102);
    assert.equal(s.continuity.marker, true);
    assert.equal((s.continuity.timestamp - before) >>> 0, FRAME);
  });

  it('gives the stream to the newer talker while both send, and back after a pause', () => {
    const s = new Stream(true);
    s.step(10, 0, 1);
    assert.equal(s.step(500, 0, 2), 101);
    assert.equal(s.step(11, FRAME, 1), 'other-source');
    assert.equal(s.step(501, FRAME, 2), 102);
    for (let i = 12; i < 25; i++) s.step(i, i * FRAME, 1);
    assert.equal(s.step(25, 25 * FRAME, 1), s.continuity.highestIndex);
    assert.equal(s.continuity.source, 1);
  });

  it('follows the clock when a talker comes back with timestamps that stood still', () => {
    const s = new Stream(true);
    s.step(10, 1_000);
    const before = s.continuity.timestamp;
    s.step(11, 1_160, 1, 10_000);
    assert.equal((s.continuity.timestamp - before) >>> 0, 80_000);
  });
});
