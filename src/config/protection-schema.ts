/**
 * How signalling with one partner is protected: SPKs (TS 33.180 clause 5.5), what of XML is encrypted
 * and signed in each direction (clause 9.3), and requests with an EAR (clause 9.6, Annex J). Code
 * points that no reachable text prints have no default here: a partner is asked for them.
 */
import { z } from 'zod';
import { sharedKeySchema } from './shared-key-schema.js';
import { octet } from './values.js';

const identity = z.string().regex(/^[^\s<>"]{1,255}$/, 'not an identity');
const roleName = z.string().regex(/^[A-Za-z0-9_-]{1,32}$/, 'letters, digits and _ - only');
/** Which identity is P0 of the key derivation (TS 33.180 F.1.4). */
const p0Schema = z.discriminatedUnion('rule', [
  /** the user in P-Asserted-Identity of the request, without one the URI of its From */
  z.strictObject({ rule: z.literal('user') }),
  /** the MDSI of the sending side */
  z.strictObject({ rule: z.literal('domain'), own: identity, peer: identity }),
]);

const codePointSchema = z
  .strictObject({
    /** message type of EAR PAYLOAD, its signed bit included */
    messageType: octet.optional(),
    requestIei: octet.optional(),
    requestIdIei: octet.optional(),
    requestExpiryIei: octet.optional(),
    /** Role ID octets by a name of the operator's */
    roles: z.record(roleName, octet).default({}),
    /** where the ECCSI signature stands: 129 octets right behind the payload, over all of it */
    signature: z.literal('appended').optional(),
  })
  .prefault({});

const earSchema = z
  .strictObject({
    /** nothing; only identities of the partner; or every request that opens something has an EAR */
    receive: z.enum(['none', 'implicit', 'explicit']).default('none'),
    send: z.boolean().default(false),
    codePoints: codePointSchema,
    /** roles of `codePoints.roles` that we name, and that the partner may have */
    sourceRole: roleName.optional(),
    targetRole: roleName.optional(),
    acceptRoles: z.array(roleName).default([]),
    /** request types taken; 2 is INTERWORKING SIGNALLING (J.2.3) */
    acceptRequestTypes: z.array(octet).default([2]),
    /** who signs what we send: the calling user, or one identity for all */
    source: z.union([z.literal('caller'), identity]).default('caller'),
    /** identity that we name as target; default the partner's `sip.requestUri` */
    target: identity.optional(),
    /** identities of ours that an EAR may be for, besides the called user */
    ownTargets: z.array(identity).default([]),
    /** servers of the partner that may sign for any of its users; otherwise only the caller may */
    servers: z.array(identity).default([]),
    windowSeconds: z.number().int().positive().max(3600).default(60),
    /** how long what our request started may last; null writes no Request expiry */
    lifetimeSeconds: z.number().int().positive().nullable().default(null),
  })
  .superRefine((ear, context) => {
    if (ear.receive !== 'explicit' && !ear.send) return;
    const refuse = (path: string[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    for (const name of ['messageType', 'requestIei', 'requestIdIei', 'requestExpiryIei'] as const) {
      if (ear.codePoints[name] === undefined) {
        refuse(['codePoints', name], `${name} has no default: agree on it with the partner`);
      }
    }
    if (ear.codePoints.signature === undefined) {
      refuse(['codePoints', 'signature'], 'signature has no default: agree on it with the partner');
    }
    const { requestIdIei, requestExpiryIei } = ear.codePoints;
    if (requestIdIei !== undefined && requestIdIei === requestExpiryIei) {
      refuse(['codePoints', 'requestExpiryIei'], 'two elements have one identifier');
    }
    const used: [string, string | undefined][] = ear.acceptRoles.map((role) => [
      'acceptRoles',
      role,
    ]);
    if (ear.send) used.push(['sourceRole', ear.sourceRole], ['targetRole', ear.targetRole]);
    if (ear.receive === 'explicit' && ear.acceptRoles.length === 0) {
      refuse(['acceptRoles'], 'no role is accepted, so nothing would be');
    }
    for (const [path, role] of used) {
      if (role === undefined)
        refuse([path], `${path} has no default: agree on it with the partner`);
      else if (!Object.hasOwn(ear.codePoints.roles, role)) {
        refuse([path], `${role} has no octet in codePoints.roles`);
      }
    }
  });

export const protectionSchema = z
  .strictObject({
    /** each file holds 32 hexadecimal digits, or 64 where `spkOctets` is 32 */
    spks: z.array(sharedKeySchema('SPK', 3)).max(8).default([]),
    /** octets of an SPK; the specification has 16 */
    spkOctets: z.union([z.literal(16), z.literal(32)]).default(16),
    p0: p0Schema.prefault({ rule: 'user' }),
    receive: z
      .strictObject({
        confidentiality: z.enum(['required', 'optional']).default('required'),
        integrity: z.enum(['required', 'optional']).default('required'),
      })
      .prefault({}),
    send: z
      .strictObject({
        confidentiality: z.boolean().default(true),
        integrity: z.boolean().default(true),
      })
      .prefault({}),
    ear: earSchema.prefault({}),
  })
  .superRefine(({ spks, receive, send }, context) => {
    const ids = spks.map(({ id }) => id.toLowerCase());
    if (new Set(ids).size < ids.length) {
      context.addIssue({ code: 'custom', path: ['spks'], message: 'two SPKs have one id' });
    }
    const needed =
      send.confidentiality ||
      send.integrity ||
      receive.confidentiality === 'required' ||
      receive.integrity === 'required';
    if (needed && spks.length === 0) {
      context.addIssue({
        code: 'custom',
        path: ['spks'],
        message: 'protection is demanded and no SPK is named',
      });
    }
  });

export type ProtectionConfig = z.output<typeof protectionSchema>;
export type EarConfig = ProtectionConfig['ear'];
