import { toneShare } from '../../src/sim/tone.js';

const RATE = 8_000;
/** a sample below it is none of a test tone's but those at its zeros */
const QUIET = 500;
/** so many quiet samples in a row are silence, 2 ms; a test tone of 100 Hz has one at its zeros */
const SILENCE = 16;
const TONE_SHARE = 0.9;

/**
 * Milliseconds of a tone, whatever silence stands before, behind and between its parts. A mixer goes
 * by its own clock: what comes late it mixes later, with silence between, and it cuts its frames
 * elsewhere than the talker. So what is counted is samples, and not whole frames.
 */
export function toneAmount(samples: Int16Array, toneHz: number): number {
  let amount = 0;
  for (const part of soundsIn(samples)) {
    if (toneShare(part, toneHz, RATE) >= TONE_SHARE) amount += part.length;
  }
  return (amount * 1000) / RATE;
}

/** The parts between silences. */
function* soundsIn(samples: Int16Array): Iterable<Int16Array> {
  let start = -1;
  let loud = -1;
  for (let i = 0; i <= samples.length; i += 1) {
    const ends = i === samples.length || i - loud > SILENCE;
    if (start >= 0 && ends) {
      yield samples.subarray(start, loud + 1);
      start = -1;
    }
    if (Math.abs(samples[i] ?? 0) < QUIET) continue;
    if (start < 0) start = i;
    loud = i;
  }
}
