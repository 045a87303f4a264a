/** The keys that sign the access tokens of our IdM. No action shows a private one. */
import { z } from 'zod';
import { SegyError } from '../../base/errors.js';
import type { AccessTokenKeys, AccessTokenKeyView } from '../../idm/index.js';
import { action } from './action.js';
import type { ActionContext } from './action.js';

export const IDM_KEY_ACTIONS = {
  'idm-key/list': action({
    body: z.strictObject({}),
    changes: false,
    run: async (context): Promise<{ keys: AccessTokenKeyView[] }> => ({
      keys: (await keysOf(context)).list(),
    }),
  }),

  'idm-key/rotate': action({
    body: z.strictObject({ endOld: z.boolean() }),
    changes: true,
    run: async (context, options) => (await keysOf(context)).rotate(options),
  }),
};

async function keysOf({ idmKeys }: ActionContext): Promise<AccessTokenKeys> {
  const keys = await idmKeys();
  if (keys !== null) return keys;
  throw new SegyError('SEGY_E_CONFIG', 'the running gateway has no idm');
}
