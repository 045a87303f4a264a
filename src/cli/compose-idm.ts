/**
 * The pseudo IdM over the state and the configuration: routes for the HTTPS listener, the guard of
 * group documents, and the keys that commands list and rotate.
 */
import { silentAlarms, type Alarms } from '../base/alarms.js';
import type { Clock, Environment, Log, Timers } from '../base/environment.js';
import type { JWK } from 'jose';
import type { PartnerConfig, SegyConfig } from '../config/index.js';
import type { HttpRoute } from '../https/index.js';
import { AccessTokenKeys, IdentityManagement } from '../idm/index.js';
import type { AccessTokenGuard } from '../idm/index.js';
import { fetchesKeys, idmPartners } from './idm-partners.js';
import type { State } from './state.js';

/** Longest life of any access token under any configuration, in milliseconds. */
const LONGEST_TOKEN_MS = 3_600_000;

export interface IdmParts {
  readonly config: SegyConfig;
  readonly state: Pick<State, 'store' | 'audit'>;
  readonly env: Environment;
  readonly alarms: Alarms;
  /** public keys under which we speak for our users to partners, published beside our own */
  readonly tokenKeys: () => readonly JWK[];
}

export interface RunningIdm {
  readonly routes: readonly HttpRoute[];
  readonly guard: AccessTokenGuard;
  readonly keys: AccessTokenKeys;
  /**
   * Reads what other partners need.
   * @returns what puts them in force
   * @throws SegyError SEGY_E_CONFIG when a file cannot be read or used
   */
  prepare(partners: readonly PartnerConfig[]): () => void;
  close(): void;
}

/**
 * The IdM of the running gateway; null where the configuration has none.
 * @throws SegyError SEGY_E_CONFIG, SEGY_E_STORE, SEGY_E_AUDIT
 */
export async function composeIdm({
  config,
  state,
  env,
  alarms,
  tokenKeys,
}: IdmParts): Promise<RunningIdm | null> {
  const { idm, gms } = config;
  if (idm === undefined) return null;
  let before: readonly PartnerConfig[] = config.partners;
  const keys = await openIdmKeys(state, { ...env, alarms }, idm.rotateSeconds);
  try {
    await keys.ensure();
    const management = await IdentityManagement.open({
      config: idm,
      audience: idm.audience ?? gms?.xcapRoot ?? idm.issuer,
      partners: idmPartners(config.partners, env, alarms),
      keys,
      presented: state.store.space('idm-presented'),
      audit: state.audit,
      alsoPublished: tokenKeys,
      env,
    });
    return {
      routes: management.routes,
      guard: management.guard,
      keys,
      prepare: (partners) => {
        const made = idmPartners(partners, env, alarms);
        const fetching = new Set(partners.filter(fetchesKeys).map(({ name }) => name));
        return () => {
          management.update(made);
          for (const { name } of before) {
            if (!fetching.has(name)) alarms.clear('partner-idm-keys', name);
          }
          before = partners;
        };
      },
      close: () => keys.close(),
    };
  } catch (error) {
    keys.close();
    throw error;
  }
}

/**
 * The keys of the store, none where none was made yet.
 * @param rotateSeconds null where nothing but a command replaces a key
 */
export function openIdmKeys(
  { store, audit }: Pick<State, 'store' | 'audit'>,
  {
    clock,
    timers,
    log,
    alarms = silentAlarms,
  }: {
    readonly clock: Clock;
    readonly timers: Timers;
    readonly log: Log;
    readonly alarms?: Alarms;
  },
  rotateSeconds: number | null,
): Promise<AccessTokenKeys> {
  return AccessTokenKeys.open({
    records: store.space('idm-keys'),
    ...{ audit, clock, timers, log, alarms },
    rotateMs: rotateSeconds === null ? null : rotateSeconds * 1000,
    longestTokenMs: LONGEST_TOKEN_MS,
  });
}
