/** What a group document says, and by which names. */
import type { GroupDocumentNames } from '../config/index.js';
import type { Group, GroupMember, GroupService } from './group.js';

/** What a document says of a group; the rest of the model is the gateway's own. */
export type GroupDocument = Pick<
  Group,
  | 'id'
  | 'displayName'
  | 'services'
  | 'protectMedia'
  | 'protectFloorControl'
  | 'multicastFloorControl'
  | 'inviteMembers'
  | 'codecs'
  | 'priority'
  | 'maxParticipants'
> & { readonly members: readonly DocumentMember[] };

export type DocumentMember = Omit<GroupMember, 'partner' | 'kmsUri'>;

/** Elements in the namespace of group information that are kept. */
export type GroupInfoName =
  | 'on-network-invite-members'
  | 'on-network-group-priority'
  | 'preferred-voice-encodings'
  | 'protect-media'
  | 'protect-floor-control-signalling'
  | 'require-multicast-floor-control-signalling'
  | 'mcvideo-protect-media'
  | 'mcvideo-protect-transmission-control'
  | 'user-priority'
  | 'mcvideo-mcvideo-id'
  | 'mcdata-mcdata-id';

/** By what names the document knows a service. */
export function serviceNames(
  service: GroupService,
  names: GroupDocumentNames,
): { enabler: string; media: string } {
  switch (service) {
    case 'MCPTT':
      return { enabler: names.mcpttEnabler, media: names.mcpttMedia };
    case 'MCVideo':
      return { enabler: names.mcvideoEnabler, media: names.mcvideoMedia };
    case 'MCData':
      return { enabler: names.mcdataEnabler, media: names.mcdataMedia };
  }
}
