/**
 * ECCSI (RFC 6507) on P-256 with SHA-256: keys and signing. Verification is in eccsi-verifier.ts.
 *
 * BigInt arithmetic takes a time that depends on its values. The one inversion of a secret is blinded;
 * products of secrets modulo n are not, and BigInt copies of SSK and j cannot be wiped.
 */
import { createHash } from 'node:crypto';
import { bytesToUint, concatBytes, equalBytes, uintToBytes, wipe } from '../base/bytes.js';
import { type RandomBytes, systemRandom } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { expectBytes, expectId } from './arguments.js';
import {
  G_OCTETS,
  P256_POINT_OCTETS,
  decodeP256,
  encodeP256,
  isP256Point,
  multipleOfG,
  multiplyOctets,
  n,
} from './p256.js';
import { invert, mod } from './sakke-parameters.js';

/** r (32 octets), s (32), PVT (65). */
export const ECCSI_SIGNATURE_OCTETS = 129;
const SCALAR_OCTETS = 32;

export interface EccsiUserKey {
  /** secret signing key, 32 octets */
  readonly ssk: Uint8Array;
  /** public validation token, 65 octets */
  readonly pvt: Uint8Array;
}

interface EccsiIdentity {
  /** public authentication key of the KMS, 65 octets */
  readonly kpak: Uint8Array;
  /** identifier, 32 octets for a UID */
  readonly id: Uint8Array;
}

/** The ephemeral scalar of an operation: drawn from `random`, or given (32 octets in [1, n-1]) for tests. */
export type EphemeralV = { readonly random: RandomBytes } | { readonly v: Uint8Array };
export type EphemeralJ = { readonly random: RandomBytes } | { readonly j: Uint8Array };

/** HS = SHA-256(G || KPAK || ID || PVT), RFC 6507 section 5.1.1 step 5. */
export function eccsiHs(kpak: Uint8Array, id: Uint8Array, pvt: Uint8Array): Uint8Array {
  const hash = createHash('sha256').update(G_OCTETS).update(kpak).update(id).update(pvt);
  return new Uint8Array(hash.digest());
}

/** KPAK = [KSAK]G, 65 octets, of a KSAK of 32 octets in [1, n-1]. @throws SegyError SEGY_E_ARGUMENT */
export function eccsiPublicKey(ksak: Uint8Array): Uint8Array {
  expectScalar(ksak, 'ksak');
  return multipleOfG(ksak);
}

/**
 * A user's SSK and PVT (RFC 6507 section 5.1.1).
 * @throws SegyError SEGY_E_ARGUMENT; also for a given `v` that leads to a zero HS or SSK
 */
export function eccsiExtract(
  input: { readonly ksak: Uint8Array; readonly id: Uint8Array } & EphemeralV,
): EccsiUserKey {
  const kpak = eccsiPublicKey(input.ksak);
  expectId(input.id);
  const ksak = bytesToUint(input.ksak);
  for (;;) {
    const v = 'v' in input ? input.v : drawScalar(input.random);
    expectScalar(v, 'v');
    const pvt = multipleOfG(v);
    const hs = bytesToUint(eccsiHs(kpak, input.id, pvt)) % n;
    const ssk = (ksak + hs * bytesToUint(v)) % n;
    if (!('v' in input)) wipe(v);
    if (hs !== 0n && ssk !== 0n) return { ssk: uintToBytes(ssk, SCALAR_OCTETS), pvt };
    if ('v' in input) throw new SegyError('SEGY_E_ARGUMENT', 'v leads to a zero key');
  }
}

/**
 * Whether a received key pair belongs to the identity (RFC 6507 section 5.1.2): PVT on the curve and
 * [SSK]G = KPAK + [HS]PVT.
 * @throws SegyError SEGY_E_ARGUMENT on a wrong length or a KPAK off the curve
 */
export function eccsiValidate(input: EccsiIdentity & EccsiUserKey): boolean {
  expectKpak(input.kpak);
  expectId(input.id);
  expectBytes(input.ssk, 'ssk', SCALAR_OCTETS);
  expectBytes(input.pvt, 'pvt', P256_POINT_OCTETS);
  if (!isP256Point(input.pvt) || !isScalar(input.ssk)) return false;
  const y = eccsiY(input.kpak, eccsiHs(input.kpak, input.id, input.pvt), input.pvt);
  return y !== null && equalBytes(y, multipleOfG(input.ssk));
}

/** Y = [HS]PVT + KPAK, the public key that the signer's SSK belongs to; null at infinity. Points checked before. */
export function eccsiY(kpak: Uint8Array, hs: Uint8Array, pvt: Uint8Array): Uint8Array | null {
  return encodeP256(multiplyOctets(pvt, bytesToUint(hs)).add(decodeP256(kpak)));
}

/**
 * Signs `message` (RFC 6507 section 5.2.1). @returns r || s || PVT, 129 octets
 * @throws SegyError SEGY_E_ARGUMENT; also for a given `j` that leads to no signature
 */
export function eccsiSign(
  input: EccsiIdentity & EccsiUserKey & { readonly message: Uint8Array } & EphemeralJ,
): Uint8Array {
  expectKpak(input.kpak);
  expectId(input.id);
  expectScalar(input.ssk, 'ssk');
  expectPvt(input.pvt);
  expectBytes(input.message, 'message');
  const hs = eccsiHs(input.kpak, input.id, input.pvt);
  const ssk = bytesToUint(input.ssk);
  for (;;) {
    const j = 'j' in input ? input.j : drawScalar(input.random);
    expectScalar(j, 'j');
    const r = multipleOfG(j).subarray(1, 33);
    const he = createHash('sha256').update(hs).update(r).update(input.message).digest();
    const sum = (bytesToUint(he) + bytesToUint(r) * ssk) % n;
    const rValue = bytesToUint(r);
    const usable = sum !== 0n && rValue % n !== 0n;
    const blind = bytesToUint(drawScalar(systemRandom));
    const s = usable ? (((invert(sum * blind, n) * blind) % n) * bytesToUint(j)) % n : 0n;
    if (!('j' in input)) wipe(j);
    if (s !== 0n) return concatBytes(r, uintToBytes(s, SCALAR_OCTETS), input.pvt);
    if ('j' in input) throw new SegyError('SEGY_E_ARGUMENT', 'j leads to no signature');
  }
}

/** 32 octets, uniform in [1, n-1]. */
function drawScalar(random: RandomBytes): Uint8Array {
  const wide = random(48);
  const scalar = mod(bytesToUint(wide), n - 1n) + 1n;
  wipe(wide);
  return uintToBytes(scalar, SCALAR_OCTETS);
}

function isScalar(bytes: Uint8Array): boolean {
  const value = bytesToUint(bytes);
  return value >= 1n && value < n;
}

function expectScalar(bytes: Uint8Array, name: string): void {
  expectBytes(bytes, name, SCALAR_OCTETS);
  if (!isScalar(bytes)) throw new SegyError('SEGY_E_ARGUMENT', `${name} is not in [1, n-1]`);
}

/** @throws SegyError SEGY_E_ARGUMENT unless `kpak` is a point of P-256 */
export function expectKpak(kpak: Uint8Array): void {
  expectBytes(kpak, 'kpak', P256_POINT_OCTETS);
  if (!isP256Point(kpak)) throw new SegyError('SEGY_E_ARGUMENT', 'kpak is not a point of P-256');
}

function expectPvt(pvt: Uint8Array): void {
  expectBytes(pvt, 'pvt', P256_POINT_OCTETS);
  if (!isP256Point(pvt)) throw new SegyError('SEGY_E_ARGUMENT', 'pvt is not a point of P-256');
}
