/**
 * The pseudo IdM: the tokens that it issues to users of partners, and what of a partner's tokens and
 * clients it trusts. Secrets and keys come by reference.
 */
import { z } from 'zod';
import { filePath, printable, sha256 } from './values.js';

const seconds = (least: number, most: number) => z.number().int().min(least).max(most);
const DAY = 86_400;

/** An https address without what RFC 8414 clause 2 forbids in an issuer. */
const issuer = z
  .url({ protocol: /^https$/ })
  .max(255)
  .refine((text) => !/[?#\s]|\/$/.test(text), 'no query, no fragment and no slash at its end');
const address = z.string().regex(/^[^\s<>"']{1,255}$/, 'not an address');

/** Asymmetric ones alone: whoever verifies a token could make one otherwise. */
const algorithm = z.enum([
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
  ...(['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'] as const),
]);

export const idmSchema = z.strictObject({
  /** our address, as clients reach it; the endpoints lie below it */
  issuer,
  /** more addresses that mean us in the audience of a security token */
  addresses: z.array(address).max(16).default([]),
  /** audience of our access tokens; default: the XCAP root, and without one the issuer */
  audience: address.optional(),
  accessTokenSeconds: seconds(30, 3600).default(600),
  /** age at which the signing key is replaced; null: by command alone */
  rotateSeconds: seconds(3600, 366 * DAY)
    .nullable()
    .default(30 * DAY),
  /** security tokens and client assertions that are remembered until their end; beyond, none is taken */
  remembered: z.number().int().min(100).max(1_000_000).default(100_000),
});

const certificatePin = z.union([
  /** that certificate and no other */
  z.strictObject({ sha256 }),
  /** RFC 4514, most specific name first, as `CN=gms.partner.example,O=Partner` */
  z.strictObject({ subject: z.string().min(3).max(512) }),
  /** subject alternative names */
  z.strictObject({ dnsName: address.transform((text) => text.toLowerCase()) }),
  z.strictObject({ uri: address }),
]);

const clientSchema = z
  .strictObject({
    id: printable,
    /** mutual TLS (RFC 8705) */
    certificate: certificatePin.optional(),
    /** private_key_jwt: file with the client's public keys, a JSON Web Key Set */
    keysFile: filePath.optional(),
    /** most that it is granted; default: group management of every service */
    scopes: z.array(address).min(1).max(16).optional(),
    requestsPerSecond: z.number().positive().max(1000).default(20),
    burst: z.number().int().min(1).max(10_000).default(100),
  })
  .refine(({ certificate, keysFile }) => (certificate === undefined) !== (keysFile === undefined), {
    message: 'a client has either a certificate or a keysFile',
    path: ['certificate'],
  });

/** Security tokens of a partner's IdM that we take (TS 33.180 B.8), and from whom. */
export const securityTokensSchema = z
  .strictObject({
    /** `iss` of its tokens */
    issuer: address,
    algorithms: z.array(algorithm).min(1).default(['ES256', 'ES384', 'EdDSA', 'PS256', 'RS256']),
    /** `typ` of its tokens, in any case */
    types: z.array(z.string().min(1).max(64)).min(1).default(['JWT']),
    /** a token without a `typ` is taken */
    untyped: z.boolean().default(true),
    /** its public keys, a JSON Web Key Set: a file, or where it publishes them */
    keysFile: filePath.optional(),
    keysUrl: z.url({ protocol: /^https$/ }).optional(),
    /** authorities of the server of `keysUrl`, PEM; default: the system's */
    caFile: filePath.optional(),
    /** that server's certificate, and no other */
    certificateSha256: sha256.optional(),
    keysRefreshSeconds: seconds(60, DAY).default(3600),
    /** longest time between `iat` and `exp` */
    longestSeconds: seconds(30, 7 * DAY).default(DAY),
    /** each `jti` is taken once */
    singleUse: z.boolean().default(false),
    /** the audience names the client too, by its `id` here */
    namesClient: z.boolean().default(false),
    /** without a claim for a service, `sub` is the MC service ID of all */
    subjectIsServiceId: z.boolean().default(false),
    /** authorities (PEM) that themselves sign the certificates of its clients */
    clientAuthorityFile: filePath.optional(),
    clients: z.array(clientSchema).min(1).max(1000),
  })
  .refine(({ keysFile, keysUrl }) => (keysFile === undefined) !== (keysUrl === undefined), {
    message: 'either keysFile or keysUrl',
    path: ['keysFile'],
  })
  .superRefine(({ clients, clientAuthorityFile }, context) => {
    for (const [index, { certificate }] of clients.entries()) {
      if (certificate === undefined || 'sha256' in certificate) continue;
      if (clientAuthorityFile !== undefined) continue;
      context.addIssue({
        code: 'custom',
        path: ['clients', index, 'certificate'],
        message: 'a name is good under one authority only: set clientAuthorityFile, or pin sha256',
      });
    }
  });

export type IdmConfig = z.output<typeof idmSchema>;
export type SecurityTokensConfig = z.output<typeof securityTokensSchema>;
export type IdmClientConfig = SecurityTokensConfig['clients'][number];

/** What `checkIdm` reads of the whole. */
interface WithIdm {
  readonly idm?: IdmConfig | undefined;
  readonly https?:
    | {
        readonly tls: { readonly clientCertificates: string; readonly caFile?: string | undefined };
      }
    | undefined;
  readonly partners: readonly { readonly securityTokens?: SecurityTokensConfig | undefined }[];
}

/** A client ID stands for one client, an issuer for one partner, and tokens need an IdM. */
export function checkIdm({ idm, https, partners }: WithIdm, context: z.RefinementCtx): void {
  const clients = new Set<string>();
  const issuers = new Set<string>();
  for (const [index, { securityTokens }] of partners.entries()) {
    if (securityTokens === undefined) continue;
    const path = ['partners', index, 'securityTokens'];
    const wrong = (at: PropertyKey[], message: string): void =>
      context.addIssue({ code: 'custom', path: [...path, ...at], message });
    if (idm === undefined) wrong([], 'there is no idm that would take them');
    if (issuers.has(securityTokens.issuer)) wrong(['issuer'], 'is that of another partner');
    if (securityTokens.issuer === idm?.issuer) wrong(['issuer'], 'is our own');
    issuers.add(securityTokens.issuer);
    for (const [number, { id, certificate }] of securityTokens.clients.entries()) {
      if (clients.has(id)) wrong(['clients', number, 'id'], `${id} is already a client`);
      clients.add(id);
      if (certificate === undefined || https === undefined) continue;
      const at = ['clients', number, 'certificate'];
      if (https.tls.clientCertificates === 'none') wrong(at, 'https.tls asks for no certificate');
      else if (!('sha256' in certificate) && https.tls.caFile === undefined) {
        wrong(at, 'a name needs an authority: set https.tls.caFile, or pin sha256');
      }
    }
  }
}
