/**
 * Keys wrapped under a transport key TrK (TS 33.180 D.1, 9.3.4.2): AES-256 key wrap, RFC 3394 where
 * the key's length allows it and the profile wants it, else RFC 5649 with padding. The specification
 * names kw-aes256 although an RSK (257 octets) and a PVT (65) cannot pass RFC 3394; products that
 * wrap them use RFC 5649, some with the ciphertext in hex. Read: either wrap, either encoding.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concatBytes, expectLength, fromHex, toHex } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { childElements, escapeXml, firstChild } from '../xml/index.js';
import type { XmlElement } from '../xml/index.js';

const TRK_OCTETS = 32;
const XENC_NAMESPACE = 'http://www.w3.org/2001/04/xmlenc#';
const DSIG_NAMESPACE = 'http://www.w3.org/2000/09/xmldsig#';
const KW_AES256 = `${XENC_NAMESPACE}kw-aes256`;
const KW_AES256_PAD = 'http://www.w3.org/2009/xmlenc11#kw-aes-256-pad';
const IV_3394 = fromHex('a6a6a6a6a6a6a6a6');
const IV_5649 = fromHex('a65959a6');
/** Well above a wrapped RSK, in characters. */
const MAX_CIPHER_TEXT = 4096;
const MAX_KEY_NAME = 256;

export interface TransportKey {
  /** KeyName, as `tk.12.user@example.org` */
  readonly name: string;
  /** 32 octets */
  readonly key: Uint8Array;
}

/** How a partner wants wrapped keys written. */
export interface WrapProfile {
  /** 'always': RFC 5649 for every key; 'when-needed': RFC 3394 for lengths it can carry */
  readonly padding: 'always' | 'when-needed';
  readonly encoding: 'base64' | 'hex';
}

export const DEFAULT_WRAP_PROFILE: WrapProfile = { padding: 'always', encoding: 'base64' };

/** `key` wrapped under `trk`. @throws SegyError SEGY_E_ARGUMENT */
export function wrapKey(
  trk: Uint8Array,
  key: Uint8Array,
  padding: WrapProfile['padding'],
): Uint8Array {
  expectLength(trk, TRK_OCTETS, 'transport key');
  const fits = key.length >= 16 && key.length % 8 === 0;
  const cipher =
    padding === 'when-needed' && fits
      ? createCipheriv('id-aes256-wrap', trk, IV_3394)
      : createCipheriv('id-aes256-wrap-pad', trk, IV_5649);
  return concatBytes(cipher.update(key), cipher.final());
}

/** @throws SegyError SEGY_E_KMS_DOCUMENT when neither wrap is intact under `trk` */
export function unwrapKey(trk: Uint8Array, wrapped: Uint8Array): Uint8Array {
  expectLength(trk, TRK_OCTETS, 'transport key');
  const forms = [
    ['id-aes256-wrap-pad', IV_5649],
    ['id-aes256-wrap', IV_3394],
  ] as const;
  for (const [algorithm, iv] of forms) {
    try {
      const decipher = createDecipheriv(algorithm, trk, iv);
      return concatBytes(decipher.update(wrapped), decipher.final());
    } catch {
      // Not this form; one error for every failure of both.
    }
  }
  throw new SegyError('SEGY_E_KMS_DOCUMENT', 'a wrapped key does not unwrap');
}

/**
 * The xenc:EncryptedKey element of an EncKeyContentType. A key that has a name of its own, as a new
 * transport or integrity key has, carries it in CarriedKeyName.
 */
export function writeEncryptedKey(
  trk: TransportKey,
  key: Uint8Array,
  profile: WrapProfile = DEFAULT_WRAP_PROFILE,
  carriedName?: string,
): string {
  const wrapped = wrapKey(trk.key, key, profile.padding);
  const value =
    profile.encoding === 'hex' ? toHex(wrapped) : Buffer.from(wrapped).toString('base64');
  return (
    `<xenc:EncryptedKey xmlns:xenc="${XENC_NAMESPACE}">` +
    `<xenc:EncryptionMethod Algorithm="${KW_AES256}"/>` +
    `<ds:KeyInfo xmlns:ds="${DSIG_NAMESPACE}"><ds:KeyName>${escapeXml(trk.name)}</ds:KeyName></ds:KeyInfo>` +
    `<xenc:CipherData><xenc:CipherValue>${value}</xenc:CipherValue></xenc:CipherData>` +
    (carriedName === undefined
      ? ''
      : `<xenc:CarriedKeyName>${escapeXml(carriedName)}</xenc:CarriedKeyName>`) +
    '</xenc:EncryptedKey>'
  );
}

/**
 * The key inside an element of EncKeyContentType.
 * @throws SegyError SEGY_E_KMS_DOCUMENT when it is malformed, or under a key that is not held
 */
export function readEncryptedKey(
  element: XmlElement,
  transportKeys: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const encrypted = onlyChild(element, 'EncryptedKey', XENC_NAMESPACE);
  const method = onlyChild(encrypted, 'EncryptionMethod', XENC_NAMESPACE);
  const algorithm = method.attributes.find(({ localName }) => localName === 'Algorithm')?.value;
  if (algorithm !== KW_AES256 && algorithm !== KW_AES256_PAD) {
    throw new SegyError('SEGY_E_KMS_DOCUMENT', 'a key is wrapped by an unknown algorithm');
  }
  const info = firstChild(encrypted, 'KeyInfo', DSIG_NAMESPACE);
  const name = info && firstChild(info, 'KeyName', DSIG_NAMESPACE)?.text.trim();
  const trk =
    transportKeys.get(name ?? '') ?? (name === undefined ? onlyKey(transportKeys) : undefined);
  if (trk === undefined) {
    throw new SegyError('SEGY_E_KMS_DOCUMENT', 'a key is wrapped under a transport key not held');
  }
  const data = onlyChild(encrypted, 'CipherData', XENC_NAMESPACE);
  return unwrapKey(trk, cipherOctets(onlyChild(data, 'CipherValue', XENC_NAMESPACE).text));
}

/**
 * A NewTransportKey or NewIntegrityKey: 32 octets under the present transport key, with a name.
 * @throws SegyError SEGY_E_KMS_DOCUMENT
 */
export function readNewKey(
  element: XmlElement,
  transportKeys: ReadonlyMap<string, Uint8Array>,
): TransportKey {
  const key = readEncryptedKey(element, transportKeys);
  const encrypted = onlyChild(element, 'EncryptedKey', XENC_NAMESPACE);
  const name = onlyChild(encrypted, 'CarriedKeyName', XENC_NAMESPACE).text.trim();
  if (key.length !== TRK_OCTETS || name === '' || name.length > MAX_KEY_NAME) {
    throw new SegyError('SEGY_E_KMS_DOCUMENT', `${element.localName} holds no named 256-bit key`);
  }
  return { name, key };
}

/** Hex when it is nothing but hex digits, as one product writes it; otherwise base64. */
function cipherOctets(value: string): Uint8Array {
  const text = value.replace(/\s+/g, '');
  if (text.length > MAX_CIPHER_TEXT) {
    throw new SegyError('SEGY_E_KMS_DOCUMENT', 'a wrapped key is too long');
  }
  // A wrapped key is a multiple of 8 octets: as base64, so long a run of hex digits does not occur.
  if (text.length % 16 === 0 && /^[0-9a-fA-F]+$/.test(text)) return fromHex(text);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    throw new SegyError('SEGY_E_KMS_DOCUMENT', 'a CipherValue is neither base64 nor hex');
  }
  return Buffer.from(text, 'base64');
}

function onlyChild(parent: XmlElement, localName: string, namespace: string): XmlElement {
  const [first, ...more] = childElements(parent, localName, namespace);
  if (first === undefined || more.length > 0) {
    throw new SegyError('SEGY_E_KMS_DOCUMENT', `${parent.localName} has not one ${localName}`);
  }
  return first;
}

function onlyKey(keys: ReadonlyMap<string, Uint8Array>): Uint8Array | undefined {
  const [key, ...more] = keys.values();
  return more.length === 0 ? key : undefined;
}
