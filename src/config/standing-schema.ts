/**
 * What stands at a partner for as long as the gateway runs: subscriptions to group documents and
 * affiliations of represented users.
 */
import { z } from 'zod';
import { sipUri } from './values.js';

const seconds = z.number().int().min(60).max(604_800).default(3600);
/** each request carries an access token that the partner's identity management issued to the user */
const accessToken = z.boolean().default(false);

/** Whether the gateway subscribes to group documents at the GMS, which then notifies keys. */
export const subscriptionSchema = z
  .strictObject({
    enabled: z.boolean().default(false),
    /** where SUBSCRIBE goes; default: the GMS of the group */
    requestUri: sipUri.optional(),
    seconds,
    /** a subscription for each user and its groups, or one for the groups of all under the first user */
    per: z.enum(['user', 'partner']).default('user'),
    accessToken,
  })
  .prefault({});

/** `publish`: the gateway affiliates its users; `configured`: the partner knows them. */
export const affiliationSchema = z
  .strictObject({
    mode: z.enum(['configured', 'publish']).default('configured'),
    /** where PUBLISH goes; default: `sip.requestUri` */
    requestUri: sipUri.optional(),
    seconds,
    accessToken,
  })
  .prefault({});

/** What `refuseClearTokens` reads of a partner. */
interface TokenBearer {
  readonly subscription: { readonly accessToken: boolean };
  readonly affiliation: { readonly accessToken: boolean };
  readonly sip: {
    readonly addresses: readonly { readonly transport: string }[];
    readonly discover?: { readonly transports: readonly string[] } | undefined;
  };
  readonly protection?: { readonly send: { readonly confidentiality: boolean } } | undefined;
}

/** A token may be used by whoever reads it: it goes over TLS, or encrypted under an SPK. */
export function refuseClearTokens(
  partner: TokenBearer,
  index: number,
  context: z.RefinementCtx,
): void {
  const { addresses, discover } = partner.sip;
  const transports = [
    ...addresses.map(({ transport }) => transport),
    ...(discover?.transports ?? []),
  ];
  const isClear = transports.some((transport) => transport !== 'tls');
  if (!isClear || partner.protection?.send.confidentiality === true) return;
  for (const name of ['subscription', 'affiliation'] as const) {
    if (!partner[name].accessToken) continue;
    context.addIssue({
      code: 'custom',
      path: ['partners', index, name, 'accessToken'],
      message: 'an access token would travel clear: use TLS alone, or encrypt XML under an SPK',
    });
  }
}
