/** An action on the state itself, while no gateway runs. */
import { UserRecords } from '../clients/index.js';
import type { PseudoGms } from '../gms/index.js';
import type { AccessTokenKeys } from '../idm/index.js';
import type { KeyRing } from '../keys/index.js';
import { ACTIONS, checkedBody, NO_EFFECTS } from './actions/index.js';
import type { Action, ActionContext, ActionName } from './actions/index.js';
import { openGmsAlone } from './compose-gms.js';
import { openIdmKeys } from './compose-idm.js';
import { openSigningKeys } from './compose-tokens.js';
import { memberHomes } from './member-homes.js';
import type { PerformOptions } from './perform.js';
import { masterSecretOf, openRing, requireDomain, withState } from './state.js';
import type { StateOptions } from './state-options.js';

/** @throws SegyError as openState does, and whatever the action throws */
export async function performAlone(
  name: ActionName,
  body: unknown,
  target: StateOptions,
  { config, onEvent }: PerformOptions,
): Promise<unknown> {
  // Which body belongs to which action is known to the caller, and checked by the action's own schema.
  const action = ACTIONS[name] as Action;
  const given = checkedBody(action, body);
  return withState(target, async (state, environment) => {
    const rings: KeyRing[] = [];
    const opened: PseudoGms[] = [];
    const idmKeys: AccessTokenKeys[] = [];
    const ring = async (): Promise<KeyRing> => {
      const made = await openRing(state, environment);
      rings.push(made);
      return made;
    };
    const context: ActionContext = {
      ...environment,
      ...state,
      config,
      folder: target.state,
      users: () => UserRecords.open(state.store.space('users')),
      ring,
      signingKeys: () => openSigningKeys(state, environment.clock),
      idmKeys: async () => {
        const keys = await openIdmKeys(state, environment, null);
        idmKeys.push(keys);
        return keys;
      },
      homedGroups: async () => {
        if (config?.gms === undefined) return null;
        const gms = await openGmsAlone(state, environment, config, await ring());
        opened.push(gms);
        const homeOf = memberHomes(config, requireDomain(state), state.trust);
        return { gms, homeOf, delivers: false };
      },
      master: () => masterSecretOf(target),
      effects: NO_EFFECTS,
    };
    try {
      return await action.run(context, given, {
        signal: new AbortController().signal,
        event: (value) => Promise.resolve(onEvent?.(value)),
      });
    } finally {
      for (const gms of opened) await gms.stop();
      for (const keys of idmKeys) keys.close();
      for (const made of rings) made.close();
    }
  });
}
