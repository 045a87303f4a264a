/**
 * Points of E: y^2 = x^3 - 3x over F_p. Affine additions are done many at a time with one shared inversion
 * (6 multiplications each); doublings in Jacobian coordinates (x = X/Z^2, y = Y/Z^3).
 */
import { bytesToUint, concatBytes, uintToBytes } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { nonAdjacentForm } from './recoding.js';
import {
  FIELD_OCTETS,
  Px,
  Py,
  SAKKE_POINT_OCTETS,
  invert,
  invertAll,
  mod,
  p,
  q,
} from './sakke-parameters.js';

export interface AffinePoint {
  readonly x: bigint;
  readonly y: bigint;
}

/** A point, or null for the point at infinity. */
export type Point = AffinePoint | null;

/** Z = 0 is the point at infinity. */
export interface JacobianPoint {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  /** rise / z is the slope of the tangent or chord by which the point was reached; absent at a start */
  readonly rise?: bigint;
}

export const BASE_POINT: AffinePoint = { x: Px, y: Py };
const INFINITY: JacobianPoint = { x: 1n, y: 1n, z: 0n };

/**
 * The affine point that 257 octets (04, x, y) encode; infinity has no such encoding.
 * @throws SegyError SEGY_E_ARGUMENT unless the length, the first octet, both coordinates (< p) and the curve equation hold
 */
export function decodePoint(bytes: Uint8Array, name: string): AffinePoint {
  if (bytes.length !== SAKKE_POINT_OCTETS || bytes[0] !== 4) {
    throw new SegyError('SEGY_E_ARGUMENT', `${name} is not an uncompressed point of 257 octets`);
  }
  const x = bytesToUint(bytes.subarray(1, 1 + FIELD_OCTETS));
  const y = bytesToUint(bytes.subarray(1 + FIELD_OCTETS));
  if (x >= p || y >= p) {
    throw new SegyError('SEGY_E_ARGUMENT', `${name} has a coordinate that is not below p`);
  }
  if ((y * y - (x * x - 3n) * x) % p !== 0n) {
    throw new SegyError('SEGY_E_ARGUMENT', `${name} is not on the curve`);
  }
  return { x, y };
}

/** 04, x, y: 257 octets, each coordinate at full length. */
export function encodePoint(point: AffinePoint): Uint8Array {
  return concatBytes(
    Uint8Array.of(4),
    uintToBytes(mod(point.x), FIELD_OCTETS),
    uintToBytes(mod(point.y), FIELD_OCTETS),
  );
}

export function negate(point: AffinePoint): AffinePoint {
  return { x: point.x, y: -point.y };
}

export function double({ x, y, z }: JacobianPoint): JacobianPoint {
  const delta = (z * z) % p;
  const gamma = (y * y) % p;
  const beta = (x * gamma) % p;
  const alpha = (3n * (x - delta) * (x + delta)) % p;
  const x3 = (alpha * alpha - (beta << 3n)) % p;
  return {
    x: x3,
    y: (alpha * ((beta << 2n) - x3) - ((gamma * gamma) << 3n)) % p,
    z: ((y * z) << 1n) % p,
    rise: alpha,
  };
}

/** left + right, any case. */
export function addMixed(left: JacobianPoint, right: Point): JacobianPoint {
  if (right === null) return left;
  if (left.z === 0n) return { ...right, z: 1n };
  const zz = (left.z * left.z) % p;
  const h = (right.x * zz - left.x) % p;
  const r = (right.y * ((zz * left.z) % p) - left.y) % p;
  if (h === 0n) return r === 0n ? double(left) : INFINITY;
  const hh = (h * h) % p;
  const hhh = (h * hh) % p;
  const v = (left.x * hh) % p;
  const x3 = (r * r - hhh - (v << 1n)) % p;
  return { x: x3, y: (r * (v - x3) - left.y * hhh) % p, z: (left.z * h) % p, rise: r };
}

/** Affine forms of points none of which may be at infinity; null when one is. */
export function normaliseAll(points: readonly JacobianPoint[]): AffinePoint[] | null {
  const inverses = invertAll(points.map((point) => point.z));
  return (
    inverses &&
    points.map((point, i) => {
      const inverse = inverses[i] ?? 0n;
      const square = (inverse * inverse) % p;
      return { x: (point.x * square) % p, y: (point.y * ((square * inverse) % p)) % p };
    })
  );
}

export function normalise(point: JacobianPoint): Point {
  return normaliseAll([point])?.[0] ?? null;
}

function addBySlope(a: AffinePoint, b: AffinePoint, slope: bigint): AffinePoint {
  const x = (slope * slope - a.x - b.x) % p;
  return { x, y: (slope * (a.x - x) - a.y) % p };
}

/** One sum with every special case. */
function addCarefully(a: Point, b: Point): Point {
  if (a === null) return b;
  if (b === null) return a;
  if ((b.x - a.x) % p !== 0n) return addBySlope(a, b, ((b.y - a.y) * invert(b.x - a.x)) % p);
  if ((b.y + a.y) % p === 0n) return null;
  return addBySlope(a, a, ((3n * (a.x * a.x - 1n)) % p) * invert(2n * a.y));
}

/** left[i] + right[i] for every i, with one inversion for all unless a sum is a special case. */
export function addAll(left: readonly Point[], right: readonly Point[]): Point[] {
  const differences: bigint[] = [];
  for (let i = 0; i < left.length; i++) {
    const a = left[i];
    const b = right[i];
    differences.push(a && b ? b.x - a.x : 0n);
  }
  const inverses = invertAll(differences);
  return left.map((a, i) => {
    const b = right[i] ?? null;
    const inverse = inverses?.[i];
    if (a === null || b === null || inverse === undefined) return addCarefully(a, b);
    return addBySlope(a, b, ((b.y - a.y) * inverse) % p);
  });
}

/** [k]point by double-and-add over the non-adjacent form; for points seen once. */
export function multiply(point: AffinePoint, k: bigint): Point {
  const opposite = negate(point);
  let sum = INFINITY;
  for (const digit of nonAdjacentForm(k)) {
    sum = double(sum);
    if (digit !== 0) sum = addMixed(sum, digit > 0 ? point : opposite);
  }
  return normalise(sum);
}

/** Whether `point` of the curve lies in the subgroup of order q. */
export function isInSubgroup(point: AffinePoint): boolean {
  return multiply(point, q) === null;
}

/** Horner's rule over rows: the sum of [2^i]rows[i]. */
export function sumRows(rows: readonly Point[]): Point {
  let sum = INFINITY;
  for (let i = rows.length - 1; i >= 0; i--) sum = addMixed(double(sum), rows[i] ?? null);
  return normalise(sum);
}
