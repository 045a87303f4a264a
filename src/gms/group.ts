/**
 * A talkgroup that is homed here: what its document says (TS 24.481), for which partners' users it
 * is, and what the radio side calls it.
 */
import { z } from 'zod';
import { SegyError } from '../base/errors.js';
import { hostOf } from '../mikey/index.js';

export const GROUP_SERVICES = ['MCPTT', 'MCVideo', 'MCData'] as const;
export type GroupService = (typeof GROUP_SERVICES)[number];

export const MAX_GROUP_MEMBERS = 10_000;
const MAX_CODECS = 16;
const MAX_PRIORITY = 255;

const mcServiceId = z.string().regex(/^[^\s<>"*\p{Cc}]{1,255}$/u, 'not an MC service ID');
const text = z.string().regex(/^[^\p{Cc}]{1,120}$/u, 'empty, too long or with control characters');
const pbxName = z.string().regex(/^[A-Za-z0-9+._-]{1,64}$/, 'letters, digits and + . _ - only');
const priority = z.number().int().min(0).max(MAX_PRIORITY);

/** Of whom a user is: of a partner, or one of our own radio users (`partner` empty). */
export interface MemberHome {
  readonly partner: string;
  /** the KMS that keys the user, which names the security domain (TS 33.180 5.2.7.2) */
  readonly kmsUri: string;
}

const memberSchema = z.strictObject({
  /** MC service ID, verbatim as it is hashed; the MCPTT ID where the services have different ones */
  uri: mcServiceId,
  partner: z.string().max(64),
  kmsUri: z.string().min(1).max(255),
  displayName: text.nullable().default(null),
  priority: priority.nullable().default(null),
  mcvideoId: mcServiceId.nullable().default(null),
  mcdataId: mcServiceId.nullable().default(null),
});

const groupSchema = z.strictObject({
  /** MC group ID, verbatim */
  id: mcServiceId,
  displayName: text,
  /** user part under which the PBX knows it */
  pbx: pbxName,
  /** the represented identity that speaks for the radio side; null: the calling radio user, a member */
  speaker: mcServiceId.nullable().default(null),
  members: z.array(memberSchema).max(MAX_GROUP_MEMBERS),
  services: z.array(z.enum(GROUP_SERVICES)).min(1).default(['MCPTT']),
  /** media goes under a GMK; without it no GMK is made */
  protectMedia: z.boolean().default(true),
  protectFloorControl: z.boolean().default(true),
  /** floor control is sent over multicast: an MKFC is made and given out too */
  multicastFloorControl: z.boolean().default(false),
  /** true: prearranged, members are invited; false: chat */
  inviteMembers: z.boolean().default(true),
  /** encoding names of RFC 4855, the preferred one first */
  codecs: z
    .array(z.string().regex(/^[A-Za-z0-9._-]{1,32}$/, 'not an encoding name'))
    .max(MAX_CODECS)
    .default([]),
  priority: priority.default(5),
  maxParticipants: z.number().int().min(1).max(1_000_000).nullable().default(null),
  /** `config`: the configuration file decides and no command or document changes it */
  origin: z.enum(['config', 'command', 'document']).default('command'),
  /** grows with every change; the store sets it */
  version: z.number().int().nonnegative().default(0),
});

export type GroupMember = Readonly<z.output<typeof memberSchema>>;
export type Group = Readonly<
  Omit<z.output<typeof groupSchema>, 'members' | 'services' | 'codecs'> & {
    members: readonly GroupMember[];
    services: readonly GroupService[];
    codecs: readonly string[];
  }
>;
/** A group as one makes it: what has a default may be left out. */
export type NewGroup = Pick<Group, 'id' | 'displayName' | 'pbx'> &
  Partial<Omit<Group, 'members'>> & { readonly members: readonly NewMember[] };
export type NewMember = Pick<GroupMember, 'uri' | 'partner' | 'kmsUri'> & Partial<GroupMember>;

/**
 * A group whose every field was checked, services in their fixed order.
 * @throws SegyError SEGY_E_GROUP naming the field
 */
export function checkGroup(input: unknown): Group {
  const result = groupSchema.safeParse(input);
  if (!result.success) {
    const [issue] = result.error.issues;
    const where = issue?.path.map(String).join('.') ?? '';
    throw new SegyError('SEGY_E_GROUP', `${where}: ${issue?.message ?? 'not a group'}`);
  }
  const group = result.data;
  if (hostOf(group.id) === undefined) {
    throw new SegyError('SEGY_E_GROUP', 'id: a group ID names a domain');
  }
  refuseTwice(group.members.map(({ uri }) => uri));
  return { ...group, services: GROUP_SERVICES.filter((each) => group.services.includes(each)) };
}

/** Members by every MC service ID they have, of each version of a group that was asked about. */
const indices = new WeakMap<Group, ReadonlyMap<string, GroupMember>>();

/** The member with this MC service ID, whichever service it is for: the first, where several have it. */
export function memberOf(group: Group, uri: string): GroupMember | undefined {
  const index = indices.get(group) ?? indexOf(group);
  indices.set(group, index);
  return index.get(uri);
}

function indexOf({ members }: Group): ReadonlyMap<string, GroupMember> {
  const index = new Map<string, GroupMember>();
  for (const member of members) {
    for (const id of [member.uri, member.mcvideoId, member.mcdataId]) {
      if (id !== null && !index.has(id)) index.set(id, member);
    }
  }
  return index;
}

/** Partners that have members, in a fixed order. */
export function partnersOf(group: Group): string[] {
  return [...new Set(group.members.map(({ partner }) => partner))].filter(Boolean).sort();
}

function refuseTwice(uris: readonly string[]): void {
  const seen = new Set<string>();
  for (const uri of uris) {
    if (seen.has(uri)) throw new SegyError('SEGY_E_GROUP', `members: ${uri} comes twice`);
    seen.add(uri);
  }
}
