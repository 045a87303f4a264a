/** Names and identities in the configuration that may stand for one thing only. */
import type { z } from 'zod';
import type { PartnerConfig } from './partner-schema.js';

interface Named {
  readonly partners: readonly PartnerConfig[];
  readonly users: readonly { readonly uri: string; readonly pbx: string }[];
}

/** Adds each second use of a name to the findings. */
export function checkUniqueNames({ partners, users }: Named, context: z.RefinementCtx): void {
  refuseDuplicates(partners, (partner) => [partner.name], 'partners', 'name', context);
  refuseDuplicates(partners, (partner) => partner.domains, 'partners', 'domains', context);
  refuseDuplicates(partners, (partner) => partner.kmsUris, 'partners', 'kmsUris', context);
  const groupIds = ({ groups }: PartnerConfig): string[] => groups.map(({ id }) => id);
  refuseDuplicates(partners, groupIds, 'partners', 'groups', context);
  const groupNames = ({ groups }: PartnerConfig): string[] => groups.map(({ pbx }) => pbx);
  refuseDuplicates(partners, groupNames, 'partners', 'groups', context);
  refuseDuplicates(users, (user) => [user.pbx], 'users', 'pbx', context);
  refuseDuplicates(users, (user) => [user.uri], 'users', 'uri', context);
  const dialledUsers = new Set(users.map(({ pbx }) => pbx));
  for (const [index, partner] of partners.entries()) {
    for (const name of groupNames(partner).filter((pbx) => dialledUsers.has(pbx))) {
      context.addIssue({
        code: 'custom',
        path: ['partners', index, 'groups'],
        message: `${name} is already named by a user`,
      });
    }
  }
}

function refuseDuplicates<T>(
  items: readonly T[],
  keysOf: (item: T) => readonly string[],
  list: string,
  field: string,
  context: z.RefinementCtx,
): void {
  const owner = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    for (const key of keysOf(item)) {
      const first = owner.get(key);
      if (first === undefined) owner.set(key, index);
      else {
        context.addIssue({
          code: 'custom',
          path: [list, index, field],
          message: `${key} is already named by ${list}[${first}]`,
        });
      }
    }
  }
}
