/**
 * SRTP key material as the key management hands it over, before any derivation.
 */
import { SegyError } from '../base/errors.js';
import { equalBytes, expectLength, wipe } from '../base/bytes.js';

/** AEAD_AES_128_GCM of RFC 7714; AES_CM_128_HMAC_SHA1_80 of RFC 3711 (tag of 80 bits). */
export type SrtpSuite = 'AEAD_AES_128_GCM' | 'AES_CM_128_HMAC_SHA1_80';

export interface SrtpKeyMaterial {
  readonly suite: SrtpSuite;
  /** 16 octets */
  readonly masterKey: Uint8Array;
  /** 12 octets; 12 or 14 for AES_CM. A salt of 12 is padded on the right for the derivation. */
  readonly masterSalt: Uint8Array;
  /** 0, 4 (PCK-ID, CSK-ID) or 8 octets (GMK-ID and GUK-ID), TS 33.180 clause 7.4 */
  readonly mki: Uint8Array;
  /**
   * RFC 4771 rate R: packets whose sequence number is a multiple of R carry the roll-over counter
   * (mode 3, four octets after the MKI). 0: no packet does. Only with AEAD_AES_128_GCM, because
   * mode 3 stands where AES_CM has its own tag.
   */
  readonly rocRate: number;
}

/** Octets of the authentication tag of a suite. */
export const TAG_LENGTH: Readonly<Record<SrtpSuite, number>> = {
  AEAD_AES_128_GCM: 16,
  AES_CM_128_HMAC_SHA1_80: 10,
};

/** Octets of the roll-over counter that RFC 4771 mode 3 appends. */
export const ROC_TAG_LENGTH = 4;

/** @throws SegyError SEGY_E_ARGUMENT for a length, rate or combination that the suite does not have */
export function checkKeyMaterial(key: SrtpKeyMaterial): void {
  expectLength(key.masterKey, 16, 'SRTP master key');
  const salt = key.masterSalt.length;
  if (salt !== 12 && !(salt === 14 && key.suite === 'AES_CM_128_HMAC_SHA1_80')) {
    throw new SegyError('SEGY_E_ARGUMENT', `SRTP master salt has ${salt} octets`);
  }
  const mki = key.mki.length;
  if (mki !== 0 && mki !== 4 && mki !== 8) {
    throw new SegyError('SEGY_E_ARGUMENT', `MKI has ${mki} octets, not 0, 4 or 8`);
  }
  if (!Number.isInteger(key.rocRate) || key.rocRate < 0 || key.rocRate > 0xffff) {
    throw new SegyError('SEGY_E_ARGUMENT', 'ROC transmission rate is not in 0..65535');
  }
  if (key.rocRate > 0 && key.suite !== 'AEAD_AES_128_GCM') {
    throw new SegyError('SEGY_E_ARGUMENT', 'ROC transmission mode 3 needs AEAD_AES_128_GCM');
  }
}

/** A copy whose octets the new owner may wipe or transfer; never shares memory with `key`. */
export function copyKeyMaterial(key: SrtpKeyMaterial): SrtpKeyMaterial {
  checkKeyMaterial(key);
  return {
    suite: key.suite,
    masterKey: new Uint8Array(key.masterKey),
    masterSalt: new Uint8Array(key.masterSalt),
    mki: new Uint8Array(key.mki),
    rocRate: key.rocRate,
  };
}

export function wipeKeyMaterial(...keys: readonly SrtpKeyMaterial[]): void {
  for (const key of keys) wipe(key.masterKey, key.masterSalt);
}

/** True when both derive the same session keys and frame packets alike. Constant time in the secrets. */
export function sameKeyMaterial(a: SrtpKeyMaterial, b: SrtpKeyMaterial): boolean {
  const key = equalBytes(a.masterKey, b.masterKey);
  const salt = equalBytes(a.masterSalt, b.masterSalt);
  return key && salt && a.suite === b.suite && a.rocRate === b.rocRate && equalBytes(a.mki, b.mki);
}
