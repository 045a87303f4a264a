/**
 * The identity management of a partner, of which the gateway is a client for its represented users
 * (TS 33.180 clauses 5.1.4.2, B.6 to B.9), and the group documents that a partner serves over XCAP.
 * The names and forms that the specification's text leaves open are in `codePoints`;
 * docs/conformance.md lists them.
 */
import { z } from 'zod';
import { groupDocumentNamesSchema } from './gms-schema.js';
import { filePath, mcServiceId, printable, sha256, uri } from './values.js';

const httpsUrl = z
  .url({ protocol: /^https$/ })
  .refine((text) => !/[?#]|\/\/[^/]*@/.test(text), 'a URL without user, query and fragment');
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, 'not an OAuth scope');
const claim = z.string().regex(/^[A-Za-z][A-Za-z0-9_.:-]{0,63}$/, 'not a claim name');

/** Whom the gateway takes for the partner on HTTPS, and how it shows who it is. */
const tlsSchema = z
  .strictObject({
    /** authorities that sign for the partner's servers */
    caFile: filePath.optional(),
    /** the one certificate that is taken, instead of authorities */
    certificateSha256: sha256.optional(),
    /** our certificate towards the partner */
    certFile: filePath.optional(),
    keyFile: filePath.optional(),
  })
  .superRefine((tls, context) => {
    if ((tls.caFile === undefined) === (tls.certificateSha256 === undefined)) {
      context.addIssue({
        code: 'custom',
        message: 'who speaks for the partner is not said once; set caFile or certificateSha256',
      });
    }
    if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
      context.addIssue({
        code: 'custom',
        message: 'a certificate needs its key; set certFile and keyFile, or neither',
      });
    }
  });

const codePointsSchema = z
  .strictObject({
    /** form of the token request (B.7.4) */
    grant: z.enum(['jwt-bearer', 'token-exchange']).default('jwt-bearer'),
    /** what a security token is called in a token exchange */
    subjectTokenType: uri.default('urn:ietf:params:oauth:token-type:jwt'),
    /** what is asked for in a token exchange */
    requestedTokenType: uri.default('urn:ietf:params:oauth:token-type:access_token'),
    /** below the issuer (OpenID Connect Discovery clause 4) */
    metadataPath: z
      .string()
      .regex(/^\/[A-Za-z0-9._~/-]{1,200}$/, 'not a path')
      .default('/.well-known/openid-configuration'),
    /** claims of a security token that name the user, beside `sub` (B.8) */
    userClaims: z.array(claim).max(8).default(['mcptt_id']),
    /** `typ` of a security token's header; null: none */
    securityTokenTyp: printable.nullable().default('JWT'),
    /** whom a client assertion is for: the token endpoint (RFC 7523), or the issuer */
    assertionAudience: z.enum(['token-endpoint', 'issuer']).default('token-endpoint'),
  })
  .prefault({});

const securityTokenSchema = z.discriminatedUnion('from', [
  /** made here, for each user, under our own key */
  z.strictObject({
    from: z.literal('own'),
    /** URL of our identity management, by which the partner knows our key */
    issuer: httpsUrl,
    seconds: z.number().int().min(30).max(3600).default(300),
  }),
  /** made elsewhere: one file a user, read with each use */
  z.strictObject({
    from: z.literal('files'),
    files: z.array(z.strictObject({ user: mcServiceId, file: filePath })).min(1),
  }),
]);

export const partnerIdmSchema = z
  .strictObject({
    /** URL of the partner's IdM server: its metadata must say the same, and it is the security tokens' audience */
    issuer: httpsUrl,
    /** where tokens are asked for; default: what the metadata says */
    tokenEndpoint: httpsUrl.optional(),
    /** the gateway as the partner's IdM has registered it (B.6) */
    clientId: printable,
    /** how the gateway shows that it is that client */
    authenticate: z.enum(['tls', 'private-key-jwt']).default('tls'),
    scopes: z.array(scope).min(1).max(16).default(['3gpp:mc:ptt_group_management_service']),
    securityToken: securityTokenSchema,
    tls: tlsSchema,
    /** a whole exchange of request and answer */
    timeoutSeconds: z.number().int().min(1).max(60).default(8),
    /** requests under way at once */
    parallel: z.number().int().min(1).max(32).default(4),
    /** what is taken for the life of a token that does not say it */
    unstatedSeconds: z.number().int().min(30).max(3600).default(300),
    codePoints: codePointsSchema,
  })
  .superRefine(({ authenticate, tls }, context) => {
    if (authenticate === 'tls' && tls.certFile === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['tls'],
        message: 'authentication by TLS needs a certificate; set certFile and keyFile',
      });
    }
  });

export type PartnerIdmConfig = z.output<typeof partnerIdmSchema>;
export type PartnerTlsConfig = z.output<typeof tlsSchema>;

/** A path below the XCAP root in which {group} and {user} stand for their URIs, percent-encoded. */
const documentPath = z
  .string()
  .regex(
    /^(?!\/|.*(?:^|\/)\.\.?(?:\/|$))[A-Za-z0-9._~:@!$&'()*+,;=/{}-]{1,200}$/,
    'not a path below the XCAP root',
  )
  .refine((text) => /\{group\}|\{user\}/.test(text), 'the path names no {group} and no {user}');

/** The documents of the partner's groups that the gateway reads over XCAP for its users. */
export const groupDocumentsSchema = z.strictObject({
  /** root of the partner's documents; what a NOTIFY names elsewhere is not fetched */
  xcapRoot: httpsUrl.transform((text) => text.replace(/\/+$/, '')),
  /** path of a user's group keys (GKTP); the specification's text leaves it open, so there is no default */
  keyPath: documentPath.nullable().default(null),
  /** each user reads the documents of its groups, or the first user of a group reads for all */
  per: z.enum(['user', 'group']).default('user'),
  /** requests carry the user's access token at the partner; `idm` is needed then */
  accessToken: z.boolean().default(true),
  tls: tlsSchema,
  timeoutSeconds: z.number().int().min(1).max(60).default(8),
  parallel: z.number().int().min(1).max(32).default(4),
  /** how often a document is asked for without a notice, in case one was lost */
  refreshSeconds: z.number().int().min(60).max(604_800).default(3600),
  /** requests a second to the partner, at most */
  requestsPerSecond: z.number().positive().max(1000).default(10),
  /** largest document that is read */
  maxOctets: z.number().int().min(1024).max(4_194_304).default(1_048_576),
  /** comments in documents are passed over; else a document with one is not read */
  xmlComments: z.boolean().default(true),
  documentNames: groupDocumentNamesSchema,
});

export type GroupDocumentsConfig = z.output<typeof groupDocumentsSchema>;

/** What `checkPartnerIdm` reads of a partner. */
interface TokenUser {
  readonly subscription: { readonly accessToken: boolean };
  readonly affiliation: { readonly accessToken: boolean };
  readonly idm?: PartnerIdmConfig | undefined;
  readonly groupDocuments?: GroupDocumentsConfig | undefined;
}

/** Who asks for tokens needs somebody who issues them. */
export function checkPartnerIdm(partner: TokenUser, index: number, context: z.RefinementCtx): void {
  if (partner.idm !== undefined) return;
  const asking = [
    ...(partner.subscription.accessToken ? [['subscription', 'accessToken']] : []),
    ...(partner.affiliation.accessToken ? [['affiliation', 'accessToken']] : []),
    ...(partner.groupDocuments?.accessToken === true ? [['groupDocuments', 'accessToken']] : []),
  ];
  for (const path of asking) {
    context.addIssue({
      code: 'custom',
      path: ['partners', index, ...path],
      message: 'an access token is asked for and nobody issues one; add idm to the partner',
    });
  }
}
