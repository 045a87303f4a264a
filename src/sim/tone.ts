/** Test tones: making one, and finding one in what was heard (Goertzel's algorithm). */

/** Samples `start` to `start + count` of a sine; `frequency` and `sampleRate` in Hz, `level` 0 to 1. */
export function sine(
  frequency: number,
  sampleRate: number,
  start: number,
  count: number,
  level = 0.5,
): Int16Array {
  const step = (2 * Math.PI * frequency) / sampleRate;
  return Int16Array.from({ length: count }, (_, i) =>
    Math.round(32767 * level * Math.sin(step * (start + i))),
  );
}

/** Share of the signal's power that lies at `frequency`: near 1 for a clean tone, near 0 else or for silence. */
export function toneShare(samples: Int16Array, frequency: number, sampleRate: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequency) / sampleRate);
  let previous = 0;
  let beforeThat = 0;
  let energy = 0;
  for (const sample of samples) {
    const next = sample + coefficient * previous - beforeThat;
    beforeThat = previous;
    previous = next;
    energy += sample * sample;
  }
  if (energy === 0) return 0;
  const power = previous ** 2 + beforeThat ** 2 - coefficient * previous * beforeThat;
  return (2 * power) / (samples.length * energy);
}

/** How a tone was heard. */
export interface ToneReport {
  /** the tone fills at least half of the blocks that hold any sound, and at least five blocks in all */
  readonly found: boolean;
  /** time during which the tone was heard, in milliseconds */
  readonly milliseconds: number;
  /** time during which anything but silence was heard, in milliseconds */
  readonly soundMilliseconds: number;
}

const BLOCK_MS = 50;
const TONE_SHARE = 0.9;
/** Mean square of a sample under which a block counts as silence (about -50 dB of full scale). */
const SILENCE_POWER = 100 ** 2;
const LEAST_BLOCKS = 5;

/**
 * Looks for `frequency` in blocks of `blockMs`. A block that holds the tone only in part does not
 * count, so up to two blocks of each spurt may be missing, unless the spurt begins where a block does.
 */
export function findTone(
  samples: Int16Array,
  frequency: number,
  sampleRate: number,
  blockMs = BLOCK_MS,
): ToneReport {
  const size = (sampleRate * blockMs) / 1000;
  let tone = 0;
  let sound = 0;
  for (let at = 0; at + size <= samples.length; at += size) {
    const block = samples.subarray(at, at + size);
    const power = block.reduce((sum, sample) => sum + sample * sample, 0) / size;
    if (power < SILENCE_POWER) continue;
    sound += 1;
    if (toneShare(block, frequency, sampleRate) >= TONE_SHARE) tone += 1;
  }
  return {
    found: tone >= LEAST_BLOCKS && tone * 2 >= sound,
    milliseconds: tone * blockMs,
    soundMilliseconds: sound * blockMs,
  };
}
