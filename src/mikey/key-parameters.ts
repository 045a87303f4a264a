/**
 * Key parameters (TS 33.180 E.6): General Extension 7, a protected payload of clause 8.5.4 whose key is
 * derived from the transported key, or, from older products, the bare content.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concatBytes, equalBytes, uintToBytes, utf8, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { dpck, kdf33220 } from '../crypto/index.js';
import { type KeyType, purposeTag } from './key-types.js';
import { OctetReader, uint } from './octets.js';

export interface KeyParameters {
  /** Status, 32 bits (E.6.9) */
  readonly status: number;
  /** bit 0 of Status is 0, unless it was taken for unset (Tolerances.legacyKeyParameters) */
  readonly revoked: boolean;
  /** bit 1 of Status: the key is shared with a security gateway */
  readonly sharedWithGateway: boolean;
  /** from when the key may be used to transmit; null: from the time of the message */
  readonly activation: Date | null;
  /** until when it may be used; null: no end */
  readonly expiry: Date | null;
  readonly text: string;
  /** MC group IDs (E.6.3), verbatim */
  readonly groups: readonly string[];
}

/** Key parameters as read, with the key-type octet they name. */
export interface ReadKeyParameters {
  readonly parameters: KeyParameters;
  readonly keyTypeOctet: number;
  /** they came unencrypted */
  readonly legacy: boolean;
}

const CODE = 'SEGY_E_MIKEY_KEY_PARAMETERS';
const STATUS_VALID = 1;
const STATUS_SHARED_WITH_GATEWAY = 2;
const AAD_OCTETS = 32;
const TAG_OCTETS = 16;
const FC_DPCK = 0x53;
/** Message type: DATA PAYLOAD (3) with the bit that says protected. */
const MESSAGE_TYPE = 0x43;
const PROTECTED_BIT = 0x40;
const AUTHENTICATED_BIT = 0x80;
/** Message type of a product (Alea) that leaves Status all zero in the parameters of valid keys. */
const MESSAGE_TYPE_STATUS_UNSET = 0x40;
/** IEI of a group ID in the Group IDs element (24.282 MCData group ID). */
const IEI_GROUP_ID = 0x7b;
const MAX_GROUPS = 64;

function refuse(what: string): never {
  throw new SegyError(CODE, what);
}

function timeOf(octets: Uint8Array): Date | null {
  const seconds = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  if (seconds === 0) return null;
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? refuse('a time out of range') : date;
}

function textOf(octets: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch (cause) {
    throw new SegyError(CODE, `${what} is not UTF-8`, { cause });
  }
}

function readGroups(octets: Uint8Array): string[] {
  if (octets.length === 0) return [];
  const reader = new OctetReader(octets, 'Group IDs', CODE);
  const count = reader.u8('number of groups');
  if (count > MAX_GROUPS) refuse(`${count} groups`);
  const groups = Array.from({ length: count }, () => {
    reader.u8('IEI');
    return textOf(reader.take(reader.u16('length'), 'group ID'), 'a group ID');
  });
  if (reader.remaining > 0) refuse('octets behind the last group ID');
  return groups;
}

/** The content of table E.6.1-1. Octets behind its last element are later additions. */
function readContent(octets: Uint8Array, hasGroups: boolean): Omit<ReadKeyParameters, 'legacy'> {
  const reader = new OctetReader(octets, 'key parameters', CODE);
  const keyTypeOctet = reader.u8('key type');
  const status = reader.u32('status');
  const activation = timeOf(reader.take(5, 'activation time'));
  const expiry = timeOf(reader.take(5, 'expiry time'));
  const text = textOf(reader.take(reader.u16('text length'), 'text'), 'the text');
  const groups =
    hasGroups && reader.remaining > 0
      ? readGroups(reader.take(reader.u16('Group IDs length'), 'Group IDs'))
      : [];
  return {
    keyTypeOctet,
    parameters: {
      status,
      revoked: (status & STATUS_VALID) === 0,
      sharedWithGateway: (status & STATUS_SHARED_WITH_GATEWAY) !== 0,
      activation,
      expiry,
      text,
      groups,
    },
  };
}

/** Whether the data is the bare content of older products: its first octet is a key type. */
export function isLegacyKeyParameters(data: Uint8Array): boolean {
  return (data[0] ?? 0) < PROTECTED_BIT;
}

interface Protected {
  readonly aad: Uint8Array;
  readonly algorithm: number;
  readonly iv: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/**
 * Parts of a protected payload.
 * @throws SegyError SEGY_E_MIKEY_KEY_PARAMETERS: malformed, an algorithm other than AES-GCM, or a DPPK-ID
 * that is not the CSB ID
 */
function readProtected(data: Uint8Array, csbId: Uint8Array): Protected {
  const reader = new OctetReader(data, 'key parameters', CODE);
  const messageType = reader.u8('message type');
  if ((messageType & PROTECTED_BIT) === 0 || (messageType & AUTHENTICATED_BIT) !== 0) {
    refuse(`message type ${messageType}`);
  }
  reader.take(10, 'date and time, payload ID and sequence number');
  const algorithm = reader.u8('payload algorithm');
  if (algorithm !== 1 && algorithm !== 2) refuse(`payload algorithm ${algorithm}`);
  const iv = reader.take(16, 'IV');
  if (!equalBytes(reader.take(4, 'DPPK-ID'), csbId)) refuse('the DPPK-ID is not the CSB ID');
  reader.u8('IEI');
  const sealed = reader.take(reader.u16('payload length'), 'payload');
  if (reader.remaining > 0) refuse('octets behind the payload');
  if (sealed.length < TAG_OCTETS) refuse('a payload without a tag');
  return {
    aad: data.slice(0, AAD_OCTETS),
    algorithm,
    iv,
    ciphertext: sealed.subarray(0, sealed.length - TAG_OCTETS),
    tag: sealed.subarray(sealed.length - TAG_OCTETS),
  };
}

/** DPCK of the payload algorithm: the low 16 octets, or all 32. */
function contentKey(algorithm: number, key: Uint8Array, dppkId: Uint8Array): Uint8Array {
  return algorithm === 1 ? dpck(key, dppkId) : kdf33220(key, FC_DPCK, dppkId);
}

function unseal(sealed: Protected, key: Uint8Array, csbId: Uint8Array): Uint8Array {
  const cipherKey = contentKey(sealed.algorithm, key, csbId);
  try {
    const name = sealed.algorithm === 1 ? 'aes-128-gcm' : 'aes-256-gcm';
    const decipher = createDecipheriv(name, cipherKey, sealed.iv, { authTagLength: TAG_OCTETS });
    decipher.setAAD(sealed.aad);
    decipher.setAuthTag(sealed.tag);
    return new Uint8Array(Buffer.concat([decipher.update(sealed.ciphertext), decipher.final()]));
  } catch (cause) {
    throw new SegyError(CODE, 'the key parameters do not decrypt', { cause });
  } finally {
    wipe(cipherKey);
  }
}

const hasGroupIds = (keyType: KeyType): boolean => ['GMK', 'MKFC', 'MuSiK'].includes(keyType);

/**
 * Reads the extension's data with the transported key.
 * @throws SegyError SEGY_E_MIKEY_KEY_PARAMETERS: does not decrypt (then the whole key is rejected, 5.2.4),
 * malformed, or unencrypted where that is not tolerated
 */
export function readKeyParameters(
  data: Uint8Array,
  context: { keyType: KeyType; key: Uint8Array; csbId: Uint8Array; allowLegacy: boolean },
): ReadKeyParameters {
  const hasGroups = hasGroupIds(context.keyType);
  if (isLegacyKeyParameters(data)) {
    if (!context.allowLegacy) refuse('the key parameters are not encrypted');
    return { ...readContent(data, hasGroups), legacy: true };
  }
  const sealed = readProtected(data, context.csbId);
  const content = readContent(unseal(sealed, context.key, context.csbId), hasGroups);
  const parameters =
    context.allowLegacy &&
    data[0] === MESSAGE_TYPE_STATUS_UNSET &&
    isStatusUnset(content.parameters)
      ? { ...content.parameters, revoked: false }
      : content.parameters;
  return { ...content, parameters, legacy: false };
}

/** All zero beside a lifetime: nobody gives a revoked key an activation and an expiry time. */
function isStatusUnset({ status, activation, expiry }: KeyParameters): boolean {
  return status === 0 && activation !== null && expiry !== null;
}

/** What makeKeyParameters takes: Status by its meaning, everything optional. */
export interface NewKeyParameters {
  readonly revoked?: boolean;
  readonly sharedWithGateway?: boolean;
  readonly activation?: Date | null;
  readonly expiry?: Date | null;
  readonly text?: string;
  readonly groups?: readonly string[];
}

function timeOctets(date: Date | null | undefined): Uint8Array {
  return uintToBytes(Math.floor((date?.getTime() ?? 0) / 1000), 5);
}

function contentOctets(keyType: KeyType, parameters: NewKeyParameters): Uint8Array {
  const status =
    (parameters.revoked === true ? 0 : STATUS_VALID) |
    (parameters.sharedWithGateway === true ? STATUS_SHARED_WITH_GATEWAY : 0);
  const text = utf8(parameters.text ?? '');
  const groups = (parameters.groups ?? []).map((group) => {
    const id = utf8(group);
    return concatBytes(new Uint8Array([IEI_GROUP_ID]), uint(id.length, 2, 'group ID'), id);
  });
  if (groups.length > MAX_GROUPS) throw new SegyError('SEGY_E_ARGUMENT', 'too many groups');
  const list = concatBytes(uint(groups.length, 1, 'number of groups'), ...groups);
  return concatBytes(
    new Uint8Array([purposeTag(keyType)]),
    uint(status, 4, 'status'),
    timeOctets(parameters.activation),
    timeOctets(parameters.expiry),
    uint(text.length, 2, 'text'),
    text,
    ...(hasGroupIds(keyType) ? [uint(list.length, 2, 'Group IDs'), list] : []),
  );
}

/**
 * Data of the extension, encrypted with AEAD_AES_128_GCM.
 * @param context.iv 16 random octets, new for every message
 * @throws SegyError SEGY_E_ARGUMENT when a value does not fit its element
 */
export function makeKeyParameters(
  parameters: NewKeyParameters,
  context: {
    keyType: KeyType;
    key: Uint8Array;
    csbId: Uint8Array;
    iv: Uint8Array;
    timestamp: Date;
  },
): Uint8Array {
  const aad = concatBytes(
    new Uint8Array([MESSAGE_TYPE]),
    timeOctets(context.timestamp),
    new Uint8Array(5),
    new Uint8Array([1]),
    context.iv,
    context.csbId,
  );
  const cipherKey = contentKey(1, context.key, context.csbId);
  const cipher = createCipheriv('aes-128-gcm', cipherKey, context.iv);
  wipe(cipherKey);
  cipher.setAAD(aad);
  const content = contentOctets(context.keyType, parameters);
  const sealed = concatBytes(cipher.update(content), cipher.final(), cipher.getAuthTag());
  return concatBytes(aad, new Uint8Array([0]), uint(sealed.length, 2, 'payload'), sealed);
}
