/**
 * SAKKE's mathematics as RFC 6508 section 3 words it: affine points, one inversion a step, no tables.
 * Slow and plain, to check the fast code against.
 */
import { type AffinePoint, type Point } from '../../src/crypto/sakke-curve.js';
import { p, q } from '../../src/crypto/sakke-parameters.js';

const mod = (value: bigint): bigint => ((value % p) + p) % p;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % p;
    if (bit === '1') result = (result * base) % p;
  }
  return result;
}

/** By Fermat. */
const inverse = (value: bigint): bigint => power(mod(value), p - 2n);

export function textbookAdd(a: Point, b: Point): Point {
  if (a === null) return b;
  if (b === null) return a;
  const same = mod(a.x - b.x) === 0n;
  if (same && mod(a.y + b.y) === 0n) return null;
  const slope = same
    ? mod(3n * (a.x * a.x - 1n) * euclid(2n * a.y))
    : mod((b.y - a.y) * euclid(b.x - a.x));
  const x = mod(slope * slope - a.x - b.x);
  return { x, y: mod(slope * (a.x - x) - a.y) };
}

export function textbookMultiply(point: AffinePoint, k: bigint): Point {
  let sum: Point = null;
  for (const bit of k.toString(2)) {
    sum = textbookAdd(sum, sum);
    if (bit === '1') sum = textbookAdd(sum, point);
  }
  return sum;
}

/** The representative of g^k by square-and-multiply in F_p^2, starting from 1 + i g. */
export function textbookPower(g: bigint, k: bigint): bigint {
  let v: Pair = [1n, 0n];
  for (const bit of k.toString(2)) {
    v = multiplyPairs(v, v);
    if (bit === '1') v = multiplyPairs(v, [1n, g]);
  }
  return mod(v[1] * inverse(v[0]));
}

/** <R, Q> of RFC 6508 section 3.2. */
export function textbookPair(R: AffinePoint, Q: AffinePoint): bigint {
  let v: Pair = [1n, 0n];
  let C: AffinePoint = R;
  for (const bit of (q - 1n).toString(2).slice(1)) {
    v = multiplyPairs(v, v);
    v = multiplyPairs(v, [
      mod(3n * (C.x * C.x - 1n) * (Q.x + C.x) - 2n * C.y * C.y),
      mod(2n * C.y * Q.y),
    ]);
    C = textbookAdd(C, C) ?? C;
    if (bit === '1') {
      v = multiplyPairs(v, [mod((Q.x + R.x) * C.y - (Q.x + C.x) * R.y), mod((C.x - R.x) * Q.y)]);
      C = textbookAdd(C, R) ?? C;
    }
  }
  for (let i = 0; i < 2; i++) v = multiplyPairs(v, v);
  return mod(v[1] * inverse(v[0]));
}

type Pair = readonly [bigint, bigint];

function multiplyPairs(a: Pair, b: Pair): Pair {
  return [mod(a[0] * b[0] - a[1] * b[1]), mod(a[0] * b[1] + a[1] * b[0])];
}

/** By the extended Euclidean algorithm: a thousand of them in one pairing. */
function euclid(value: bigint): bigint {
  let [a, b] = [mod(value), p];
  let [x, y] = [1n, 0n];
  while (b > 0n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  return mod(x);
}
