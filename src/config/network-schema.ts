/** How the gateway meets networks: DNS, and how the addresses of partners are found and watched. */
import { z } from 'zod';
import { ipAddress, transport } from './values.js';

const domainName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,253}$/, 'not a domain name')
  .transform((text) => text.toLowerCase());

/** Resolvers for the partners' names. */
export const dnsSchema = z
  .strictObject({
    /** address or address:port, [IPv6]:port; empty: those of the host, its hosts file too */
    servers: z
      .array(
        z.string().refine((text) => {
          const plain = /^(?:\[([^\]]+)\]|([^:]+)):\d{1,5}$/.exec(text);
          return ipAddress.safeParse(plain?.[1] ?? plain?.[2] ?? text).success;
        }, 'not an IP address, or one with a port'),
      )
      .max(8)
      .default([]),
    timeoutMs: z.number().int().min(100).max(30_000).default(2000),
    /** between two questions for one name */
    refreshSeconds: z.number().min(1).max(86_400).default(60),
  })
  .prefault({});

/** A partner whose SIP servers DNS names (RFC 3263). */
export const discoverSchema = z.strictObject({
  domain: domainName,
  /** transports that may be used, the preferred one first; what DNS says besides is ignored */
  transports: z.array(transport).min(1).default(['tls']),
  /** name that certificates must carry; default: the domain (RFC 5922) */
  serverName: domainName.optional(),
});

/** OPTIONS to each of a partner's addresses. */
export const probeSchema = z
  .strictObject({
    enabled: z.boolean().default(true),
    intervalSeconds: z.number().min(1).max(3600).default(30),
    /** after a failure, doubled after each further one up to `maxRetrySeconds` */
    retrySeconds: z.number().min(0.1).max(3600).default(2),
    maxRetrySeconds: z.number().min(1).max(3600).default(60),
    timeoutMs: z.number().int().min(100).max(32_000).default(2000),
  })
  .prefault({});

const DSCP_NAMES = [
  ...(['cs0', 'cs1', 'cs2', 'cs3', 'cs4', 'cs5', 'cs6', 'cs7', 'ef', 'va'] as const),
  ...(['af11', 'af12', 'af13', 'af21', 'af22', 'af23'] as const),
  ...(['af31', 'af32', 'af33', 'af41', 'af42', 'af43'] as const),
];
const dscp = z.union(
  [z.enum(DSCP_NAMES), z.number().int().min(0).max(63)],
  'not a DSCP; write a name such as ef or cs3, or a number up to 63',
);

/** Marks on what leaves towards partners; `segy dscp` makes the rules that set them. */
export const dscpSchema = z.strictObject({ sip: dscp.optional(), rtp: dscp.optional() });
