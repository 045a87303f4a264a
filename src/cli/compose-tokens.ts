/** The client of the partners' identity management over the state and the files of their profiles. */
import type { Alarms } from '../base/alarms.js';
import type { Clock, Environment } from '../base/environment.js';
import type { SegyConfig } from '../config/index.js';
import { PartnerTokens, StatementKeys } from '../idm-client/index.js';
import { readPins } from './partner-tls.js';
import { readKeyFile } from './protection.js';
import type { State } from './state.js';

/** The keys that sign for our users towards partners. @throws SegyError SEGY_E_STORE */
export function openSigningKeys(
  { store }: Pick<State, 'store'>,
  clock: Clock,
): Promise<StatementKeys> {
  return StatementKeys.open(store.space('partner-signing'), clock);
}

/** @throws SegyError SEGY_E_CONFIG when a file of a profile cannot be read */
export function makeTokens(
  { partners }: SegyConfig,
  keys: StatementKeys,
  env: Environment,
  alarms: Alarms,
): PartnerTokens {
  const tokens = new PartnerTokens({
    env,
    alarms,
    signer: () => keys.signer(),
    readFile: readKeyFile,
    readTls: readPins,
  });
  tokens.prepare(partners)();
  return tokens;
}

/** So that partners can be given the key before the first security token is signed under it. */
export async function makeFirstKey({ partners }: SegyConfig, keys: StatementKeys): Promise<void> {
  if (partners.some(({ idm }) => idm?.securityToken.from === 'own')) await keys.signer();
}
