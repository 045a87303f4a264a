/**
 * Sealing of one record: AES-256-GCM under a key of its own,
 *   recordKey = HMAC-SHA-256(dataKey, place),  place = label ‖ dataKeyId ‖ version ‖ name
 * with `place` as additional data too. So a sealed record opens only under the name and version
 * it was written for, and random nonces never have to last for more than one (name, version).
 *
 *   octets  field
 *   1       format, 1
 *   4       data key id
 *   8       version: the store's write counter when it was written
 *   12      nonce
 *   n + 16  ciphertext and tag
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { RandomBytes } from '../base/environment.js';
import { bytesToUint, concatBytes, uintToBytes, utf8, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import type { DataKeys } from './key-record.js';

const FORMAT = 1;
const HEADER_OCTETS = 13;
const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;
const LABEL = utf8('segy-record/1\0');

export interface SealedHeader {
  readonly dataKeyId: number;
  readonly version: number;
}

/** Seals `plaintext` as version `version` of the record `name`, under the current data key. */
export function seal(
  plaintext: Uint8Array,
  name: string,
  version: number,
  keys: DataKeys,
  random: RandomBytes,
): Uint8Array {
  const dataKeyId = keys.current;
  const place = placeOf(name, { dataKeyId, version });
  const recordKey = recordKeyOf(keys, dataKeyId, place, name);
  const nonce = random(NONCE_OCTETS);
  try {
    const cipher = createCipheriv('aes-256-gcm', recordKey, nonce);
    cipher.setAAD(place);
    const body = cipher.update(plaintext);
    cipher.final();
    return concatBytes(
      Uint8Array.of(FORMAT),
      uintToBytes(dataKeyId, 4),
      uintToBytes(version, 8),
      nonce,
      body,
      cipher.getAuthTag(),
    );
  } finally {
    wipe(recordKey);
  }
}

/** @throws SegyError SEGY_E_STORE when the octets cannot be a sealed record */
export function readSealedHeader(sealed: Uint8Array, name: string): SealedHeader {
  if (sealed.length < HEADER_OCTETS + NONCE_OCTETS + TAG_OCTETS) {
    throw new SegyError('SEGY_E_STORE', `record ${name} is truncated`);
  }
  if (sealed[0] !== FORMAT) {
    throw new SegyError('SEGY_E_STORE', `record ${name} has an unknown format`);
  }
  const version = bytesToUint(sealed.subarray(5, 13));
  if (version > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new SegyError('SEGY_E_STORE', `record ${name} has an impossible version`);
  }
  return { dataKeyId: Number(bytesToUint(sealed.subarray(1, 5))), version: Number(version) };
}

/**
 * @throws SegyError SEGY_E_STORE when the record was changed, moved from another name, or sealed
 *   under a data key that is not held
 */
export function unseal(sealed: Uint8Array, name: string, keys: DataKeys): Uint8Array {
  const header = readSealedHeader(sealed, name);
  const place = placeOf(name, header);
  const recordKey = recordKeyOf(keys, header.dataKeyId, place, name);
  const nonce = sealed.subarray(HEADER_OCTETS, HEADER_OCTETS + NONCE_OCTETS);
  try {
    const decipher = createDecipheriv('aes-256-gcm', recordKey, nonce, {
      authTagLength: TAG_OCTETS,
    });
    decipher.setAAD(place);
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_OCTETS));
    const body = sealed.subarray(HEADER_OCTETS + NONCE_OCTETS, sealed.length - TAG_OCTETS);
    const plaintext = decipher.update(body);
    decipher.final();
    return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  } catch (cause) {
    throw new SegyError('SEGY_E_STORE', `record ${name} does not authenticate`, { cause });
  } finally {
    wipe(recordKey);
  }
}

/** The version in a sealed record's header, believed only as one that must not be used again. */
export function versionClaimed(value: Uint8Array, name: string): number | undefined {
  try {
    return readSealedHeader(value, name).version;
  } catch {
    return undefined;
  }
}

/** Whether the record opens under `name`. */
export function opens(value: Uint8Array, name: string, keys: DataKeys): boolean {
  try {
    wipe(unseal(value, name, keys));
    return true;
  } catch {
    return false;
  }
}

function placeOf(name: string, header: SealedHeader): Uint8Array {
  return concatBytes(
    LABEL,
    uintToBytes(header.dataKeyId, 4),
    uintToBytes(header.version, 8),
    utf8(name),
  );
}

function recordKeyOf(
  keys: DataKeys,
  dataKeyId: number,
  place: Uint8Array,
  name: string,
): Uint8Array {
  const dataKey = keys.find(dataKeyId);
  if (dataKey === undefined) {
    throw new SegyError('SEGY_E_STORE', `record ${name} names a data key that is not held`);
  }
  return createHmac('sha256', dataKey).update(place).digest();
}
