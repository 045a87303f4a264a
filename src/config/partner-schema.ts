/** A partner: its domains, how it is reached, its groups, what it may do, and what protects the calls. */
import { z } from 'zod';
import { codePointsSchema } from './code-points.js';
import { floorSchema } from './floor-schema.js';
import { distributionSchema } from './gms-schema.js';
import { securityTokensSchema } from './idm-schema.js';
import { discoverSchema, probeSchema } from './network-schema.js';
import { groupDocumentsSchema, partnerIdmSchema } from './partner-idm-schema.js';
import { protectionSchema } from './protection-schema.js';
import { affiliationSchema, subscriptionSchema } from './standing-schema.js';
import {
  host,
  ipAddress,
  kmsUri,
  listenerName,
  mcServiceId,
  pbxUser,
  port,
  sipUri,
  transport,
} from './values.js';

const domain = z
  .string()
  .regex(/^[A-Za-z0-9.-]{1,253}$/, 'not a domain name')
  .transform((text) => text.toLowerCase());

/** What the operator allows a partner to do differently from the specification, on receipt only. */
const toleranceSchema = z
  .strictObject({
    signatureWithoutHeader: z.boolean().default(true),
    strippedMask: z.boolean().default(true),
    shortHint: z.boolean().default(true),
    legacyKeyParameters: z.boolean().default(false),
  })
  .prefault({});

/** A talkgroup of a partner. */
export const groupSchema = z.strictObject({
  /** MC group ID, verbatim */
  id: mcServiceId,
  /** the one GMS that keys it; default: any of the partner's `gms` */
  gms: mcServiceId.optional(),
  /** user part by which the dialplan dials it and under which its calls reach the PBX */
  pbx: pbxUser,
  /** MC service ID that speaks for the radio side; default: the calling radio user */
  speaker: mcServiceId.optional(),
  /** a call while no usable key is held: refused, or taken and silent until a key comes */
  withoutKey: z.enum(['refuse', 'wait']).default('refuse'),
  /** while it is regrouped, a call of the radio side goes to it all the same, or to the temporary group */
  whenRegrouped: z.enum(['own', 'temporary']).default('own'),
  /** members that may be named as talker; others show by their GUK-ID */
  members: z.array(mcServiceId).max(10_000).default([]),
  /** represented users that are affiliated to it and subscribe to its document */
  affiliate: z.array(mcServiceId).default([]),
});

export const partnerSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'letters, digits and . _ - only'),
  domains: z.array(domain).min(1),
  kmsUris: z.array(kmsUri).min(1),
  kmsDomains: z.array(domain).optional(),
  /** identities that may sign group keys: its group management servers, verbatim */
  gms: z.array(mcServiceId).default([]),
  groups: z.array(groupSchema).default([]),
  subscription: subscriptionSchema,
  affiliation: affiliationSchema,
  /** how the keys of groups that are homed here reach its users */
  distribution: distributionSchema,
  codePoints: codePointsSchema,
  /** its identity management, which issues access tokens to our users */
  idm: partnerIdmSchema.optional(),
  /** its group documents over XCAP; without it they are not read */
  groupDocuments: groupDocumentsSchema.optional(),
  sip: z.strictObject({
    addresses: z
      .array(
        z.strictObject({
          host,
          port: port.default(5060),
          transport: transport.default('tls'),
          serverName: host.optional(),
        }),
      )
      .default([]),
    /** instead of, or after, `addresses`: the servers that DNS names */
    discover: discoverSchema.optional(),
    probe: probeSchema,
    /** names of the outer listeners by which it is reached; default: any that fits */
    listeners: z.array(listenerName).min(1).optional(),
    sources: z.array(ipAddress).default([]),
    tlsNames: z.array(host).default([]),
    requestUri: sipUri,
    /** PSI of the controlling function for group calls; default: `requestUri` */
    groupRequestUri: sipUri.optional(),
  }),
  media: z
    .strictObject({ policy: z.enum(['protected', 'allow-clear']).default('protected') })
    .prefault({}),
  outgoing: z
    .strictObject({
      answerMode: z.enum(['Auto', 'Manual']).nullable().default('Auto'),
      hideIdentities: z.boolean().default(false),
      repeatKeyWhenPeerMadeIt: z.boolean().default(false),
      keyMgmtLevel: z.enum(['media', 'session']).default('media'),
    })
    .prefault({}),
  tolerances: toleranceSchema,
  limits: z
    .strictObject({
      requestsPerSecond: z.number().positive().default(50),
      burst: z.number().int().positive().default(200),
      calls: z.number().int().positive().default(500),
    })
    .prefault({}),
  windows: z
    .strictObject({
      pckSeconds: z.number().int().positive().max(3600).default(300),
      gmkAheadSeconds: z.number().int().positive().max(3600).default(300),
    })
    .prefault({}),
  /** signalling protection with an SPK and EAR; without it none is made and none is taken */
  protection: protectionSchema.optional(),
  /** security tokens of its IdM that open group documents here; without it none does */
  securityTokens: securityTokensSchema.optional(),
  /** whether REFER passes in private calls with the partner, in both directions */
  refer: z.enum(['refuse', 'pass']).default('refuse'),
  /** floor control; without it the MCPTT line is declined */
  floor: floorSchema.optional(),
  redirectResponse: z
    .strictObject({
      enabled: z.boolean().default(false),
      elements: z.record(z.string(), z.string()).default({}),
    })
    .prefault({}),
});

export type PartnerConfig = z.output<typeof partnerSchema>;
export type GroupConfig = PartnerConfig['groups'][number];
