/**
 * One key on its way to one member: what it says (`valid` or `revoked`), and how far it came. A
 * member, a key and what is said of it have one delivery, and that has one message, which is sealed
 * before it is sent; so whatever happens in between, the same octets are sent again.
 *
 * | step      | event                                   | next |
 * |-----------|-----------------------------------------|------|
 * | waiting   | the message is made and on disk         | made |
 * | made      | the member, or its GMS, took it         | delivered |
 * | made      | refused, redirected, unreachable        | made, again after a wait that grows |
 * | made      | T lies too far back for the member      | waiting |
 * | any       | the user is a member no more, or what is said is out of date | gone |
 */
import { z } from 'zod';
import { utf8 } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { REDIRECT_PURPOSES } from '../kms/index.js';

export const DELIVERY_STEPS = ['waiting', 'made', 'delivered'] as const;

const redirectSchema = z.strictObject({
  purpose: z.enum(REDIRECT_PURPOSES).nullable(),
  /** the KMS that the message named */
  refusedKmsUri: z.string().nullable(),
  /** the KMS to use instead */
  kmsUri: z.string().nullable(),
  /** what an operator can do about it */
  advice: z.string(),
});

const schema = z.strictObject({
  group: z.string(),
  /** hex of the K-ID */
  keyId: z.string(),
  says: z.enum(['valid', 'revoked']),
  /** MC service ID */
  member: z.string(),
  partner: z.string(),
  kmsUri: z.string(),
  step: z.enum(DELIVERY_STEPS),
  /** T of the message, in milliseconds since 1970; null while there is none */
  stamp: z.number().nullable(),
  /** hex digest of the domain key it was encapsulated under */
  domainKey: z.string().nullable(),
  /** failures so far */
  failures: z.number().int(),
  /** not sent again before this time, in milliseconds since 1970 */
  notBefore: z.number(),
  /** code of the last failure, and the SIP status where it was a refusal */
  error: z.string().nullable(),
  status: z.number().int().nullable(),
  redirect: redirectSchema.nullable(),
  deliveredAt: z.number().nullable(),
});

export type Delivery = Readonly<z.output<typeof schema>>;
export type DeliveryRedirect = Readonly<z.output<typeof redirectSchema>>;

/** Which key goes to whom. */
export type DeliveryTarget = Pick<
  Delivery,
  'group' | 'keyId' | 'says' | 'member' | 'partner' | 'kmsUri'
>;

export function newDelivery(what: DeliveryTarget): Delivery {
  return {
    ...what,
    step: 'waiting',
    stamp: null,
    domainKey: null,
    failures: 0,
    notBefore: 0,
    error: null,
    status: null,
    redirect: null,
    deliveredAt: null,
  };
}

/** Names a delivery, also in the store. */
export function deliveryName({
  keyId,
  says,
  member,
}: Pick<Delivery, 'keyId' | 'says' | 'member'>): string {
  return `${keyId}/${says}/${member}`;
}

export function encodeDelivery(delivery: Delivery): Uint8Array {
  return utf8(JSON.stringify(delivery));
}

/** @throws SegyError SEGY_E_STORE */
export function decodeDelivery(octets: Uint8Array): Delivery {
  try {
    return schema.parse(JSON.parse(Buffer.from(octets).toString('utf8')));
  } catch (cause) {
    throw new SegyError('SEGY_E_STORE', 'a delivery is malformed', { cause });
  }
}
