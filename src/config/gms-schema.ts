/**
 * Group management where talkgroups live on the radio side, and the names of the group document
 * (TS 24.481) that the specification's text leaves open, in one table that the configuration
 * overrides; docs/conformance.md lists them.
 */
import { z } from 'zod';
import { documentAccessSchema } from './documents-schema.js';
import { kmsUri, mcServiceId, pbxUser, sipUri, uri, xmlName } from './values.js';

const seconds = (most: number) => z.number().int().min(0).max(most);
const DAY = 86_400;

export const groupDocumentNamesSchema = z
  .strictObject({
    listNamespace: uri.default('urn:oma:xml:poc:list-service'),
    policyNamespace: uri.default('urn:ietf:params:xml:ns:common-policy'),
    extensionNamespace: uri.default('urn:oma:xml:xdm:extensions'),
    groupInfoNamespace: uri.default('urn:3gpp:ns:mcpttGroupInfo:1.0'),
    /** a service of the group, by the enabler attribute of its element */
    mcpttEnabler: uri.default('urn:urn-7:3gpp-service.ims.icsi.mcptt'),
    mcvideoEnabler: uri.default('urn:urn-7:3gpp-service.ims.icsi.mcvideo'),
    mcdataEnabler: uri.default('urn:urn-7:3gpp-service.ims.icsi.mcdata'),
    /** what the media of such a service is called */
    mcpttMedia: xmlName.default('mcptt-speech'),
    mcvideoMedia: xmlName.default('mcvideo-video-media'),
    mcdataMedia: xmlName.default('mcdata-sds'),
    /** one encoding within preferred-voice-encodings, named by its attribute */
    encodingElement: xmlName.default('encoding'),
    encodingAttribute: xmlName.default('name'),
    /** the one rule of the document: who is on the list may join */
    memberCondition: xmlName.default('is-list-member'),
    joinAction: xmlName.default('join-handling'),
  })
  .prefault({});

export type GroupDocumentNames = z.output<typeof groupDocumentNamesSchema>;
export const DEFAULT_GROUP_DOCUMENT_NAMES: GroupDocumentNames = groupDocumentNamesSchema.parse({});

/** How the keys of our groups reach a partner's users (TS 33.180 5.7.1, TS 24.481). */
export const distributionSchema = z
  .strictObject({
    /** whom MESSAGE goes to where nobody subscribed: each member, or the partner's GMS for its members */
    to: z.enum(['member', 'gms']).default('member'),
    /** where MESSAGE goes; default: the member, or the first of the partner's `gms` */
    requestUri: sipUri.optional(),
    /** I_MESSAGEs as parts of their own, or in group key transport XML */
    form: z.enum(['mikey', 'gktp']).default('mikey'),
    /** messages in one request to a partner's GMS */
    batch: z.number().int().min(1).max(64).default(16),
    /** subscriptions of the partner that are kept at once */
    subscriptions: z.number().int().min(0).max(100_000).default(10_000),
  })
  .prefault({});

const keyTimes = z
  .strictObject({
    /** between the making of a key and the time from which all use it */
    activationSeconds: seconds(DAY).default(120),
    /** the same where a member left */
    removalActivationSeconds: seconds(DAY).default(30),
    /** how long a replaced key is still heard */
    overlapSeconds: seconds(DAY).default(60),
    /** age at which a key is replaced; null: never by itself */
    rollSeconds: z
      .number()
      .int()
      .min(300)
      .max(366 * DAY)
      .nullable()
      .default(7 * DAY),
    /** how long a key is good for by its own parameters; null: until it is revoked */
    lifetimeSeconds: z
      .number()
      .int()
      .min(600)
      .max(3_660 * DAY)
      .nullable()
      .default(null),
    /** tells members that a replaced key is revoked */
    tellRevoked: z.boolean().default(true),
  })
  .prefault({});

/** A group that this file decides on; the store keeps it like any other. */
const homeGroupSchema = z.strictObject({
  id: mcServiceId,
  displayName: z.string().min(1).max(120),
  pbx: pbxUser,
  speaker: mcServiceId.optional(),
  members: z
    .array(z.strictObject({ uri: mcServiceId, kmsUri: kmsUri.optional() }))
    .max(10_000)
    .default([]),
  services: z
    .array(z.enum(['MCPTT', 'MCVideo', 'MCData']))
    .min(1)
    .default(['MCPTT']),
  protectMedia: z.boolean().default(true),
  protectFloorControl: z.boolean().default(true),
  multicastFloorControl: z.boolean().default(false),
  inviteMembers: z.boolean().default(true),
  codecs: z.array(z.string().max(32)).max(16).default([]),
  priority: z.number().int().min(0).max(255).default(5),
});

export const gmsSchema = z.strictObject({
  /** identity that signs the keys of our groups, in our own domain, verbatim */
  uri: mcServiceId,
  /** root of the group documents, as members reach it; named in xcap-diff */
  xcapRoot: z
    .url({ protocol: /^https$/ })
    .regex(/^[^?#]*$/, 'no query and no fragment')
    .optional(),
  /** below which administrators roll keys by HTTP; default: `/group-rolls` beside the documents */
  rollRoot: z
    .url({ protocol: /^https$/ })
    .regex(/^[^?#]*$/, 'no query and no fragment')
    .optional(),
  /** who has them, where \`https\` serves them */
  documents: documentAccessSchema,
  keys: keyTimes,
  /** exchanges under way with one partner */
  parallel: z.number().int().min(1).max(64).default(4),
  /** longest subscription that is granted */
  subscriptionSeconds: z.number().int().min(60).max(604_800).default(3600),
  groups: z
    .array(homeGroupSchema)
    .refine((groups) => new Set(groups.map(({ id }) => id)).size === groups.length, 'an ID twice')
    .refine(
      (groups) => new Set(groups.map(({ pbx }) => pbx)).size === groups.length,
      'a name twice',
    )
    .default([]),
  documentNames: groupDocumentNamesSchema,
});

/** The address below which administrators roll keys. */
export function rollRootOf(rollRoot: string | undefined, xcapRoot: string): string {
  return rollRoot ?? new URL('/group-rolls', xcapRoot).href;
}

export type GmsConfig = z.output<typeof gmsSchema>;
