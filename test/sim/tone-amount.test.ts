import assert from 'node:assert/strict';
import { sine } from '../../src/sim/tone.js';
import { toneAmount } from '../support/tone-amount.js';

const SPURT = sine(300, 8_000, 0, 8_000);
const silence = (samples: number): Int16Array => new Int16Array(samples);
const joined = (...parts: readonly Int16Array[]): Int16Array =>
  Int16Array.from(parts.flatMap((part) => [...part]));
const about = (amount: number, ms: number): void => {
  assert.ok(Math.abs(amount - ms) <= 2, `${amount} ms, not ${ms}`);
};

describe('amount of a tone', () => {
  it('does not depend on where silence stands', () => {
    about(toneAmount(SPURT, 300), 1_000);
    about(toneAmount(joined(silence(77), SPURT, silence(33)), 300), 1_000);
    const cut = [SPURT.subarray(0, 1_600), silence(200), SPURT.subarray(1_600, 3_333)];
    about(toneAmount(joined(...cut, silence(500), SPURT.subarray(3_333)), 300), 1_000);
  });

  it('misses what is lost, and what is said twice', () => {
    about(toneAmount(joined(SPURT.subarray(0, 1_600), SPURT.subarray(1_760)), 300), 980);
    about(toneAmount(joined(SPURT.subarray(0, 1_760), SPURT.subarray(1_600)), 300), 1_020);
    about(
      toneAmount(joined(SPURT.subarray(0, 1_600), silence(160), SPURT.subarray(1_760)), 300),
      980,
    );
  });

  it('is nothing where another tone or nothing sounds', () => {
    assert.equal(toneAmount(SPURT, 500), 0);
    assert.equal(toneAmount(silence(8_000), 300), 0);
  });
});
