/**
 * Who may read and who may write group documents (TS 33.180 5.1, TS 24.481): by the scopes of the
 * access token, by membership of the group for the service that a scope is for, and for writing by
 * the configuration's list of administrators.
 */
import type { DocumentAccessConfig } from '../config/index.js';
import type { Group, GroupService } from './group.js';

/** What an access token says that verified. */
export interface AccessTokenClaims {
  /** partner whose user the subject is */
  readonly partner: string;
  readonly clientId: string;
  /** MC service IDs of its subject, all of them of that partner */
  readonly serviceIds: Readonly<Partial<Record<GroupService, string>>>;
  /** services whose groups its scopes open */
  readonly groupServices: readonly GroupService[];
}

/** A caller whose token opens group documents of some service. */
export interface DocumentCaller {
  /** the subject's ID for each service that its scopes are for */
  readonly ids: ReadonlyMap<GroupService, string>;
  readonly partner: string;
  readonly clientId: string;
  readonly isAdministrator: boolean;
}

/** What the token lets its holder do; undefined where it is for no groups of any service. */
export function callerOf(
  { partner, clientId, serviceIds, groupServices }: AccessTokenClaims,
  { administrators }: DocumentAccessConfig,
): DocumentCaller | undefined {
  const ids = new Map<GroupService, string>();
  for (const service of groupServices) {
    const id = serviceIds[service];
    if (id !== undefined) ids.set(service, id);
  }
  if (ids.size === 0) return undefined;
  const isAdministrator = [...ids.values()].some((id) => administrators.includes(id));
  return { ids, partner, clientId, isAdministrator };
}

/** Who it is, for the audit log. */
export function nameOf({ ids, clientId }: DocumentCaller): string {
  const [id = ''] = ids.values();
  return `${id} with client ${clientId}`;
}

/** Whether the caller is in the group, for a service that the group and the caller's scopes have. */
export function isMemberOf(group: Group, { ids, partner }: DocumentCaller): boolean {
  return group.services.some((service) => {
    const id = ids.get(service);
    if (id === undefined) return false;
    return group.members.some(
      (member) => member.partner === partner && idFor(service, member) === id,
    );
  });
}

function idFor(service: GroupService, member: Group['members'][number]): string {
  switch (service) {
    case 'MCPTT':
      return member.uri;
    case 'MCVideo':
      return member.mcvideoId ?? member.uri;
    case 'MCData':
      return member.mcdataId ?? member.uri;
  }
}
