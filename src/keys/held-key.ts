/** A key in the ring and its sealed form. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { bytesToUint, concatBytes, fromHex, toHex, uintToBytes, utf8 } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { KEY_TYPES } from '../mikey/index.js';
import type { KeyType, SrtpPolicy } from '../mikey/index.js';

/** Bit 0 of Status (TS 33.180 E.6.9): not revoked. */
export const STATUS_VALID = 1;

export interface HeldKey {
  readonly keyType: KeyType;
  /** K-ID, 4 octets, the purpose tag in its top 4 bits */
  readonly keyId: Uint8Array;
  /** the partner it came from or is shared with; empty for one of our own domain */
  readonly partner: string;
  /** the dialog of a key that lives as long as a call; empty for others */
  readonly dialog: string;
  /** empty once the key is revoked or has expired */
  readonly key: Uint8Array;
  /** SHA-256 of the key where its octets are gone, to know it again by; never shown */
  readonly digest?: Uint8Array | undefined;
  /** RAND of the latest message, which is the one to send with */
  readonly rand: Uint8Array;
  /** other RANDs under which the same key came and members may still send */
  readonly otherRands: readonly Uint8Array[];
  /** identity that made and signed it: the GMS, the caller, the server */
  readonly initiator: string;
  /** represented identities that received it */
  readonly holders: readonly string[];
  /** MC group IDs it serves */
  readonly groups: readonly string[];
  /** groups that were regrouped into the temporary one it serves */
  readonly constituents?: readonly string[] | undefined;
  /** E.6.9 */
  readonly status: number;
  readonly activation: Date;
  /** null: until it is replaced or revoked */
  readonly expiry: Date | null;
  /** T of the message that set what is held */
  readonly stamp: Date;
  readonly source: 'received' | 'made' | 'provisioned';
  readonly text: string;
  readonly policy: SrtpPolicy;
}

export type KeyState = 'revoked' | 'expired' | 'pending' | 'active';

export function isRevoked(key: Pick<HeldKey, 'status'>): boolean {
  return (key.status & STATUS_VALID) === 0;
}

/** `now`: milliseconds since 1970 */
export function stateOf(key: HeldKey, now: number): KeyState {
  if (isRevoked(key)) return 'revoked';
  if (key.digest !== undefined) return 'expired';
  if (key.expiry !== null && now >= key.expiry.getTime()) return 'expired';
  return now < key.activation.getTime() ? 'pending' : 'active';
}

/** SHA-256 of a key's octets: 128 random bits are not found by trying. */
export function digestOf(key: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(key).digest());
}

/** What stays of a key that ended: all but its octets. */
export function withoutKey(held: HeldKey): HeldKey {
  const digest = held.digest ?? (held.key.length === 0 ? undefined : digestOf(held.key));
  return { ...held, key: new Uint8Array(), ...(digest !== undefined && { digest }) };
}

const dateSchema = z.iso.datetime().transform((text) => new Date(text));
const hexSchema = z.string().transform((text) => fromHex(text));
const policySchema = z.strictObject({
  encryption: z.enum(['AES-GCM', 'AES-CM']),
  keyLength: z.union([z.literal(16), z.literal(32)]),
  saltLength: z.union([z.literal(12), z.literal(14)]),
  tagLength: z.union([z.literal(16), z.literal(10)]),
  authentication: z.enum(['none', 'HMAC-SHA1-80']),
  roc: z.strictObject({ mode: z.literal(3), rate: z.number().int().positive() }).nullable(),
});
const heldSchema = z.strictObject({
  keyType: z.enum(KEY_TYPES),
  keyId: hexSchema,
  partner: z.string(),
  dialog: z.string(),
  digest: hexSchema.optional(),
  rand: hexSchema,
  otherRands: z.array(hexSchema).default([]),
  initiator: z.string(),
  holders: z.array(z.string()),
  groups: z.array(z.string()),
  constituents: z.array(z.string()).optional(),
  status: z.number().int(),
  activation: dateSchema,
  expiry: dateSchema.nullable(),
  stamp: dateSchema,
  source: z.enum(['received', 'made', 'provisioned']),
  text: z.string(),
  policy: policySchema,
});

/** Length of the key (1), the key, the rest as JSON. The caller wipes it. */
export function encodeHeldKey(held: HeldKey): Uint8Array {
  const { key, ...rest } = held;
  const fields = {
    ...rest,
    keyId: toHex(held.keyId),
    rand: toHex(held.rand),
    otherRands: held.otherRands.map(toHex),
    ...(held.digest !== undefined && { digest: toHex(held.digest) }),
  };
  return concatBytes(uintToBytes(key.length, 1), key, utf8(JSON.stringify(fields)));
}

/** @throws SegyError SEGY_E_STORE */
export function decodeHeldKey(octets: Uint8Array): HeldKey {
  try {
    const length = Number(bytesToUint(octets.subarray(0, 1)));
    const key = Uint8Array.from(octets.subarray(1, 1 + length));
    const json = Buffer.from(octets.subarray(1 + length)).toString('utf8');
    return { ...heldSchema.parse(JSON.parse(json)), key };
  } catch (cause) {
    throw new SegyError('SEGY_E_STORE', 'a key of the key ring is malformed', { cause });
  }
}
