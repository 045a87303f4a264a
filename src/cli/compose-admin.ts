/** The command socket of the running gateway, over the parts that the gateway has open. */
import { AdminServer, defaultSocketPath } from '../admin/index.js';
import type { AdminCommand, AdminCommands } from '../admin/index.js';
import type { Environment } from '../base/environment.js';
import { toSegyError } from '../base/errors.js';
import type { Directory, UserRecords } from '../clients/index.js';
import type { SegyConfig } from '../config/index.js';
import type { SlowCrypto } from '../crypto/index.js';
import type { StatementKeys } from '../idm-client/index.js';
import type { KeyRing } from '../keys/index.js';
import { ACTIONS, checkedBody } from './actions/index.js';
import type { Action, ActionContext } from './actions/index.js';
import type { RunningGms } from './compose-gms.js';
import type { RunningIdm } from './compose-idm.js';
import { trustedCertificates } from './prepare-keys.js';
import { masterSecretOf, requireDomain } from './state.js';
import type { State } from './state.js';

export interface AdminParts {
  /** the configuration in force changes with a reload */
  readonly config: { readonly current: SegyConfig };
  readonly env: Environment;
  readonly state: State;
  readonly slow: SlowCrypto;
  readonly users: UserRecords;
  readonly directory: Directory;
  readonly ring: KeyRing;
  readonly gms: RunningGms | null;
  readonly signingKeys: StatementKeys;
  readonly idm: Pick<RunningIdm, 'keys'> | null;
  /** commands that are no actions on the state */
  readonly more: AdminCommands;
}

/** @throws SegyError SEGY_E_IO when the socket cannot be made */
export function openAdmin(parts: AdminParts): Promise<AdminServer> {
  const { env } = parts;
  const config = parts.config.current;
  const socketPath = config.admin.socket ?? defaultSocketPath(config.stateDir);
  const commands = { ...actionCommands(contextOf(parts)), ...parts.more };
  return AdminServer.open({ socketPath, commands, env });
}

/** Every action as a command. */
function actionCommands(context: ActionContext): AdminCommands {
  const commands = Object.entries(ACTIONS as Record<string, Action>).map(
    ([name, action]): [string, AdminCommand] => [
      name,
      {
        changes: action.changes,
        ...(action.timeoutMs !== undefined && { timeoutMs: action.timeoutMs }),
        run: (body, request) => action.run(context, checkedBody(action, body), request),
      },
    ],
  );
  return Object.fromEntries(commands);
}

function contextOf(parts: Omit<AdminParts, 'more'>): ActionContext {
  const { env, state, slow, users, directory, ring, gms, signingKeys, idm } = parts;
  const { stateDir, masterKeyFile } = parts.config.current;
  const domain = requireDomain(state);
  return {
    clock: env.clock,
    random: env.random,
    slow,
    backend: state.backend,
    store: state.store,
    audit: state.audit,
    trust: state.trust,
    domain,
    get config() {
      return parts.config.current;
    },
    folder: stateDir,
    users: () => Promise.resolve(users),
    ring: () => Promise.resolve(ring),
    signingKeys: () => Promise.resolve(signingKeys),
    idmKeys: () => Promise.resolve(idm?.keys ?? null),
    homedGroups: () => Promise.resolve(gms && { gms: gms.gms, homeOf: gms.homeOf, delivers: true }),
    master: () => masterSecretOf({ state: stateDir, masterKey: masterKeyFile }),
    effects: {
      users: () => directory.replace([...parts.config.current.users, ...users.list()]),
      trust: () => void prepareTables(parts),
      domain: (renewed) => domain.adopt(renewed),
    },
  };
}

/** So that the first call under a new certificate does not wait for its table. */
async function prepareTables({
  config,
  env,
  state,
  slow,
}: Pick<AdminParts, 'config' | 'env' | 'state' | 'slow'>): Promise<void> {
  try {
    for (const { pubEncKey } of trustedCertificates(config.current, state.trust)) {
      await slow.prepare({ z: pubEncKey });
    }
  } catch (error) {
    env.log.warn('keys.prepare.failed', { message: toSegyError(error).message });
  }
}
