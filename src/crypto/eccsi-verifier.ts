/**
 * ECCSI verification (RFC 6507 section 5.2.2).
 *
 * J = [s]([HE]G + [r]Y) has x-coordinate r modulo p. That is an ECDSA verification by the key Y of the message
 * HS || r || M and the signature (r, s^-1 mod n), except that ECDSA compares modulo n. A value r outside
 * [p - n, n) is left to the definition itself; chance gives such a one in 2^127 signatures, an attacker at will.
 */
import { type KeyObject, createHash, verify as verifyEcdsa } from 'node:crypto';
import { bytesToUint, concatBytes, toHex, uintToBytes } from '../base/bytes.js';
import { expectBytes, expectId } from './arguments.js';
import { ECCSI_SIGNATURE_OCTETS, eccsiHs, eccsiY, expectKpak } from './eccsi.js';
import { LruMap } from './lru.js';
import { G, decodeP256, fieldPrime, isP256Point, multiplyPublic, n, publicKeyOf } from './p256.js';
import { invert, mod } from './sakke-parameters.js';

export interface EccsiVerifyInput {
  /** public authentication key of the signer's KMS, 65 octets */
  readonly kpak: Uint8Array;
  /** the signer's identifier (UID) */
  readonly id: Uint8Array;
  readonly message: Uint8Array;
  /** 129 octets; any other length does not verify */
  readonly signature: Uint8Array;
}

interface SignerKey {
  readonly y: Uint8Array;
  readonly key: KeyObject;
}

/** Verifies signatures and remembers the keys Y of signers whose signature verified. */
export class EccsiVerifier {
  /** by HS, which is a hash of KPAK, identifier and PVT */
  readonly #signers: LruMap<SignerKey>;

  /** @param options.cacheSize signers remembered (about 1 KB each), default 4096 */
  constructor(options: { readonly cacheSize?: number } = {}) {
    this.#signers = new LruMap(options.cacheSize ?? 4096, 'cacheSize');
  }

  /**
   * Whether `signature` is one of `message` by `id` under `kpak`. Anything wrong with the signature is `false`.
   * @throws SegyError SEGY_E_ARGUMENT on a KPAK that is no point of P-256 or an argument of a wrong type
   */
  verify({ kpak, id, message, signature }: EccsiVerifyInput): boolean {
    expectKpak(kpak);
    expectId(id);
    expectBytes(message, 'message');
    expectBytes(signature, 'signature');
    if (signature.length !== ECCSI_SIGNATURE_OCTETS) return false;
    const r = bytesToUint(signature.subarray(0, 32));
    const s = bytesToUint(signature.subarray(32, 64));
    const pvt = signature.subarray(64);
    if (s === 0n || s >= n || r === 0n || r >= fieldPrime) return false;
    const hs = eccsiHs(kpak, id, pvt);
    const name = toHex(hs);
    const known = this.#signers.get(name);
    const signer = known ?? signerOf(kpak, hs, pvt);
    if (signer === null) return false;
    const signed = concatBytes(hs, signature.subarray(0, 32), message);
    const valid =
      r >= fieldPrime - n && r < n
        ? verifyFast(signer.key, signed, signature, s)
        : verifyByDefinition({ y: signer.y, he: sha256AsInteger(signed), r, s });
    if (valid && known === undefined) this.#signers.set(name, signer);
    return valid;
  }
}

function signerOf(kpak: Uint8Array, hs: Uint8Array, pvt: Uint8Array): SignerKey | null {
  if (!isP256Point(pvt)) return null;
  const y = eccsiY(kpak, hs, pvt);
  return y && { y, key: publicKeyOf(y) };
}

function verifyFast(key: KeyObject, signed: Uint8Array, signature: Uint8Array, s: bigint): boolean {
  const ecdsa = concatBytes(signature.subarray(0, 32), uintToBytes(invert(s, n), 32));
  return verifyEcdsa('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, ecdsa);
}

function sha256AsInteger(octets: Uint8Array): bigint {
  return bytesToUint(createHash('sha256').update(octets).digest());
}

/**
 * Whether J = [s]([HE]G + [r]Y) has r, in [1, p-1], as its x-coordinate.
 * @param input.y 65 octets of a point; `he`, `r` and `s` are integers
 */
export function verifyByDefinition(input: {
  readonly y: Uint8Array;
  readonly he: bigint;
  readonly r: bigint;
  readonly s: bigint;
}): boolean {
  const { he, r, s } = input;
  const fromG = multiplyPublic(G, mod(he * s, n));
  const j = fromG.add(multiplyPublic(decodeP256(input.y), mod(r * s, n)));
  return !j.is0() && j.toAffine().x === r;
}
