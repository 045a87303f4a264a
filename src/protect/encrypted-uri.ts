/**
 * An encrypted MC identity in a URI (TS 33.180 clause 9.3.4, TS 23.003 clause 26.2):
 *
 *   sip:BASE64(ciphertext, tag);iv=BASE64(IV);key-id=BASE64(SPK-ID);alg=128-aes-gcm@mc1-encrypted.3gppnetwork.org
 *
 * Base64 in a user part is beyond what SIP URI parsers take alike, so it is read and written here.
 */
import { utf8 } from '../base/bytes.js';
import type { RandomBytes } from '../base/environment.js';
import { decodeBase64, decrypt, encrypt, plaintextOf, toBase64, undecryptable } from './cipher.js';
import { withKey, type Spk, type SpkSet } from './spk.js';
import { ENCRYPTED_HOST } from './vocabulary.js';

const BASE64 = '[A-Za-z0-9+/=]+';
/** Cipher, then the three parameters, which are written in this order and taken in any. */
const FORM = new RegExp(
  `^sips?:(${BASE64})((?:;(?:iv=${BASE64}|key-id=[A-Za-z0-9+/]{6}==|alg=(?:128|256)-aes-gcm)){3})@`,
  'i',
);
const PLAIN_URI = /^[^\s<>"\p{Cc}]{1,255}$/u;

/** Keys and the identity they are derived with. */
export interface OpeningKeys {
  readonly spks: SpkSet;
  readonly p0: string;
  /** milliseconds since 1970 */
  readonly now: number;
}

export interface SealingKey {
  readonly spk: Spk;
  readonly p0: string;
  readonly random: RandomBytes;
}

/** True when the host part says that the user part is an encrypted identity. */
export function isEncryptedUri(uri: string): boolean {
  const host = uri.slice(uri.lastIndexOf('@') + 1).replace(/[;?:].*$/s, '');
  return uri.includes('@') && host.toLowerCase() === ENCRYPTED_HOST;
}

/** @throws SegyError SEGY_E_XML_DECRYPT, SEGY_E_SPK_* */
export function decryptUri(uri: string, { spks, p0, now }: OpeningKeys): string {
  const [head, cipher, parameters] = FORM.exec(uri) ?? [];
  if (head === undefined || cipher === undefined || parameters === undefined) {
    throw undecryptable();
  }
  if (uri.slice(head.length).toLowerCase() !== ENCRYPTED_HOST) throw undecryptable();
  const [iv, keyName, alg] = ['iv', 'key-id', 'alg'].map((name) => valueOf(parameters, name));
  if (iv === undefined || keyName === undefined || alg === undefined) throw undecryptable();
  const [spk] = spks.forReceiving(keyName, now);
  if (spk === undefined || `${spk.key.length * 8}-aes-gcm` !== alg.toLowerCase()) {
    throw undecryptable();
  }
  const octets = withKey('confidentiality', spk, p0, (key) =>
    decrypt(key, decodeBase64(iv), decodeBase64(cipher)),
  );
  const text = plaintextOf(octets);
  if (!PLAIN_URI.test(text) || isEncryptedUri(text)) throw undecryptable();
  return /^(sips?|tel):/i.test(text) ? text : `sip:${text}`;
}

function valueOf(parameters: string, name: string): string | undefined {
  return new RegExp(`;${name}=([^;]+)`, 'i').exec(parameters)?.[1];
}

export function encryptUri(uri: string, { spk, p0, random }: SealingKey): string {
  const { iv, sealed } = withKey('confidentiality', spk, p0, (key) =>
    encrypt(key, utf8(uri), random),
  );
  const alg = `${spk.key.length * 8}-aes-gcm`;
  return `sip:${toBase64(sealed)};iv=${toBase64(iv)};key-id=${spk.keyName};alg=${alg}@${ENCRYPTED_HOST}`;
}
