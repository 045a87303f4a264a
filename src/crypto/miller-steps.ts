/**
 * The Miller loop of RFC 6508 section 3.2 over a fixed point R, worked out ahead.
 *
 * The loop follows the non-adjacent form of q - 1. A step covers one doubling or, mostly, two, and at most
 * one addition of ±R after them. What the step multiplies v^2 or v^4 by is a function of the curve
 * A(X) + Y B(X): the product of its lines over the verticals, which are factors in F_p and vanish in PF_p.
 * Its divisor leaves few coefficients:
 *
 * | step                    | A      | B        |
 * |-------------------------|--------|----------|
 * | one doubling            | linear | constant |
 * | one doubling, addition  | square | constant |
 * | two doublings           | square | linear   |
 * | two doublings, addition | cubic  | linear   |
 *
 * It is used at the distorted point (-x, i y), scaled so that B leads with 1 and divided by y: the real part
 * is a0/y + a1 x/y + a2 x^2/y + a3 x^3/y, the imaginary part 1 (one doubling) or x + c (two).
 */
import { SegyError } from '../base/errors.js';
import { nonAdjacentForm } from './recoding.js';
import { type AffinePoint, type JacobianPoint, addMixed, double, negate } from './sakke-curve.js';
import { invertAll, p, q } from './sakke-parameters.js';

export interface MillerStep {
  readonly a0: bigint;
  readonly a1: bigint;
  readonly a2: bigint;
  readonly a3: bigint;
  /** null for a step of one doubling */
  readonly c: bigint | null;
}

/** What a step does: its doublings, then the sign of R to add (0: none). */
interface Plan {
  readonly doublings: 1 | 2;
  readonly add: number;
}

/** Coefficients of A(X) = a0 + a1 X + a2 X^2 + a3 X^3 and B(X) = b0 + b1 X; b1 is unused where B is constant. */
interface CurveFunction {
  readonly a0: bigint;
  readonly a1: bigint;
  readonly a2: bigint;
  readonly a3: bigint;
  readonly b0: bigint;
  readonly b1: bigint;
}

/** Y = m X + c, and the x of the point reached through it. */
interface Line {
  readonly m: bigint;
  readonly c: bigint;
  readonly x: bigint;
}

/** Pairs doublings so that few steps have one only: zeros two by two, a nonzero digit with the zero before it. */
function plan(): Plan[] {
  const digits = nonAdjacentForm(q - 1n).slice(1);
  const plans: Plan[] = [];
  let i = 0;
  while (i < digits.length) {
    let zeros = 0;
    while (digits[i + zeros] === 0) zeros++;
    const end = digits[i + zeros] ?? 0;
    const steps = zeros + (end === 0 ? 0 : 1);
    const pairs = Math.floor(steps / 2);
    const single = steps % 2 === 1;
    for (let k = 0; k < pairs; k++) {
      plans.push({ doublings: 2, add: !single && k === pairs - 1 ? end : 0 });
    }
    if (single) plans.push({ doublings: 1, add: end });
    i += steps;
  }
  return plans;
}

const PLAN = plan();

/** @throws SegyError SEGY_E_ARGUMENT when `point` is not of order q */
export function millerSteps(point: AffinePoint, name: string): MillerStep[] {
  const lines = linesOf(point, name);
  let next = 0;
  const take = (): Line => {
    const line = lines[next++];
    if (line === undefined) throw new SegyError('SEGY_E_INTERNAL', 'the Miller loop lacks a line');
    return line;
  };
  const functions = PLAN.map(({ doublings, add }) => {
    const first = take();
    if (doublings === 1) return add === 0 ? doubling(first) : doublingAndAddition(first, take());
    const second = take();
    const f = twoDoublings(first, second);
    return add === 0 ? f : withAddition(f, second.x, take());
  });
  const scales = invertAll(functions.map((f, i) => (PLAN[i]?.doublings === 2 ? f.b1 : f.b0)));
  if (scales === null) throw notOfOrderQ(name);
  return functions.map((f, i) => {
    const inverse = scales[i] ?? 0n;
    const two = PLAN[i]?.doublings === 2;
    const scale = two ? -inverse : inverse;
    return {
      a0: (f.a0 * scale) % p,
      a1: (-f.a1 * scale) % p,
      a2: (f.a2 * scale) % p,
      a3: (-f.a3 * scale) % p,
      c: two ? (f.b0 * scale) % p : null,
    };
  });
}

/** Y - L for the tangent L. */
function doubling({ m, c }: Line): CurveFunction {
  return { a0: -c, a1: -m, a2: 0n, a3: 0n, b0: 1n, b1: 0n };
}

/** (Y - L)(Y - M) / (X - x) for the tangent L, which leads to x, and the chord M. */
function doublingAndAddition(tangent: Line, chord: Line): CurveFunction {
  const a1 = (tangent.m * chord.m + tangent.x) % p;
  const a0 = (tangent.m * chord.c + tangent.c * chord.m - 3n + tangent.x * a1) % p;
  return { a0, a1, a2: 1n, a3: 0n, b0: -tangent.m - chord.m, b1: 0n };
}

/** (Y - L)^2 (Y - M) / (X - x)^2 for the tangents L, which leads to x, and M. */
function twoDoublings(first: Line, second: Line): CurveFunction {
  const { m, c, x } = first;
  const mm = (m * m) % p;
  const product = (m * second.m) % p;
  const a2 = -(m << 1n) - second.m;
  const n3 = (mm * second.m) % p;
  const xa2 = (x * a2) % p;
  const a1 = ((xa2 - c) << 1n) - second.c - n3;
  const n2 = mm * second.c + ((product * c) << 1n);
  const a0 = (x * ((a1 << 1n) - xa2) - 3n * a2 - n2) % p;
  return { a0, a1, a2, a3: 0n, b0: mm + ((product + x) << 1n), b1: 1n };
}

/** f (Y - M) / (X - x) for the chord M from the point with `x`; f is of two doublings. */
function withAddition(f: CurveFunction, x: bigint, { m, c }: Line): CurveFunction {
  const delta = f.b0 % p;
  const a2 = (delta - f.a2 * m + x) % p;
  const a1 = (x * a2 - f.a2 * c - f.a1 * m - 3n) % p;
  const a0 = (x * a1 - f.a1 * c - f.a0 * m - 3n * delta) % p;
  const b1 = f.a2 - m;
  return { a0, a1, a2, a3: 1n, b0: (f.a1 - c - delta * m + x * b1) % p, b1 };
}

/** The tangents and chords of the loop in order. */
function linesOf(point: AffinePoint, name: string): Line[] {
  const opposite = negate(point);
  const reached: JacobianPoint[] = [];
  let current: JacobianPoint = { ...point, z: 1n };
  for (const { doublings, add } of PLAN) {
    for (let i = 0; i < doublings; i++) reached.push((current = double(current)));
    if (add !== 0) reached.push((current = addMixed(current, add > 0 ? point : opposite)));
  }
  const inverses = invertAll(reached.map(({ z }) => z));
  if (inverses === null) throw notOfOrderQ(name);
  let start = point;
  const lines = reached.map(({ x, y, rise = 0n }, i) => {
    const inverse = inverses[i] ?? 0n;
    const square = (inverse * inverse) % p;
    const m = (rise * inverse) % p;
    const line = { m, c: (start.y - m * start.x) % p, x: (x * square) % p };
    start = { x: line.x, y: (y * ((square * inverse) % p)) % p };
    return line;
  });
  if ((start.x - point.x) % p !== 0n || (start.y + point.y) % p !== 0n) throw notOfOrderQ(name);
  return lines;
}

function notOfOrderQ(name: string): SegyError {
  return new SegyError('SEGY_E_ARGUMENT', `${name} is not in the subgroup of order q`);
}
