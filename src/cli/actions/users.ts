/** Represented users that are kept in the store beside those of the configuration. */
import { z } from 'zod';
import type { RepresentedUser } from '../../clients/index.js';
import { lieInKmsDomains } from '../../mikey/index.js';
import { action } from './action.js';

const user = z.strictObject({ uri: z.string(), pbx: z.string() });

export const USER_ACTIONS = {
  'user/list': action({
    body: z.strictObject({}),
    changes: false,
    run: async (context): Promise<{ users: RepresentedUser[]; refused: readonly string[] }> => {
      const records = await context.users();
      return { users: records.list(), refused: records.refused };
    },
  }),

  'user/add': action({
    body: z.strictObject({ users: z.array(user) }),
    changes: true,
    run: async ({ users, audit, effects, domain }, { users: given }) => {
      const [first] = given;
      const who = given.length === 1 && first ? { user: first.uri } : {};
      const records = await users();
      const added = await records.add(given, (count) =>
        audit.record({ action: 'user-added', ...who, detail: `${count} entries` }),
      );
      effects.users();
      const foreign = given.filter(
        ({ uri }) => domain !== undefined && !lieInKmsDomains(uri, domain.certificate),
      );
      return {
        added,
        domains: domain?.certificate.domains ?? [],
        /** whom no partner will accept, since our certificate does not name their domain */
        foreign: foreign.map(({ uri }) => uri),
      };
    },
  }),

  'user/remove': action({
    body: z.strictObject({ uri: z.string() }),
    changes: true,
    run: async ({ users, audit, effects }, { uri }) => {
      await (await users()).remove(uri);
      effects.users();
      await audit.record({ action: 'user-removed', user: uri });
      return { uri };
    },
  }),
};
