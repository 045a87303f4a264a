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
import {
  type AffinePoint,
  type JacobianPoint,
  addMixed,
  double,
  negate,
  normaliseAll,
} from './sakke-curve.js';
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

/** Coefficients, constant first. */
type Polynomial = readonly bigint[];

/** A(X) + Y B(X) modulo Y^2 = X^3 - 3X. */
interface CurveFunction {
  readonly a: Polynomial;
  readonly b: Polynomial;
}

/** Y = slope X + offset, and the x of the point reached through it. */
interface Line {
  readonly slope: bigint;
  readonly offset: bigint;
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
    let f = timesLine({ a: [1n], b: [] }, first);
    let last = first;
    if (doublings === 2) {
      last = take();
      f = timesLine(timesLine(f, first), last);
      f = overVertical(overVertical(f, first.x), first.x);
    }
    if (add !== 0) f = overVertical(timesLine(f, take()), last.x);
    return f;
  });
  const scales = invertAll(functions.map(({ b }, i) => b[(PLAN[i]?.doublings ?? 1) - 1] ?? 0n));
  if (scales === null) throw notOfOrderQ(name);
  return functions.map(({ a, b }, i) => {
    const two = PLAN[i]?.doublings === 2;
    const scale = two ? -(scales[i] ?? 0n) : (scales[i] ?? 0n);
    const at = (k: number): bigint => ((a[k] ?? 0n) * (k % 2 === 0 ? scale : -scale)) % p;
    const c = two ? ((b[0] ?? 0n) * scale) % p : null;
    return { a0: at(0), a1: at(1), a2: at(2), a3: at(3), c };
  });
}

/** The tangents and chords of the loop in order. */
function linesOf(point: AffinePoint, name: string): Line[] {
  const opposite = negate(point);
  const reached: JacobianPoint[] = [];
  const addends: (AffinePoint | null)[] = [];
  let current: JacobianPoint = { ...point, z: 1n };
  for (const { doublings, add } of PLAN) {
    for (let i = 0; i < doublings; i++) {
      current = double(current);
      reached.push(current);
      addends.push(null);
    }
    if (add === 0) continue;
    const addend = add > 0 ? point : opposite;
    current = addMixed(current, addend);
    reached.push(current);
    addends.push(addend);
  }
  const points = normaliseAll(reached);
  const last = points?.at(-1);
  if (!points || !last || (last.x - point.x) % p !== 0n || (last.y + point.y) % p !== 0n) {
    throw notOfOrderQ(name);
  }
  const starts = [point, ...points];
  const start = (i: number): AffinePoint => starts[i] ?? point;
  const inverses = invertAll(
    addends.map((addend, i) => (addend ? addend.x - start(i).x : start(i).y << 1n)),
  );
  if (inverses === null) throw notOfOrderQ(name);
  return addends.map((addend, i) => {
    const { x, y } = start(i);
    const rise = addend ? addend.y - y : 3n * (x * x - 1n);
    const slope = ((rise % p) * (inverses[i] ?? 0n)) % p;
    return { slope, offset: (y - slope * x) % p, x: start(i + 1).x };
  });
}

function notOfOrderQ(name: string): SegyError {
  return new SegyError('SEGY_E_ARGUMENT', `${name} is not in the subgroup of order q`);
}

/** f (Y - line). */
function timesLine({ a, b }: CurveFunction, { slope, offset }: Line): CurveFunction {
  const line = [-offset, -slope];
  return {
    a: plus(times(b, [0n, -3n, 0n, 1n]), times(a, line)),
    b: plus(a, times(b, line)),
  };
}

function overVertical({ a, b }: CurveFunction, x: bigint): CurveFunction {
  return { a: overRoot(a, x), b: overRoot(b, x) };
}

function plus(f: Polynomial, h: Polynomial): Polynomial {
  return Array.from({ length: Math.max(f.length, h.length) }, (_, i) => {
    return ((f[i] ?? 0n) + (h[i] ?? 0n)) % p;
  });
}

function times(f: Polynomial, h: Polynomial): Polynomial {
  if (f.length === 0) return [];
  const product = new Array<bigint>(f.length + h.length - 1).fill(0n);
  for (const [i, c] of f.entries()) {
    for (const [j, d] of h.entries()) product[i + j] = (product[i + j] ?? 0n) + c * d;
  }
  return product;
}

/** f / (X - root), exact. */
function overRoot(f: Polynomial, root: bigint): Polynomial {
  const quotient = new Array<bigint>(Math.max(f.length - 1, 0)).fill(0n);
  let carry = 0n;
  for (let i = f.length - 1; i > 0; i--) {
    carry = ((f[i] ?? 0n) + carry * root) % p;
    quotient[i - 1] = carry;
  }
  return quotient;
}
