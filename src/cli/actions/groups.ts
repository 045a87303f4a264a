/** Talkgroups that are homed here: their members and their keys. No action shows a key octet. */
import { z } from 'zod';
import type { AdminRequest } from '../../admin/index.js';
import { SegyError } from '../../base/errors.js';
import {
  checkGroup,
  GROUP_SERVICES,
  GroupChanges,
  pbxNameOf,
  progressOf,
} from '../../gms/index.js';
import type { Group, GroupStatus, NewMember } from '../../gms/index.js';
import { action } from './action.js';
import type { ActionContext, HomedGroups } from './action.js';

/** Between two reports of progress. */
const REPORT_MS = 250;

const id = z.strictObject({ group: z.string() });
const members = z.array(z.strictObject({ uri: z.string(), kmsUri: z.string().optional() }));

export interface HomedGroupView {
  readonly group: Group;
  readonly status: GroupStatus;
}

export const GROUP_ACTIONS = {
  'group/homed': action({
    body: z.strictObject({ group: z.string().optional() }),
    changes: false,
    run: async (context, { group }) => {
      const { gms } = await homed(context);
      const groups = gms.groups
        .list()
        .filter((each) => group === undefined || isNamed(each, group));
      if (group !== undefined && groups.length === 0) throw notFound(group);
      const views = groups.map((each) => ({ group: each, status: gms.status(each.id) }));
      return { groups: views, damaged: gms.groups.refused };
    },
  }),

  'group/create': action({
    body: z.strictObject({
      id: z.string(),
      displayName: z.string().optional(),
      pbx: z.string().optional(),
      speaker: z.string().optional(),
      members,
      services: z.array(z.enum(GROUP_SERVICES)).optional(),
      protectMedia: z.boolean().optional(),
      protectFloorControl: z.boolean().optional(),
      multicastFloorControl: z.boolean().optional(),
      inviteMembers: z.boolean().optional(),
      codecs: z.array(z.string()).optional(),
      priority: z.number().optional(),
    }),
    changes: true,
    run: async (context, { members: asked, pbx, displayName, ...rest }) => {
      const { gms, homeOf } = await homed(context);
      const name = pbx ?? pbxNameOf(rest.id);
      const group = checkGroup({
        ...rest,
        pbx: name,
        displayName: displayName ?? name,
        members: asked.map((each) => memberAt(each, homeOf)),
      });
      const detail = `${asked.length} members`;
      await changesOf(context, { gms, homeOf }).put(group, { version: null }, detail);
      return { group: rest.id, pbx: name, members: asked.length };
    },
  }),

  'group/members/add': action({
    body: z.strictObject({ group: z.string(), members }),
    changes: true,
    run: async (context, { group: named, members: asked }) => {
      const { gms, homeOf } = await homed(context);
      const { id: found } = find(gms, named);
      const added = asked.map((each) => memberAt(each, homeOf));
      const uris = new Set(added.map(({ uri }) => uri));
      const { members: all } = await changesOf(context, { gms, homeOf }).change(
        found,
        (group) => ({
          ...group,
          members: [
            ...group.members.filter(({ uri }) => !uris.has(uri)),
            ...added.map((each) => ({
              ...group.members.find(({ uri }) => uri === each.uri),
              ...each,
            })),
          ],
        }),
        `${asked.length} members added`,
      );
      return { group: found, members: all.length };
    },
  }),

  'group/members/remove': action({
    body: z.strictObject({ group: z.string(), members: z.array(z.string()) }),
    changes: true,
    run: async (context, { group: named, members: asked }) => {
      const { gms, homeOf } = await homed(context);
      const { id: found } = find(gms, named);
      const remove = (group: Group): Group => {
        const missing = asked.find((uri) => !group.members.some((each) => each.uri === uri));
        if (missing !== undefined) {
          throw new SegyError('SEGY_E_NOT_FOUND', `${missing} is no member of ${found}`);
        }
        return { ...group, members: group.members.filter(({ uri }) => !asked.includes(uri)) };
      };
      const detail = `${asked.length} members removed`;
      const { members: all } = await changesOf(context, { gms, homeOf }).change(
        found,
        remove,
        detail,
      );
      return { group: found, members: all.length };
    },
  }),

  'group/delete': action({
    body: id,
    changes: true,
    run: async (context, { group: named }) => {
      const { gms, homeOf } = await homed(context);
      const { id: found } = find(gms, named);
      await changesOf(context, { gms, homeOf }).delete(found, {}, '');
      return { group: found };
    },
  }),

  'group/status': action({
    body: id,
    changes: false,
    run: async (context, { group: named }) => {
      const { gms } = await homed(context);
      return gms.status(find(gms, named).id);
    },
  }),

  'group/rekey': action({
    body: z.strictObject({
      group: z.string(),
      activationSeconds: z.number().int().min(0).optional(),
      revokeNow: z.boolean().optional(),
      /** reports until every member has the new keys */
      wait: z.boolean(),
    }),
    changes: true,
    timeoutMs: null,
    run: async (context, { group: named, activationSeconds, revokeNow, wait }, request) => {
      const { gms, homeOf, delivers } = await homed(context);
      const { id: found } = find(gms, named);
      const order = {
        ...(activationSeconds !== undefined && { activationSeconds }),
        ...(revokeNow !== undefined && { revokeNow }),
      };
      const keys = await changesOf(context, { gms, homeOf }).rekey(found, order, '');
      if (wait && delivers) await report(gms, found, keys, request);
      return { group: found, keys, delivers, status: gms.status(found) };
    },
  }),

  'group/retry': action({
    body: id,
    changes: true,
    run: async (context, { group: named }) => {
      const { gms } = await homed(context);
      const { id: found } = find(gms, named);
      gms.retry(found);
      return { group: found };
    },
  }),
};

type Gms = HomedGroups['gms'];

async function homed(context: ActionContext): Promise<HomedGroups> {
  const found = await context.homedGroups();
  if (found === null) {
    throw new SegyError('SEGY_E_CONFIG', 'no group is homed here: the configuration has no gms');
  }
  return found;
}

function isNamed(group: Group, name: string): boolean {
  return group.id === name || group.pbx === name;
}

function find(gms: Gms, name: string): Group {
  const found = gms.groups.get(name) ?? gms.groups.byPbxName(name);
  if (found === undefined) throw notFound(name);
  return found;
}

function notFound(name: string): SegyError {
  return new SegyError('SEGY_E_NOT_FOUND', `no group ${name} is homed here`);
}

function memberAt(
  { uri, kmsUri }: { uri: string; kmsUri?: string | undefined },
  homeOf: HomedGroups['homeOf'],
): NewMember {
  const home = homeOf(uri, kmsUri);
  if (home === undefined) {
    throw new SegyError('SEGY_E_GROUP', `members: ${uri} is no user of a partner or ours`);
  }
  return { uri, ...home };
}

function changesOf(
  { audit }: ActionContext,
  parts: Pick<HomedGroups, 'gms' | 'homeOf'>,
): GroupChanges {
  return new GroupChanges({ ...parts, audit });
}

/** Sends the counts of the keys' deliveries until all are delivered or the caller goes away. */
async function report(
  gms: Gms,
  group: string,
  keys: readonly string[],
  request: AdminRequest,
): Promise<void> {
  let changed = true;
  const unwatch = gms.watch(group, () => {
    changed = true;
  });
  try {
    while (!request.signal.aborted) {
      if (changed) {
        changed = false;
        const progress = progressOf(gms.status(group), keys);
        await request.event(progress);
        if (progress.delivered >= progress.members) return;
      }
      await new Promise((resolve) => setTimeout(resolve, REPORT_MS));
    }
  } finally {
    unwatch();
  }
}
