/**
 * The group document (application/vnd.oma.poc.groups+xml, TS 24.481 clause 7.2) of a group that is
 * homed here. Written always alike, so that its entity tag changes with its content and with nothing
 * else. Read strictly: what the model cannot keep is refused, because a document that comes back
 * without a part of it would mislead whoever stored it.
 */
import { createHash } from 'node:crypto';
import { utf8 } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import type { GroupDocumentNames } from '../config/index.js';
import { escapeXml } from '../xml/index.js';
import {
  type DocumentMember,
  type GroupDocument,
  type GroupInfoName,
  serviceNames,
} from './document-model.js';
import { DocumentReader } from './document-reader.js';
import type { Group, GroupMember, GroupService } from './group.js';

export const GROUP_DOCUMENT_TYPE = 'application/vnd.oma.poc.groups+xml';
/** application usage of the XCAP documents */
export const GROUP_DOCUMENT_AUID = 'org.openmobilealliance.groups';

export interface StoredDocument {
  readonly octets: Uint8Array;
  /** strong entity tag, with its quotes: a digest of the octets */
  readonly etag: string;
}

/** The document of a group and its entity tag. */
export function groupDocument(group: Group, names: GroupDocumentNames): StoredDocument {
  const octets = utf8(writeGroupDocument(group, names));
  const digest = createHash('sha256').update(octets).digest('base64url').slice(0, 22);
  return { octets, etag: `"${digest}"` };
}

/**
 * What a document says.
 * @throws SegyError SEGY_E_XML (not well-formed), SEGY_E_GROUP_DOCUMENT (not of the schema, or with
 *   something that is not kept)
 */
export function readGroupDocument(
  octets: Uint8Array | string,
  names: GroupDocumentNames,
): GroupDocument {
  return new DocumentReader(names).read(octets);
}

/**
 * The group that a document makes: of `before` what no document says, or of a new group's defaults.
 * @param homeOf tells whose user a member is; undefined for one of no partner
 * @throws SegyError SEGY_E_GROUP for a member of nobody
 */
export function groupOfDocument(
  document: GroupDocument,
  before: Group | null,
  homeOf: (uri: string) => Pick<GroupMember, 'partner' | 'kmsUri'> | undefined,
): Omit<Group, 'version'> {
  const members = document.members.map((member): GroupMember => {
    const home = homeOf(member.uri);
    if (home === undefined) {
      throw new SegyError('SEGY_E_GROUP', `members: ${member.uri} is no user of a partner or ours`);
    }
    return { ...member, ...home };
  });
  const own = before ?? { pbx: pbxNameOf(document.id), speaker: null, origin: 'document' as const };
  const { pbx, speaker, origin } = own;
  return { ...document, members, pbx, speaker, origin };
}

/** User part of a group ID where it can be a name on the PBX. @throws SegyError SEGY_E_GROUP */
export function pbxNameOf(id: string): string {
  const name = /^(?:sips?:)?([A-Za-z0-9+._-]{1,64})@/.exec(id)?.[1];
  if (name === undefined) {
    throw new SegyError('SEGY_E_GROUP', 'pbx: the user part of the ID is no name for the PBX');
  }
  return name;
}

export function writeGroupDocument(group: GroupDocument, names: GroupDocumentNames): string {
  const field = (name: GroupInfoName, value: string | boolean | number): string =>
    `<mcpttgi:${name}>${escapeXml(String(value))}</mcpttgi:${name}>`;
  const video = group.services.includes('MCVideo')
    ? [
        field('mcvideo-protect-media', group.protectMedia),
        field('mcvideo-protect-transmission-control', group.protectFloorControl),
      ]
    : [];
  const { maxParticipants: most } = group;
  const lines = [
    `<display-name>${escapeXml(group.displayName)}</display-name>`,
    '<list>',
    ...group.members.map((member) => entryOf(member)),
    '</list>',
    ...(most === null ? [] : [`<max-participant-count>${most}</max-participant-count>`]),
    rulesetOf(names),
    servicesOf(group.services, names),
    field('on-network-invite-members', group.inviteMembers),
    field('on-network-group-priority', group.priority),
    ...encodingsOf(group.codecs, names),
    field('protect-media', group.protectMedia),
    field('protect-floor-control-signalling', group.protectFloorControl),
    field('require-multicast-floor-control-signalling', group.multicastFloorControl),
    ...video,
  ];
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<group xmlns="${escapeXml(names.listNamespace)}" xmlns:cp="${escapeXml(names.policyNamespace)}"` +
    ` xmlns:oxe="${escapeXml(names.extensionNamespace)}"` +
    ` xmlns:mcpttgi="${escapeXml(names.groupInfoNamespace)}">\n` +
    `<list-service uri="${escapeXml(group.id)}">\n${lines.join('\n')}\n</list-service>\n</group>\n`
  );
}

function entryOf({ uri, displayName, priority, mcvideoId, mcdataId }: DocumentMember): string {
  const own = (name: GroupInfoName, value: string | number | null): string =>
    value === null ? '' : `<mcpttgi:${name}>${escapeXml(String(value))}</mcpttgi:${name}>`;
  const inside = [
    displayName === null ? '' : `<display-name>${escapeXml(displayName)}</display-name>`,
    own('user-priority', priority),
    own('mcvideo-mcvideo-id', mcvideoId),
    own('mcdata-mcdata-id', mcdataId),
  ].join('');
  const tag = `entry uri="${escapeXml(uri)}"`;
  return inside === '' ? `<${tag}/>` : `<${tag}>${inside}</entry>`;
}

function rulesetOf({ memberCondition, joinAction }: GroupDocumentNames): string {
  return (
    `<cp:ruleset><cp:rule id="members"><cp:conditions><${memberCondition}/></cp:conditions>` +
    `<cp:actions><${joinAction}>true</${joinAction}></cp:actions></cp:rule></cp:ruleset>`
  );
}

function servicesOf(services: readonly GroupService[], names: GroupDocumentNames): string {
  const each = services.map((service) => {
    const { enabler, media } = serviceNames(service, names);
    return (
      `<oxe:service enabler="${escapeXml(enabler)}"><oxe:group-media><mcpttgi:${media}/>` +
      '</oxe:group-media></oxe:service>'
    );
  });
  return `<oxe:supported-services>${each.join('')}</oxe:supported-services>`;
}

function encodingsOf(codecs: readonly string[], names: GroupDocumentNames): string[] {
  if (codecs.length === 0) return [];
  const each = codecs.map(
    (codec) =>
      `<mcpttgi:${names.encodingElement} ${names.encodingAttribute}="${escapeXml(codec)}"/>`,
  );
  return [
    `<mcpttgi:preferred-voice-encodings>${each.join('')}</mcpttgi:preferred-voice-encodings>`,
  ];
}
