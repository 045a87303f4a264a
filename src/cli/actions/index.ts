/** Every action there is, by the name under which the running gateway takes it. */
import { GROUP_ACTIONS } from './groups.js';
import { IDM_KEY_ACTIONS } from './idm-keys.js';
import { KEY_ACTIONS } from './keys.js';
import { KMS_ACTIONS } from './kms.js';
import { PARTNER_IDM_ACTIONS } from './partner-idm.js';
import { STORE_ACTIONS } from './store.js';
import { TOKEN_KEY_ACTIONS } from './token-keys.js';
import { USER_ACTIONS } from './users.js';

export { checkedBody, NO_EFFECTS } from './action.js';
export type { Action, ActionContext, ActionEffects } from './action.js';

export const ACTIONS = {
  ...USER_ACTIONS,
  ...GROUP_ACTIONS,
  ...KEY_ACTIONS,
  ...KMS_ACTIONS,
  ...PARTNER_IDM_ACTIONS,
  ...STORE_ACTIONS,
  ...TOKEN_KEY_ACTIONS,
  ...IDM_KEY_ACTIONS,
};

export type ActionName = keyof typeof ACTIONS;
export type BodyOf<N extends ActionName> = Parameters<(typeof ACTIONS)[N]['run']>[1];
export type ResultOf<N extends ActionName> = Awaited<ReturnType<(typeof ACTIONS)[N]['run']>>;
