/**
 * Key types and their identifiers (TS 33.180 5.2.2, 5.2.3, E.1.3, E.6.11): purpose tags, CS IDs,
 * end-point diversity, SRTP master keys.
 */
import { concatBytes, expectLength } from '../base/bytes.js';
import { deriveMikeyKey, userSalt28 } from '../crypto/index.js';

export type KeyType = 'GMK' | 'PCK' | 'CSK' | 'SPK' | 'MKFC' | 'MSCCK' | 'MuSiK';

/** Key types in the order of their purpose tags, which are also the key-type octets of E.6.11. */
export const KEY_TYPES: readonly KeyType[] = ['GMK', 'PCK', 'CSK', 'SPK', 'MKFC', 'MSCCK', 'MuSiK'];

/** CS IDs of table E.1.3-1, constants of the traffic type. */
export const CS_ID = {
  mcpttPrivateInitiator: 0,
  mcpttPrivateReceiver: 1,
  mcvideoPrivateInitiator: 2,
  mcvideoPrivateReceiver: 3,
  mcpttGroup: 4,
  mcvideoGroup: 5,
  cskMcptt: 6,
  musikMcptt: 7,
  cskMcvideo: 8,
  musikMcvideo: 9,
} as const;

/** The CS IDs that belong to each key type; that of an SPK is provisioned with it (unconfirmed in E.1.3). */
const CS_IDS_OF: Readonly<Record<KeyType, readonly number[]>> = {
  PCK: [
    CS_ID.mcpttPrivateInitiator,
    CS_ID.mcpttPrivateReceiver,
    CS_ID.mcvideoPrivateInitiator,
    CS_ID.mcvideoPrivateReceiver,
  ],
  GMK: [CS_ID.mcpttGroup, CS_ID.mcvideoGroup],
  CSK: [CS_ID.cskMcptt, CS_ID.cskMcvideo],
  MuSiK: [CS_ID.musikMcptt, CS_ID.musikMcvideo],
  SPK: [],
  MKFC: [],
  MSCCK: [],
};

/** The CS IDs of table E.1.3-1 for a key type; empty where the table has none. */
export function csIdsOf(keyType: KeyType): readonly number[] {
  return CS_IDS_OF[keyType];
}

/** Purpose tag (4 bits) of a key type. */
export function purposeTag(keyType: KeyType): number {
  return KEY_TYPES.indexOf(keyType);
}

/** Key type by the purpose tag of a K-ID or UK-ID (4 octets), or undefined for a reserved tag. */
export function keyTypeOf(identifier: Uint8Array): KeyType | undefined {
  return KEY_TYPES[(identifier[0] ?? 0) >> 4];
}

/** Whether the CSB ID of that key type is a UK-ID, different for every receiver (5.2.3). */
export function hasEndPointDiversity(keyType: KeyType): boolean {
  return keyType === 'GMK';
}

function xorSalt(key: Uint8Array, identifier: Uint8Array, userUri: string): Uint8Array {
  expectLength(identifier, 4, 'key identifier');
  const salt = userSalt28(key, userUri);
  return identifier.map((octet, i) => octet ^ (salt[i] ?? 0));
}

/**
 * GUK-ID of a user (5.2.3): the GMK-ID's tag and its low 28 bits XOR the user salt (F.1.3), 4 octets.
 * @param userUri MC service user ID of the receiving or sending user, verbatim
 */
export function gukId(gmk: Uint8Array, gmkId: Uint8Array, userUri: string): Uint8Array {
  return xorSalt(gmk, gmkId, userUri);
}

/** GMK-ID from the GUK-ID that a user received, 4 octets: the inverse of gukId. */
export function gmkIdOf(gmk: Uint8Array, receivedGukId: Uint8Array, userUri: string): Uint8Array {
  return xorSalt(gmk, receivedGukId, userUri);
}

/** A new K-ID of the type: its purpose tag and 28 random bits. */
export function newKeyId(keyType: KeyType, random: (count: number) => Uint8Array): Uint8Array {
  const identifier = random(4).slice();
  identifier[0] = (purposeTag(keyType) << 4) | ((identifier[0] ?? 0) & 0x0f);
  return identifier;
}

/** MKI on the wire: GMK-ID and GUK-ID (8 octets) for a GMK, the K-ID (4) for every other key. */
export function mkiOf(keyType: KeyType, keyId: Uint8Array, csbId: Uint8Array): Uint8Array {
  return hasEndPointDiversity(keyType) ? concatBytes(keyId, csbId) : keyId.slice();
}

/** What derives SRTP keys from a transported key (7.4.1, 7.4.2). */
export interface SrtpKeyInput {
  /** the transported key */
  readonly key: Uint8Array;
  /** 4 octets; of a GMK the GUK-ID of the sender of the stream */
  readonly csbId: Uint8Array;
  /** RAND of the message that delivered the key */
  readonly rand: Uint8Array;
  readonly csId: number;
  /** octets of the master key, default 16 */
  readonly keyLength?: number;
  /** octets of the master salt, default 12 (AES-GCM) */
  readonly saltLength?: number;
}

/** SRTP master key and master salt of one crypto session. The caller wipes them. */
export function srtpKeys(input: SrtpKeyInput): { masterKey: Uint8Array; masterSalt: Uint8Array } {
  return {
    masterKey: deriveMikeyKey('TEK', input, input.keyLength ?? 16),
    masterSalt: deriveMikeyKey('SALT', input, input.saltLength ?? 12),
  };
}
