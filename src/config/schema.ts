/**
 * The configuration file's schema: every setting, its default and its limits.
 * Secrets come by reference (a file's path), never as values. Unknown names are refused,
 * so that a misspelt setting is an error and not a default.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { isLoopback } from '../base/address.js';
import { codePointsSchema } from './code-points.js';
import { floorSchema } from './floor-schema.js';
import { checkFloor } from './floor-rules.js';
import { consoleSchema } from './console-schema.js';
import { distributionSchema, gmsSchema } from './gms-schema.js';
import { checkHttps, httpsSchema } from './https-schema.js';
import { checkIdm, idmSchema, securityTokensSchema } from './idm-schema.js';
import { discoverSchema, dnsSchema, dscpSchema, probeSchema } from './network-schema.js';
import {
  adminSchema,
  alarmsSchema,
  metricsSchema,
  securityLogSchema,
  traceSchema,
} from './operations-schema.js';
import { checkPartnerIdm, groupDocumentsSchema, partnerIdmSchema } from './partner-idm-schema.js';
import { protectionSchema } from './protection-schema.js';
import { affiliationSchema, refuseClearTokens, subscriptionSchema } from './standing-schema.js';

const port = z.number().int().min(1).max(65535);
const portRange = z
  .tuple([z.number().int().min(1024).max(65534), z.number().int().min(1025).max(65535)])
  .refine(([low, high]) => high - low >= 3, 'a port range holds at least two RTP/RTCP pairs');
const ipAddress = z.string().refine((text) => isIP(text) !== 0, 'not an IP address');
const host = z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/, 'not a host name or address');
const domain = z
  .string()
  .regex(/^[A-Za-z0-9.-]{1,253}$/, 'not a domain name')
  .transform((text) => text.toLowerCase());
const filePath = z.string().min(1);
const transport = z.enum(['udp', 'tcp', 'tls']);
const listenerName = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'letters, digits and . _ - only');
const kmsUri = z.string().min(1).max(255);
const mcServiceId = z.string().regex(/^(sip:|sips:|tel:)?[^\s<>"]{1,255}$/, 'not an MC service ID');

const sipUri = z.string().regex(/^sips?:[^\s<>"]{1,255}$/, 'not a SIP URI');

/** What the operator allows a partner to do differently from the specification, on receipt only. */
export const toleranceSchema = z
  .strictObject({
    signatureWithoutHeader: z.boolean().default(true),
    strippedMask: z.boolean().default(true),
    shortHint: z.boolean().default(true),
    legacyKeyParameters: z.boolean().default(false),
  })
  .prefault({});

const pbxUser = z.string().regex(/^[A-Za-z0-9+._-]{1,64}$/, 'letters, digits and + . _ - only');

const userSchema = z.strictObject({ uri: mcServiceId, pbx: pbxUser });

const tlsSchema = z.strictObject({
  certFile: filePath,
  keyFile: filePath,
  caFile: filePath.optional(),
  /** mutual TLS: a peer without a certificate that verifies does not come in */
  requestClientCert: z.boolean().default(true),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
});

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

const partnerSchema = z.strictObject({
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

/** Where the PBX takes the gateway's SIP. */
const pbxSipSchema = z
  .strictObject({
    address: ipAddress.default('127.0.0.1'),
    port: port.default(5070),
    transport: z.enum(['udp', 'tcp']).default('udp'),
  })
  .prefault({});

const asteriskSchema = z.strictObject({
  type: z.literal('asterisk'),
  ari: z.strictObject({
    url: z.url({ protocol: /^https?$/ }),
    username: z.string().min(1),
    passwordFile: filePath,
    app: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/)
      .default('segy'),
  }),
  sip: pbxSipSchema,
});

const freeswitchSchema = z.strictObject({
  type: z.literal('freeswitch'),
  esl: z.strictObject({
    host: host.default('127.0.0.1'),
    port: port.default(8021),
    passwordFile: filePath,
  }),
  sip: pbxSipSchema,
});

const innerSchema = z
  .strictObject({
    address: ipAddress.default('127.0.0.2'),
    sipPort: port.default(5062),
    transports: z
      .array(z.enum(['udp', 'tcp']))
      .min(1)
      .default(['udp', 'tcp']),
    mediaPorts: portRange.default([30000, 39999]),
    allowedMediaAddresses: z.array(ipAddress).min(1).default(['127.0.0.1']),
    allowNonLoopback: z.boolean().default(false),
    /** clear MC bodies beside the SDP of INVITEs to the PBX, for an IWF behind it */
    mcBodies: z.boolean().default(false),
  })
  .prefault({});

const outerSchema = z.strictObject({
  listeners: z
    .array(
      z.strictObject({
        /** by which partners name it in `sip.listeners` */
        name: listenerName.optional(),
        transport,
        address: ipAddress,
        port,
        tls: tlsSchema.optional(),
        /** host that Via and Contact name on this listener; default that of all */
        advertised: host.optional(),
        /** media of calls over this listener; default that of all */
        mediaAddress: ipAddress.optional(),
        mediaAdvertised: ipAddress.optional(),
      }),
    )
    .min(1),
  dscp: dscpSchema.optional(),
  /** days before its end from which on a certificate is warned of */
  certificateWarningDays: z.number().int().min(1).max(365).default(30),
  advertised: host.optional(),
  mediaAddress: ipAddress,
  mediaAdvertised: ipAddress.optional(),
  mediaPorts: portRange.default([40000, 49999]),
});

const limitsSchema = z
  .strictObject({
    setupSeconds: z.number().positive().max(60).default(8),
    outboundChannelMs: z.number().int().positive().max(5000).default(500),
    cryptoWorkers: z.number().int().min(1).max(64).default(1),
    cryptoQueue: z.number().int().min(1).default(256),
    /** for the tables of represented users in all crypto workers together; 0.4 MB a user and key period */
    cryptoTableMegabytes: z.number().int().min(2).max(65_536).default(256),
    mediaWorkers: z.number().int().min(1).max(64).default(1),
    /** of the media workers, as of nice(1); needs CAP_SYS_NICE or LimitNICE below 0 */
    mediaNice: z.number().int().min(-20).max(19).default(-10),
    calls: z.number().int().min(1).default(1000),
    /** how long calls that are up may go on after SIGTERM */
    drainSeconds: z.number().min(0).max(86_400).default(60),
    /** an address of a partner that says nothing to an INVITE for so long is left for the next one */
    silentMs: z.number().int().min(100).max(30_000).default(900),
  })
  .prefault({});

export const configSchema = z
  .strictObject({
    stateDir: filePath.default('/var/lib/segy'),
    masterKeyFile: filePath.default('/etc/segy/master.key'),
    logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    logFormat: z.enum(['text', 'json']).default('text'),
    pbx: z.discriminatedUnion('type', [asteriskSchema, freeswitchSchema]),
    inner: innerSchema,
    outer: outerSchema,
    dns: dnsSchema,
    users: z.array(userSchema).default([]),
    partners: z.array(partnerSchema).default([]),
    /** group management, where talkgroups live on the radio side */
    gms: gmsSchema.optional(),
    /** issues access tokens for group documents that are served here */
    idm: idmSchema.optional(),
    /** serves the IdM and the group documents to partners */
    https: httpsSchema.optional(),
    limits: limitsSchema,
    admin: adminSchema,
    metrics: metricsSchema,
    alarms: alarmsSchema,
    console: consoleSchema,
    securityLog: securityLogSchema,
    trace: traceSchema,
  })
  .superRefine((config, context) => {
    refuseDuplicates(config.partners, (partner) => [partner.name], 'partners', 'name', context);
    refuseDuplicates(config.partners, (partner) => partner.domains, 'partners', 'domains', context);
    refuseDuplicates(config.partners, (partner) => partner.kmsUris, 'partners', 'kmsUris', context);
    const groupIds = (partner: { groups: { id: string }[] }) => partner.groups.map(({ id }) => id);
    refuseDuplicates(config.partners, groupIds, 'partners', 'groups', context);
    const groupNames = (partner: { groups: { pbx: string }[] }) =>
      partner.groups.map(({ pbx }) => pbx);
    refuseDuplicates(config.partners, groupNames, 'partners', 'groups', context);
    refuseDuplicates(config.users, (user) => [user.pbx], 'users', 'pbx', context);
    checkIdm(config, context);
    checkHttps(config, context);
    const dialledUsers = new Set(config.users.map(({ pbx }) => pbx));
    for (const [index, partner] of config.partners.entries()) {
      checkFloor(config, index, context);
      for (const name of groupNames(partner).filter((pbx) => dialledUsers.has(pbx))) {
        context.addIssue({
          code: 'custom',
          path: ['partners', index, 'groups'],
          message: `${name} is already named by a user`,
        });
      }
    }
    refuseDuplicates(config.users, (user) => [user.uri], 'users', 'uri', context);
    if (!config.inner.allowNonLoopback && !isLoopback(config.inner.address)) {
      context.addIssue({
        code: 'custom',
        path: ['inner', 'address'],
        message: 'clear media would leave the host; set inner.allowNonLoopback to insist',
      });
    }
    for (const [index, partner] of config.partners.entries()) {
      const { sip } = partner;
      refuseClearTokens(partner, index, context);
      checkPartnerIdm(partner, index, context);
      if (sip.addresses.length > 0 || sip.discover !== undefined) continue;
      context.addIssue({
        code: 'custom',
        path: ['partners', index, 'sip', 'addresses'],
        message: 'a partner needs addresses, or discover for those that DNS names',
      });
    }
    for (const [index, listener] of config.outer.listeners.entries()) {
      if ((listener.transport === 'tls') !== (listener.tls !== undefined)) {
        context.addIssue({
          code: 'custom',
          path: ['outer', 'listeners', index, 'tls'],
          message: 'a tls listener, and only one, has a tls section',
        });
      }
    }
  });

function refuseDuplicates<T>(
  items: readonly T[],
  keysOf: (item: T) => readonly string[],
  list: string,
  field: string,
  context: z.RefinementCtx,
): void {
  const owner = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    for (const key of keysOf(item)) {
      const first = owner.get(key);
      if (first === undefined) owner.set(key, index);
      else {
        context.addIssue({
          code: 'custom',
          path: [list, index, field],
          message: `${key} is already named by ${list}[${first}]`,
        });
      }
    }
  }
}

export type SegyConfig = z.output<typeof configSchema>;
export type PartnerConfig = SegyConfig['partners'][number];
export type GroupConfig = PartnerConfig['groups'][number];
export type UserConfig = SegyConfig['users'][number];
