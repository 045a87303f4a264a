/** I_MESSAGEs as text: base64 (RFC 4567), with the protocol name in front or without. */
import { SegyError } from '../base/errors.js';
import { MAX_MESSAGE } from './message.js';

const PREFIX = /^(?:a=)?(?:key-mgmt:)?mikey[ \t]+/i;

/**
 * Octets of `mikey <base64>` or of bare base64; white space and line breaks anywhere, padding or none.
 * @throws SegyError SEGY_E_MIKEY_SYNTAX: not base64, or longer than a message may be
 */
export function decodeMikeyText(text: string): Uint8Array {
  const base64 = text.trim().replace(PREFIX, '').replace(/\s+/g, '');
  const digits = base64.replace(/={1,2}$/, '');
  const padding = base64.length - digits.length;
  if (
    digits.length > Math.ceil((MAX_MESSAGE * 4) / 3) ||
    !/^[A-Za-z0-9+/]*$/.test(digits) ||
    digits.length % 4 === 1 ||
    (padding > 0 && base64.length % 4 !== 0)
  ) {
    throw new SegyError('SEGY_E_MIKEY_SYNTAX', 'the message is not base64');
  }
  return new Uint8Array(Buffer.from(digits, 'base64'));
}

/** `mikey <base64>`, the value of `a=key-mgmt` (RFC 4567). */
export function encodeMikeyText(message: Uint8Array): string {
  return `mikey ${Buffer.from(message).toString('base64')}`;
}

/**
 * One message from a file or pipe: raw octets where any octet is not printable ASCII or white space
 * (the version octet 01 of a message never is), else text.
 * @throws SegyError SEGY_E_MIKEY_SYNTAX
 */
export function decodeMikeyInput(input: Uint8Array): Uint8Array {
  const isText = input.every((octet) => (octet >= 0x20 && octet < 0x7f) || isBlank(octet));
  return isText ? decodeMikeyText(Buffer.from(input).toString('latin1')) : input;
}

function isBlank(octet: number): boolean {
  return octet === 0x09 || octet === 0x0a || octet === 0x0d;
}
