/**
 * Session keys from a master key: RFC 3711 section 4.3 with the AES-CM PRF and key derivation rate 0.
 *
 *   x  = (master salt, padded on the right to 14 octets) XOR (label at octet 7)
 *   k  = AES-CTR keystream under the master key, first counter block x || 00 00
 *
 * RFC 7714 section 11 keeps this PRF for AEAD_AES_128_GCM; its salts have 12 octets.
 */
import { createCipheriv } from 'node:crypto';
import { wipe } from '../base/bytes.js';
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

function prf(key: SrtpKeyMaterial, label: number, length: number): Uint8Array {
  const block = new Uint8Array(16);
  block.set(key.masterSalt);
  block[7] = (block[7] ?? 0) ^ label;
  const cipher = createCipheriv('aes-128-ctr', key.masterKey, block);
  const stream = cipher.update(new Uint8Array(length));
  const out = new Uint8Array(stream);
  wipe(block, stream);
  return out;
}

/** @throws SegyError SEGY_E_ARGUMENT when the material is not one of the suites' shapes */
export function deriveSessionKeys(key: SrtpKeyMaterial, protocol: 'rtp' | 'rtcp'): SessionKeys {
  checkKeyMaterial(key);
  const labels = LABELS[protocol];
  const gcm = key.suite === 'AEAD_AES_128_GCM';
  return {
    encryption: prf(key, labels.encryption, 16),
    authentication: gcm ? new Uint8Array(0) : prf(key, labels.authentication, 20),
    salt: prf(key, labels.salt, gcm ? 12 : 14),
  };
}

export function wipeSessionKeys(keys: SessionKeys): void {
  wipe(keys.encryption, keys.authentication, keys.salt);
}
