/** Key derivation: TS 33.220 Annex B.2 with the functions of TS 33.180 Annex F, and MIKEY's (RFC 3830, RFC 6043). */
import { createHmac } from 'node:crypto';
import { concatBytes, fromHex, uintToBytes, utf8, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { expectBytes, expectLengthBetween } from './arguments.js';

const FC_USER_SALT = 0x50;
const FC_DPCK = 0x53;
const FC_SIGNALLING = { confidentiality: 0x51, integrity: 0x52 } as const;
const MAX_KEY_OCTETS = 1024;
const MAX_OUTPUT_OCTETS = 8160;

function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return new Uint8Array(hmac.digest());
}

/**
 * KDF of TS 33.220 Annex B.2: HMAC-SHA-256(key, FC || P0 || L0 || P1 || L1 …), 32 octets.
 * @param fc function code, one octet
 * @throws SegyError SEGY_E_ARGUMENT on an empty key, an FC above 255 or a parameter over 65535 octets
 */
export function kdf33220(
  key: Uint8Array,
  fc: number,
  ...params: readonly Uint8Array[]
): Uint8Array {
  expectLengthBetween(key, 1, MAX_KEY_OCTETS, 'key');
  if (!Number.isInteger(fc) || fc < 0 || fc > 0xff) {
    throw new SegyError('SEGY_E_ARGUMENT', 'fc is not one octet');
  }
  const parts: Uint8Array[] = [Uint8Array.of(fc)];
  for (const [i, param] of params.entries()) {
    expectLengthBetween(param, 0, 0xffff, `params[${i}]`);
    parts.push(param, uintToBytes(param.length, 2));
  }
  return hmacSha256(key, ...parts);
}

/**
 * PRF-HMAC-SHA-256 of MIKEY (RFC 3830 section 4.1.2, RFC 6043 section 6.1).
 * @param inkey split in blocks of 32 octets whose outputs are combined by XOR
 * @param length octets wanted, 1 to 8160
 * @throws SegyError SEGY_E_ARGUMENT on an empty inkey or a length out of range
 */
export function mikeyPrf(inkey: Uint8Array, label: Uint8Array, length: number): Uint8Array {
  expectLengthBetween(inkey, 1, MAX_KEY_OCTETS, 'inkey');
  expectBytes(label, 'label');
  if (!Number.isInteger(length) || length < 1 || length > MAX_OUTPUT_OCTETS) {
    throw new SegyError('SEGY_E_ARGUMENT', `length is not 1 to ${MAX_OUTPUT_OCTETS}`);
  }
  const out = new Uint8Array(length);
  for (let start = 0; start < inkey.length; start += 32) {
    const block = inkey.subarray(start, start + 32);
    let a = label;
    for (let offset = 0; offset < length; offset += 32) {
      a = hmacSha256(block, a);
      const stream = hmacSha256(block, a, label);
      for (let i = 0; i < 32 && offset + i < length; i++) {
        out[offset + i] = (out[offset + i] ?? 0) ^ (stream[i] ?? 0);
      }
      wipe(stream);
    }
  }
  return out;
}

/** Constants of RFC 3830 section 4.1.3 that tell what the key is for. */
const MIKEY_CONSTANTS = {
  TEK: '2ad01c64',
  SALT: '39a2c14b',
  AUTH: '1b5c7973',
  ENCR: '15798cef',
} as const;

export type MikeyKeyKind = keyof typeof MIKEY_CONSTANTS;

export interface MikeyKeyInput {
  /** the transported key (GMK, PCK, CSK, …), used as TGK */
  readonly key: Uint8Array;
  /** crypto session number, 0 to 255 */
  readonly csId: number;
  /** crypto session bundle identifier, 4 octets */
  readonly csbId: Uint8Array;
  /** RAND of the message that delivered the key, 1 to 255 octets */
  readonly rand: Uint8Array;
}

/**
 * A key derived from a TGK (RFC 3830 section 4.1.3): `TEK` is the SRTP master key, `SALT` its master salt.
 * @param length octets wanted
 * @throws SegyError SEGY_E_ARGUMENT
 */
export function deriveMikeyKey(
  kind: MikeyKeyKind,
  input: MikeyKeyInput,
  length: number,
): Uint8Array {
  if (!Object.hasOwn(MIKEY_CONSTANTS, kind)) {
    throw new SegyError('SEGY_E_ARGUMENT', 'kind is not TEK, SALT, AUTH or ENCR');
  }
  if (!Number.isInteger(input.csId) || input.csId < 0 || input.csId > 0xff) {
    throw new SegyError('SEGY_E_ARGUMENT', 'csId is not one octet');
  }
  expectBytes(input.csbId, 'csbId', 4);
  expectLengthBetween(input.rand, 1, 255, 'rand');
  const label = concatBytes(
    fromHex(MIKEY_CONSTANTS[kind]),
    Uint8Array.of(input.csId),
    input.csbId,
    input.rand,
  );
  return mikeyPrf(input.key, label, length);
}

/**
 * User salt of TS 33.180 clause F.1.3: the low 28 bits, in 4 octets whose first four bits are zero.
 * @param key GMK, or the key under end-point diversity
 * @param uri MC service user ID, verbatim
 */
export function userSalt28(key: Uint8Array, uri: string): Uint8Array {
  const salt = kdf33220(key, FC_USER_SALT, utf8(uri)).slice(28);
  salt[0] = (salt[0] ?? 0) & 0x0f;
  return salt;
}

/**
 * DPCK of TS 33.180 clause F.1.5: the low 128 bits, 16 octets.
 * @param key DPPK
 * @param dppkId DPPK-ID, 4 octets
 */
export function dpck(key: Uint8Array, dppkId: Uint8Array): Uint8Array {
  expectBytes(dppkId, 'dppkId', 4);
  return kdf33220(key, FC_DPCK, dppkId).slice(16);
}

/**
 * Key for XML in SIP (TS 33.180 clause F.1.4), as long as the XPK: of a 128-bit one the low 128 bits.
 * @param xpk CSK or SPK, 16 or 32 octets
 * @param p0 MC service user ID, verbatim
 * @param xpkId CSK-ID or SPK-ID, 4 octets
 */
export function signallingKey(
  use: keyof typeof FC_SIGNALLING,
  xpk: Uint8Array,
  p0: string,
  xpkId: Uint8Array,
): Uint8Array {
  expectBytes(xpkId, 'xpkId', 4);
  if (xpk.length !== 16 && xpk.length !== 32) {
    throw new SegyError('SEGY_E_ARGUMENT', 'an XPK has 16 or 32 octets');
  }
  const full = kdf33220(xpk, FC_SIGNALLING[use], utf8(p0), xpkId);
  if (xpk.length === 32) return full;
  const low = full.slice(16);
  wipe(full);
  return low;
}
