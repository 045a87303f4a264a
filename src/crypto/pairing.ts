/**
 * The Tate-Lichtenbaum pairing <R, Q> of RFC 6508 section 3.2 with one argument fixed.
 *
 * The value is symmetric in R and Q, so the Miller loop runs over the receiver's own key, whose line
 * functions are worked out once (`prepareLines`); a pairing then only evaluates them at the other point.
 * See miller-steps.ts for what a step holds.
 */
import { type MillerStep, millerSteps } from './miller-steps.js';
import { representative } from './pf.js';
import type { AffinePoint } from './sakke-curve.js';
import { invert, p } from './sakke-parameters.js';

/** Line functions of one point (about 0.4 MB). As secret as the point. */
export interface PreparedLines {
  readonly steps: readonly MillerStep[];
}

/**
 * @param point of the curve; `name` is used in the message
 * @throws SegyError SEGY_E_ARGUMENT when it is not of order q
 */
export function prepareLines(point: AffinePoint, name: string): PreparedLines {
  return { steps: millerSteps(point, name) };
}

/**
 * The representative of <R, Q> in [0, p), where `lines` are those of R.
 * @returns null for a Q of even order, where the value is degenerate
 */
export function pair(lines: PreparedLines, { x, y }: AffinePoint): bigint | null {
  if (y === 0n) return null;
  const x0 = invert(y);
  const x1 = (x * x0) % p;
  const x2 = (x * x1) % p;
  const x3 = (x * x2) % p;
  let v0 = 1n;
  let v1 = 0n;
  for (const step of lines.steps) {
    let square = ((v0 + v1) * (v0 - v1)) % p;
    v1 = ((v0 * v1) << 1n) % p;
    v0 = square;
    if (step.c === null) {
      const a = (step.a0 * x0 + step.a1 * x1 + step.a2 * x2) % p;
      const real = (v0 * a - v1) % p;
      v1 = (v1 * a + v0) % p;
      v0 = real;
      continue;
    }
    square = ((v0 + v1) * (v0 - v1)) % p;
    v1 = ((v0 * v1) << 1n) % p;
    v0 = square;
    const sum = step.a0 * x0 + step.a1 * x1 + step.a2 * x2;
    const a = (step.a3 === 0n ? sum : sum + step.a3 * x3) % p;
    const b = x + step.c;
    const real = v0 * a;
    const imaginary = v1 * b;
    v1 = ((v0 + v1) * (a + b) - real - imaginary) % p;
    v0 = (real - imaginary) % p;
  }
  for (let i = 0; i < 2; i++) {
    const square = ((v0 + v1) * (v0 - v1)) % p;
    v1 = ((v0 * v1) << 1n) % p;
    v0 = square;
  }
  return representative(v0, v1);
}
