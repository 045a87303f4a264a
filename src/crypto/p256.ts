/**
 * P-256 for ECCSI: y^2 = x^3 - 3x + b over F_p with the group order n.
 * Secret multiples of G go through OpenSSL (ECDH with the scalar as private key), others through @noble/curves.
 */
import { ECDH, type KeyObject, createECDH, createPublicKey } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { bytesToUint, concatBytes, fromHex, uintToBytes } from '../base/bytes.js';

export const P256_POINT_OCTETS = 65;

const curve = p256.Point.CURVE();
/** Order of G. */
export const n = curve.n;
/** Prime of the field. */
export const fieldPrime = curve.p;

export type P256Point = InstanceType<typeof p256.Point>;

const SPKI_PREFIX = fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200');

/** Whether `bytes` are 04, x, y (65 octets) of a point of P-256, whose cofactor is 1; infinity is none. */
export function isP256Point(bytes: Uint8Array): boolean {
  if (!(bytes instanceof Uint8Array) || bytes.length !== P256_POINT_OCTETS || bytes[0] !== 4) {
    return false;
  }
  const x = bytesToUint(bytes.subarray(1, 33));
  const y = bytesToUint(bytes.subarray(33));
  if (x >= curve.p || y >= curve.p) return false;
  return (y * y - ((x * x - 3n) * x + curve.b)) % curve.p === 0n;
}

/** [k]G in 65 octets, for `k` of 32 octets in [1, n-1]. */
export function multipleOfG(k: Uint8Array): Uint8Array {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(k);
  return new Uint8Array(ecdh.getPublicKey());
}

/** The point that 65 octets, checked by `isP256Point`, encode. */
export function decodeP256(bytes: Uint8Array): P256Point {
  return p256.Point.fromAffine({
    x: bytesToUint(bytes.subarray(1, 33)),
    y: bytesToUint(bytes.subarray(33)),
  });
}

/** 04, x, y; null for infinity. */
export function encodeP256(point: P256Point): Uint8Array | null {
  if (point.is0()) return null;
  const { x, y } = point.toAffine();
  return concatBytes(Uint8Array.of(4), uintToBytes(x, 32), uintToBytes(y, 32));
}

/** [k]point for public values; k = 0 gives infinity. */
export function multiplyPublic(point: P256Point, k: bigint): P256Point {
  const reduced = k % n;
  return reduced === 0n ? p256.Point.ZERO : point.multiplyUnsafe(reduced);
}

/**
 * [k]point for public values, several times faster than `multiplyPublic` from the octets of the point.
 * ECDH gives the x of [k]point; of the two points with it, the right one plus `point` has the x of [k+1]point.
 */
export function multiplyOctets(octets: Uint8Array, k: bigint): P256Point {
  const point = decodeP256(octets);
  const reduced = k % n;
  if (reduced <= 1n || reduced >= n - 2n) return multiplyPublic(point, reduced);
  const x = agreedX(octets, reduced);
  const candidate = decodeP256(decompress(x));
  const next = candidate.add(point).toAffine().x;
  return next === bytesToUint(agreedX(octets, reduced + 1n)) ? candidate : candidate.negate();
}

/** x of [k]point, 32 octets, for k in [1, n-1]. */
function agreedX(octets: Uint8Array, k: bigint): Uint8Array {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(uintToBytes(k, 32));
  return ecdh.computeSecret(octets);
}

function decompress(x: Uint8Array): Uint8Array {
  const even = concatBytes(Uint8Array.of(2), x);
  const point = ECDH.convertKey(even, 'prime256v1', undefined, undefined, 'uncompressed');
  return typeof point === 'string' ? fromHex(point) : point;
}

/** The public point as a key of node:crypto. */
export function publicKeyOf(point: Uint8Array): KeyObject {
  return createPublicKey({
    key: Buffer.concat([SPKI_PREFIX, point]),
    format: 'der',
    type: 'spki',
  });
}

/** G in 65 octets. */
export const G_OCTETS = concatBytes(
  Uint8Array.of(4),
  uintToBytes(curve.Gx, 32),
  uintToBytes(curve.Gy, 32),
);

export const G: P256Point = p256.Point.BASE;
