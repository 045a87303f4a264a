/**
 * The pseudo IdM over the state and the configuration: routes for the HTTPS listener, the guard of
 * group documents, and the keys that commands list and rotate.
 */
import type { Clock, Environment, Log, Metrics, Timers } from '../base/environment.js';
import type { JWK } from 'jose';
import { SegyError } from '../base/errors.js';
import type { PartnerConfig, SegyConfig } from '../config/index.js';
import { httpsFetch } from '../https/index.js';
import type { HttpRoute, OutgoingRequest, PinnedTls } from '../https/index.js';
import { IdentityManagement, makePartner, MAX_KEY_SET, SigningKeys } from '../idm/index.js';
import type { AccessTokenGuard, IdmPartner } from '../idm/index.js';
import { hostOf } from '../mikey/index.js';
import type { State } from './state.js';
import { readTlsFile } from './tls-files.js';

/** Longest life of any access token under any configuration, in milliseconds. */
const LONGEST_TOKEN_MS = 3_600_000;
const FETCH_MS = 5000;

export interface IdmParts {
  readonly config: SegyConfig;
  readonly state: Pick<State, 'store' | 'audit'>;
  readonly env: Environment;
  /** public keys under which we speak for our users to partners, published beside our own */
  readonly tokenKeys: () => readonly JWK[];
}

export interface RunningIdm {
  readonly routes: readonly HttpRoute[];
  readonly guard: AccessTokenGuard;
  readonly keys: SigningKeys;
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
  tokenKeys,
}: IdmParts): Promise<RunningIdm | null> {
  const { idm, gms } = config;
  if (idm === undefined) return null;
  const keys = await openIdmKeys(state, env, idm.rotateSeconds);
  try {
    await keys.ensure();
    const management = await IdentityManagement.open({
      config: idm,
      audience: idm.audience ?? gms?.xcapRoot ?? idm.issuer,
      partners: idmPartners(config.partners, env),
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
        const made = idmPartners(partners, env);
        return () => management.update(made);
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
  { clock, timers, log }: { readonly clock: Clock; readonly timers: Timers; readonly log: Log },
  rotateSeconds: number | null,
): Promise<SigningKeys> {
  return SigningKeys.open({
    records: store.space('idm-keys'),
    ...{ audit, clock, timers, log },
    rotateMs: rotateSeconds === null ? null : rotateSeconds * 1000,
    longestTokenMs: LONGEST_TOKEN_MS,
  });
}

function idmPartners(
  partners: readonly PartnerConfig[],
  { clock, log, metrics }: { readonly clock: Clock; readonly log: Log; readonly metrics: Metrics },
): IdmPartner[] {
  return partners.flatMap(({ name, domains, codePoints, securityTokens }) => {
    if (securityTokens === undefined) return [];
    const hasUser = (id: string): boolean => domains.includes(hostOf(id) ?? '');
    return [
      makePartner(
        { name, codePoints, securityTokens, hasUser },
        {
          ...{ clock, readFile: readTlsFile, fetch: fetchKeys },
          onFetch: (partner, error) => {
            const outcome = error === null ? 'fetched' : error.code;
            metrics.count('segy_idm_key_fetches_total', { partner, outcome });
            if (error !== null) {
              const { code, message } = error;
              log.warn('idm.keys.failed', { partner, code, message });
            }
          },
        },
      ),
    ];
  });
}

async function fetchKeys(request: OutgoingRequest, tls: PinnedTls): Promise<Uint8Array> {
  const bounds = { timeoutMs: FETCH_MS, maxOctets: MAX_KEY_SET };
  const { status, body } = await httpsFetch(request, tls, bounds);
  if (status !== 200)
    throw new SegyError('SEGY_E_PARTNER_IDM', `the key set is answered ${status}`);
  return body;
}
