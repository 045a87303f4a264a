/**
 * AES-GCM as XML encryption has it: an IV of 96 random bits, no associated data, a tag of 128 bits
 * behind the ciphertext. One error says that something does not decrypt, whatever was wrong with it.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concatBytes } from '../base/bytes.js';
import type { RandomBytes } from '../base/environment.js';
import { SegyError } from '../base/errors.js';

export const IV_OCTETS = 12;
const TAG_OCTETS = 16;

/** The one refusal of everything that does not decrypt. */
export function undecryptable(): SegyError {
  return new SegyError('SEGY_E_XML_DECRYPT', 'an encrypted element or identity does not decrypt');
}

function algorithm(key: Uint8Array): 'aes-128-gcm' | 'aes-256-gcm' {
  return key.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm';
}

/** @returns IV, and ciphertext with the tag behind it */
export function encrypt(
  key: Uint8Array,
  plaintext: Uint8Array,
  random: RandomBytes,
): { iv: Uint8Array; sealed: Uint8Array } {
  const iv = random(IV_OCTETS);
  const cipher = createCipheriv(algorithm(key), key, iv, { authTagLength: TAG_OCTETS });
  return { iv, sealed: concatBytes(cipher.update(plaintext), cipher.final(), cipher.getAuthTag()) };
}

/** @throws SegyError SEGY_E_XML_DECRYPT */
export function decrypt(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (iv.length !== IV_OCTETS || sealed.length <= TAG_OCTETS) throw undecryptable();
  const at = sealed.length - TAG_OCTETS;
  const decipher = createDecipheriv(algorithm(key), key, iv, { authTagLength: TAG_OCTETS });
  decipher.setAuthTag(sealed.subarray(at));
  try {
    return concatBytes(decipher.update(sealed.subarray(0, at)), decipher.final());
  } catch {
    throw undecryptable();
  }
}

/** Octets of base64 with its padding; white space between them is passed over. */
export function decodeBase64(text: string): Uint8Array {
  const compact = text.replace(/[ \t\r\n]+/g, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) throw undecryptable();
  const octets = Buffer.from(compact, 'base64');
  if (octets.toString('base64') !== compact) throw undecryptable();
  return new Uint8Array(octets);
}

export function toBase64(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64');
}

/** Text of what was decrypted. @throws SegyError SEGY_E_XML_DECRYPT */
export function plaintextOf(octets: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    throw undecryptable();
  }
}
