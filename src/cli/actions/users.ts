/** Represented users that are kept in the store beside those of the configuration. */
import { z } from 'zod';
import type { RepresentedUser } from '../../clients/index.js';
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
    run: async ({ users, audit, effects }, { users: added }) => {
      await (await users()).add(added);
      const [first] = added;
      const who = added.length === 1 && first ? { user: first.uri } : {};
      await audit.record({ action: 'user-added', ...who, detail: `${added.length} entries` });
      effects.users();
      return { added: added.length };
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
