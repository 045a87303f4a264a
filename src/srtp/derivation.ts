/**
 * Session keys from a master key: RFC 3711 section 4.3 with the AES-CM PRF and key derivation rate 0.
 *
 *   x  = (master salt, padded on the right to 14 octets) XOR (label at octet 7)
 *   k  = AES-CTR keystream under the master key, first counter block x || 00 00
 *
 * RFC 7714 section 11 keeps this PRF for AEAD_AES_128_GCM; its salts have 12 octets.
 */
import { createCipheriv } from 'node:crypto';
import { concatBytes, wipe } from '../base/bytes.js';
import { checkKeyMaterial, type SrtpKeyMaterial } from './keys.js';

/** Keys of one protocol (SRTP or SRTCP) under one master key. */
export interface SessionKeys {
  /** 16 octets */
  readonly encryption: Uint8Array;
  /** 20 octets for HMAC-SHA1, none for GCM */
  readonly authentication: Uint8Array;
  /** 12 octets for GCM, 14 for AES_CM */
  readonly salt: Uint8Array;
}

const LABELS = {
  rtp: { encryption: 0, authentication: 1, salt: 2 },
  rtcp: { encryption: 3, authentication: 4, salt: 5 },
} as const;

const BLOCK = 16;

/** The counter block `number` of a label's keystream. */
function counterBlock(salt: Uint8Array, label: number, number: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  block.set(salt);
  block[7] = (block[7] ?? 0) ^ label;
  block[BLOCK - 1] = number;
  return block;
}

/** @throws SegyError SEGY_E_ARGUMENT when the material is not one of the suites' shapes */
export function deriveSessionKeys(key: SrtpKeyMaterial, protocol: 'rtp' | 'rtcp'): SessionKeys {
  checkKeyMaterial(key);
  const labels = LABELS[protocol];
  const gcm = key.suite === 'AEAD_AES_128_GCM';
  const block = (label: number, number: number): Uint8Array =>
    counterBlock(key.masterSalt, label, number);
  const blocks = concatBytes(
    block(labels.encryption, 0),
    block(labels.salt, 0),
    ...(gcm ? [] : [block(labels.authentication, 0), block(labels.authentication, 1)]),
  );
  // the keystream of counter mode is the blocks enciphered: one cipher serves all labels
  const stream = createCipheriv('aes-128-ecb', key.masterKey, null).update(blocks);
  const keys = {
    encryption: new Uint8Array(stream.subarray(0, BLOCK)),
    salt: new Uint8Array(stream.subarray(BLOCK, BLOCK + (gcm ? 12 : 14))),
    authentication: new Uint8Array(stream.subarray(2 * BLOCK, 2 * BLOCK + (gcm ? 0 : 20))),
  };
  wipe(blocks, stream);
  return keys;
}

export function wipeSessionKeys(keys: SessionKeys): void {
  wipe(keys.encryption, keys.authentication, keys.salt);
}
