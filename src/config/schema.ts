/**
 * The configuration file's schema: every setting, its default and its limits.
 * Secrets come by reference (a file's path), never as values. Unknown names are refused,
 * so that a misspelt setting is an error and not a default.
 */
import { z } from 'zod';
import { isLoopback } from '../base/address.js';
import { consoleSchema } from './console-schema.js';
import { checkFloor } from './floor-rules.js';
import { gmsSchema } from './gms-schema.js';
import { checkHttps, httpsSchema } from './https-schema.js';
import { checkIdm, idmSchema } from './idm-schema.js';
import { dnsSchema } from './network-schema.js';
import {
  adminSchema,
  alarmsSchema,
  metricsSchema,
  securityLogSchema,
  traceSchema,
} from './operations-schema.js';
import { checkPartnerIdm } from './partner-idm-schema.js';
import { partnerSchema } from './partner-schema.js';
import { pbxSchema } from './pbx-schema.js';
import { innerSchema, outerSchema } from './sides-schema.js';
import { refuseClearTokens } from './standing-schema.js';
import { checkUniqueNames } from './unique-names.js';
import { filePath, mcServiceId, pbxUser } from './values.js';

const userSchema = z.strictObject({ uri: mcServiceId, pbx: pbxUser });

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
    pbx: pbxSchema,
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
    checkUniqueNames(config, context);
    checkIdm(config, context);
    checkHttps(config, context);
    if (!config.inner.allowNonLoopback && !isLoopback(config.inner.address)) {
      context.addIssue({
        code: 'custom',
        path: ['inner', 'address'],
        message: 'clear media would leave the host; set inner.allowNonLoopback to insist',
      });
    }
    for (const [index, partner] of config.partners.entries()) {
      checkFloor(config, index, context);
      refuseClearTokens(partner, index, context);
      checkPartnerIdm(partner, index, context);
      const { sip } = partner;
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

export type SegyConfig = z.output<typeof configSchema>;
