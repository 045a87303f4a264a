/**
 * A group call from an MC system: the INVITE names a group and carries no key (TS 33.180 7.3). Its
 * media is opened under the GMKs held for the group, as they come and go.
 */
import { SegyError } from '../../base/errors.js';
import type { GroupConfig, PartnerConfig } from '../../config/index.js';
import { stateOf } from '../../keys/index.js';
import type { ServerTransaction } from '../../sip/index.js';
import type { EdgeContext } from './context.js';
import { requireGroups, type EdgeDependencies } from '../dependencies.js';
import { withMembers } from '../groups/group-documents-port.js';
import { GroupMedia } from '../groups/group-media.js';
import type { GroupsPort } from '../ports/groups-port.js';
import { readMcIdentity } from '../messages/identity.js';
import { failFromMc, openCallFromMc, type McInvite } from './mc-invite.js';
import type { McpttInfo } from '../messages/mcptt-info.js';
import { carryToPbx } from './to-pbx.js';

/** session-type values that ask for a group call (TS 24.379 F.1). */
export const GROUP_SESSIONS: ReadonlySet<string> = new Set(['prearranged', 'chat']);

/** Starts a group call that `partner` sent. */
export function groupCallFromMc(
  context: EdgeContext,
  uas: ServerTransaction,
  partner: PartnerConfig,
  { offer, info }: McInvite,
): void {
  const { deps } = context;
  const groups = requireGroups(deps);
  const group = homedGroup(deps, info, partner) ?? invitedGroup(info, partner, groups);
  if (offer.keyMessage !== null) {
    throw new SegyError('SEGY_E_MIKEY_KEY_TYPE', 'a group call brings no key of its own');
  }
  const isClear = mayBeClear(deps, groups, partner, group);
  const caller = callerOf(info, group);
  const speaker = speakerOf(deps, groups, partner, group, info);
  const call = openCallFromMc(context, uas, partner);
  call.names = { caller: caller.uri, callee: group.id };
  call.group = group.id;
  call.level = info.level;
  const { log } = deps.env;
  const named = withMembers(deps.documents, partner, group);
  const media = isClear
    ? null
    : new GroupMedia({ groups, log, partner: partner.name, group: named, speaker });
  const parties = { from: caller.user, to: group.pbx };
  carryToPbx(context, call, uas, offer, { key: null, group: media }, parties).catch(
    (error: unknown) => failFromMc(call, error),
  );
}

/**
 * Whether a call of the group goes on without protection: only by policy, and never while a GMK is
 * held for the group, in whatever state.
 * @throws SegyError SEGY_E_NO_GROUP_KEY
 */
export function mayBeClear(
  { env, homeGroups }: EdgeDependencies,
  groups: GroupsPort,
  partner: PartnerConfig,
  group: GroupConfig,
): boolean {
  const held = groups.heldFor(partner.name, group.id);
  const now = env.clock.now();
  if (held.some((key) => stateOf(key, now) === 'active')) return false;
  if (group.withoutKey === 'wait') return false;
  const isOurs = homeGroups?.isProtected(group.id) === true;
  if (!isOurs && held.length === 0 && partner.media.policy === 'allow-clear') return true;
  throw new SegyError('SEGY_E_NO_GROUP_KEY', `no usable GMK is held for ${group.id}`);
}

/**
 * The group of an INVITE where it is homed here: only a member of it calls into it.
 * @throws SegyError SEGY_E_NOT_GROUP_MEMBER
 */
function homedGroup(
  { homeGroups }: EdgeDependencies,
  { callingGroupId, requestUri, callingUserId }: McpttInfo,
  partner: PartnerConfig,
): GroupConfig | undefined {
  const id = callingGroupId ?? requestUri;
  const homed = id === null ? undefined : homeGroups?.find(id);
  if (homed === undefined) return undefined;
  if (callingUserId !== null && homeGroups?.isMember(homed.id, partner.name, callingUserId)) {
    return homed;
  }
  throw new SegyError('SEGY_E_NOT_GROUP_MEMBER', 'the caller is no member of our group');
}

/**
 * The group of an INVITE: named as calling group where a member is invited, else as request URI. A
 * temporary group is one that configured groups were regrouped into, as its keys came to tell: it
 * reaches the PBX under the name of the one that the invited member belongs to, else of the first.
 * @throws SegyError SEGY_E_UNKNOWN_GROUP
 */
function invitedGroup(info: McpttInfo, partner: PartnerConfig, groups: GroupsPort): GroupConfig {
  const id = info.callingGroupId ?? info.requestUri;
  const group = partner.groups.find((known) => known.id === id);
  if (group !== undefined) return group;
  const temporary = id === null ? null : temporaryGroup(id, info.requestUri, partner, groups);
  if (temporary !== null) return temporary;
  throw new SegyError('SEGY_E_UNKNOWN_GROUP', 'the INVITE names no group of this partner');
}

function temporaryGroup(
  id: string,
  invited: string | null,
  partner: PartnerConfig,
  groups: GroupsPort,
): GroupConfig | null {
  const keys = groups.heldFor(partner.name, id);
  const regrouped = new Set(keys.flatMap(({ constituents }) => constituents ?? []));
  const constituents = partner.groups.filter((group) => regrouped.has(group.id));
  const isOf = ({ speaker, affiliate }: GroupConfig): boolean =>
    invited !== null && (speaker === invited || affiliate.includes(invited));
  const group = constituents.find(isOf) ?? constituents[0];
  if (group === undefined) return null;
  return { ...group, id, members: constituents.flatMap(({ members }) => members) };
}

/** Who opened the call: said by the partner, shown to the PBX, and no ground for trust in anything. */
function callerOf(info: McpttInfo, group: GroupConfig): { uri: string; user: string } {
  if (info.callingUserId === null) return { uri: group.id, user: group.pbx };
  return readMcIdentity(info.callingUserId, 'the calling identity');
}

/** Who sends for the radio side: the configured speaker, the invited member, or a holder of a GMK. */
function speakerOf(
  { clients }: EdgeDependencies,
  groups: GroupsPort,
  partner: PartnerConfig,
  group: GroupConfig,
  { callingGroupId, requestUri }: McpttInfo,
): string | null {
  if (group.speaker !== undefined) return group.speaker;
  const invited = callingGroupId === null || requestUri === null ? undefined : requestUri;
  const user = invited === undefined ? undefined : clients.byUri(invited);
  const holders = groups.heldFor(partner.name, group.id).flatMap((key) => key.holders);
  return user?.uri ?? holders[0] ?? null;
}
