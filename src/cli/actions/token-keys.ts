/** The keys that sign for our users towards partners' identity management. */
import { z } from 'zod';
import type { StatementKeyView } from '../../idm-client/index.js';
import { action } from './action.js';

const named = z.strictObject({ kid: z.string() });

export const TOKEN_KEY_ACTIONS = {
  'token-key/list': action({
    body: z.strictObject({}),
    changes: false,
    run: async ({ signingKeys }): Promise<{ keys: StatementKeyView[] }> => ({
      keys: (await signingKeys()).list(),
    }),
  }),

  'token-key/jwks': action({
    body: z.strictObject({}),
    changes: true,
    run: async ({ signingKeys }) => {
      const keys = await signingKeys();
      // so that a partner can be given the first key before anything was signed under it
      await keys.signer();
      return keys.jwks();
    },
  }),

  'token-key/add': action({
    body: z.strictObject({}),
    changes: true,
    run: async ({ signingKeys, audit }) => {
      const made = await (await signingKeys()).add();
      await audit.record({ action: 'token-key-added', detail: made.kid });
      return made;
    },
  }),

  'token-key/use': action({
    body: named,
    changes: true,
    run: async ({ signingKeys, audit }, { kid }) => {
      await (await signingKeys()).use(kid);
      await audit.record({ action: 'token-key-used', detail: kid });
      return { kid };
    },
  }),

  'token-key/remove': action({
    body: named,
    changes: true,
    run: async ({ signingKeys, audit }, { kid }) => {
      await (await signingKeys()).remove(kid);
      await audit.record({ action: 'token-key-removed', detail: kid });
      return { kid };
    },
  }),
};
