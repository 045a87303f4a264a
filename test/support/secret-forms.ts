/** Every text and octet string in which a secret could stand somewhere, to be searched for. */
import { toHex } from '../../src/base/bytes.js';

/** Longest octet string that is searched for as one: of a longer one each half is, too (x and y of a point). */
const MAX_WHOLE = 64;
const HALVED_UNTIL = 128;

/**
 * Raw, hexadecimal of either case, base64 and base64url at each of their three alignments, and the
 * decimal digits of a BigInt.
 */
export function secretForms(secret: Uint8Array): Buffer[] {
  const hex = toHex(secret);
  const texts = [hex, hex.toUpperCase(), ...base64Of(secret), BigInt(`0x0${hex}`).toString()];
  const whole = [Buffer.from(secret), ...texts.map((text) => Buffer.from(text))];
  if (secret.length <= MAX_WHOLE || secret.length / 2 < HALVED_UNTIL) return whole;
  const half = secret.length / 2;
  return [...whole, ...secretForms(secret.slice(0, half)), ...secretForms(secret.slice(half))];
}

/** Without the digits at either end that also depend on what stands beside. */
function base64Of(secret: Uint8Array): string[] {
  return [0, 1, 2].flatMap((shift) => {
    const octets = Buffer.concat([Buffer.alloc(shift), secret]);
    const inner = (text: string): string =>
      text
        .replace(/=+$/, '')
        .slice(shift === 0 ? 0 : shift + 1, octets.length % 3 === 0 ? undefined : -1);
    const url = inner(octets.toString('base64url'));
    const plain = inner(octets.toString('base64'));
    return plain === url ? [plain] : [plain, url];
  });
}
