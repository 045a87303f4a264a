/**
 * SAKKE parameter set 1 (RFC 6509 Appendix A) and arithmetic modulo its prime.
 *
 * E: y^2 = x^3 - 3x over F_p, p = 4q - 1, P of prime order q, g = <P, P>.
 * Residues may be negative, in (-p, p): `%` of BigInt keeps the sign, and folding it back after each
 * operation costs more than it gives. `mod` makes the canonical residue where one is compared or encoded.
 */
import { SegyError } from '../base/errors.js';

/** Octets of one field element. */
export const FIELD_OCTETS = 128;
/** Octets of an uncompressed point: 04, x, y. */
export const SAKKE_POINT_OCTETS = 257;

export const p = BigInt(
  '0x997abb1f0a563fda65c61198dad0657a416c0ce19cb48261be9ae358b3e01a2ef40aab27e2fc0f1b228730d531a59cb0e791b39ff7c88a19356d27f4a666a6d0e26c6487326b4cd4512ac5cd65681ce1b6aff4a831852a82a7cf3c521c3c09aa9f94d6af56971f1ffce3e82389857db080c5df10ac7ace87666d807afea85feb',
);
export const q = BigInt(
  '0x265eaec7c2958ff69971846636b4195e905b0338672d20986fa6b8d62cf8068bbd02aac9f8bf03c6c8a1cc354c69672c39e46ce7fdf222864d5b49fd2999a9b4389b1921cc9ad335144ab173595a07386dabfd2a0c614aa0a9f3cf14870f026aa7e535abd5a5c7c7ff38fa08e2615f6c203177c42b1eb3a1d99b601ebfaa17fb',
);
export const Px = BigInt(
  '0x53fc09ee332c29ad0a7990053ed9b52a2b1a2fd60aec69c698b2f204b6ff7cbfb5edb6c0f6ce2308ab10db9030b09e1043d5f22cdb9dfa55718bd9e7406ce8909760af765dd5bccb337c86548b72f2e1a702c3397a60de74a7c1514dba66910dd5cfb4cc80728d87ee9163a5b63f73ec80ec46c4967e0979880dc8abeae63895',
);
export const Py = BigInt(
  '0x0a8249063f6009f1f9f1f0533634a135d3e82016029906963d778d821e141178f5ea69f4654ec2b9e7f7f5e5f0de55f66b598ccf9a140b2e416cff0ca9e032b970dae117ad547c6ccad696b5b7652fe0ac6f1e80164aa989492d979fc5a4d5f213515ad7e9cb99a980bdad5ad5bb4636adb9b5706a67dcde75573fd71bef16d7',
);
/** <P, P>: the representative a1/a0 in PF_p of a generator of order q. */
export const g = BigInt(
  '0x66fc2a432b6ea392148f15867d623068c6a87bd1fb94c41e27fabe658e015a87371e94744c96feda449ae9563f8bc446cbfda85d5d00ef577072da8f541721beee0faed1828eab90b99dfb0138c7843355df0460b4a9fd74b4f1a32bcafa1ffad682c033a7942bcce3720f20b9b7b0403c8cae87b7a0042acde0fab36461ea46',
);

/** The residue of `value` modulo `modulus` in [0, modulus). */
export function mod(value: bigint, modulus: bigint = p): bigint {
  const residue = value % modulus;
  return residue < 0n ? residue + modulus : residue;
}

/**
 * Inverse of `value` modulo the prime `modulus`, in [0, modulus).
 * Its time depends on the value: blind a secret (multiply it by a random factor first).
 * @throws SegyError SEGY_E_INTERNAL for a multiple of the modulus
 */
export function invert(value: bigint, modulus: bigint = p): bigint {
  let a = mod(value, modulus);
  let b = modulus;
  let x = 1n;
  let y = 0n;
  while (a > 1n) {
    const quotient = b / a;
    [a, b] = [b - quotient * a, a];
    [x, y] = [y - quotient * x, x];
  }
  if (a === 0n) throw new SegyError('SEGY_E_INTERNAL', 'zero has no inverse');
  return x < 0n ? x + modulus : x;
}

/**
 * Inverses modulo p of all `values` by one inversion and three multiplications each.
 * @returns null when one of them is a multiple of p
 */
export function invertAll(values: readonly bigint[]): bigint[] | null {
  const before: bigint[] = [];
  let product = 1n;
  for (const value of values) {
    before.push(product);
    product = (product * value) % p;
  }
  if (product === 0n) return null;
  let inverse = invert(product);
  const inverses = new Array<bigint>(values.length);
  for (let i = values.length - 1; i >= 0; i--) {
    inverses[i] = (inverse * (before[i] ?? 0n)) % p;
    inverse = (inverse * (values[i] ?? 0n)) % p;
  }
  return inverses;
}
