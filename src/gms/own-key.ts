/** A group key that was made here, and its sealed form. */
import { z } from 'zod';
import { bytesToUint, concatBytes, fromHex, toHex, uintToBytes, utf8 } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';

export const OWN_KEY_TYPES = ['GMK', 'MKFC'] as const;
export type OwnKeyType = (typeof OWN_KEY_TYPES)[number];

/** Why a key was made. */
export const ROLL_REASONS = ['created', 'command', 'schedule', 'removal'] as const;
export type RollReason = (typeof ROLL_REASONS)[number];

/** Longest time from a command to the use of a new key, in seconds. */
export const MAX_ACTIVATION_SECONDS = 999_999;

/** By which a roll is known to whoever ordered it, so that to order it again rolls nothing. */
const orderSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._~-]{1,64}$/),
  activationSeconds: z.number().int().min(0).max(MAX_ACTIVATION_SECONDS).nullable(),
  revokeNow: z.boolean(),
});
export type RollOrder = Readonly<z.output<typeof orderSchema>>;

/** @throws SegyError SEGY_E_ARGUMENT that names what of it is wrong */
export function checkOrder(input: unknown): RollOrder {
  const parsed = orderSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SegyError('SEGY_E_ARGUMENT', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

export interface OwnKey {
  readonly group: string;
  readonly keyType: OwnKeyType;
  /** hex of the K-ID, 4 octets */
  readonly keyId: string;
  /** 16 octets */
  readonly key: Uint8Array;
  /** the one RAND of all its messages, 16 octets */
  readonly rand: Uint8Array;
  readonly reason: RollReason;
  readonly madeAt: Date;
  readonly activation: Date;
  readonly expiry: Date | null;
  /** when it gives way to its successor; null while it has none */
  readonly retireAt: Date | null;
  /** since when it is revoked; null while it is valid */
  readonly revokedAt: Date | null;
  /** our own radio users that had it */
  readonly holders: readonly string[];
  /** the order by which it was made; null where it has none */
  readonly order: RollOrder | null;
}

const date = z.iso.datetime().transform((text) => new Date(text));
const schema = z.strictObject({
  group: z.string(),
  keyType: z.enum(OWN_KEY_TYPES),
  keyId: z.string().regex(/^[0-9a-f]{8}$/),
  rand: z.string().transform((text) => fromHex(text)),
  reason: z.enum(ROLL_REASONS),
  madeAt: date,
  activation: date,
  expiry: date.nullable(),
  retireAt: date.nullable(),
  revokedAt: date.nullable(),
  holders: z.array(z.string()),
  order: orderSchema.nullable().default(null),
});

/** Length of the key (1), the key, the rest as JSON. The caller wipes it. */
export function encodeOwnKey(own: OwnKey): Uint8Array {
  const { key, rand, ...rest } = own;
  const json = utf8(JSON.stringify({ ...rest, rand: toHex(rand) }));
  return concatBytes(uintToBytes(key.length, 1), key, json);
}

/** @throws SegyError SEGY_E_STORE */
export function decodeOwnKey(octets: Uint8Array): OwnKey {
  try {
    const length = Number(bytesToUint(octets.subarray(0, 1)));
    const json = Buffer.from(octets.subarray(1 + length)).toString('utf8');
    return {
      ...schema.parse(JSON.parse(json)),
      key: Uint8Array.from(octets.subarray(1, 1 + length)),
    };
  } catch (cause) {
    throw new SegyError('SEGY_E_STORE', 'a group key is malformed', { cause });
  }
}
