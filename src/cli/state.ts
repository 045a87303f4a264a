/**
 * The state folder as commands and the gateway open it: the sealed store with the security domain
 * and the trusted certificates, and the audit log beside it.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { anchorIn, AuditLog } from '../audit/index.js';
import { silentLog, systemClock, systemRandom, systemTimers } from '../base/environment.js';
import type { Clock, Log, RandomBytes, Timers } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { createInlineCrypto } from '../crypto/index.js';
import type { SlowCrypto } from '../crypto/index.js';
import { KeyRing } from '../keys/index.js';
import { loadDomain, TrustStore } from '../kms/index.js';
import type { SecurityDomain } from '../kms/index.js';
import { openLevelBackend, openStore, readMasterSecret } from '../store/index.js';
import type { MasterSecret, SealedStore, StoreBackend } from '../store/index.js';
import type { StateOptions } from './state-options.js';

/** Name under which a systemd unit loads the master key (LoadCredential=). */
export const CREDENTIAL_NAME = 'segy-master-key';

export interface StateEnvironment {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly slow: SlowCrypto;
}

export interface State {
  readonly backend: StoreBackend;
  readonly store: SealedStore;
  readonly audit: AuditLog;
  readonly trust: TrustStore;
  /** undefined until `segy kms init` */
  readonly domain: SecurityDomain | undefined;
  close(): Promise<void>;
}

export function storeFolder(stateDir: string): string {
  return join(stateDir, 'store');
}

export function auditFolder(stateDir: string): string {
  return join(stateDir, 'audit');
}

export async function storeExists(stateDir: string): Promise<boolean> {
  return access(join(storeFolder(stateDir), 'CURRENT')).then(
    () => true,
    () => false,
  );
}

/** The master secret that the options, or the systemd credential of the service, name. */
export function masterSecretOf(options: StateOptions): Promise<MasterSecret> {
  return readMasterSecret({
    keyFile: options.masterKey,
    passphraseFile: options.passphraseFile,
    credential: CREDENTIAL_NAME,
    credentialsDirectory: process.env.CREDENTIALS_DIRECTORY,
  });
}

export function commandEnvironment(): StateEnvironment {
  return {
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    log: silentLog,
    slow: createInlineCrypto(),
  };
}

/**
 * Opens everything in the state folder; `create` makes what is missing.
 * @throws SegyError SEGY_E_NOT_FOUND, SEGY_E_STORE_LOCKED, SEGY_E_STORE_KEY, SEGY_E_STORE, SEGY_E_AUDIT
 */
export async function openState(
  options: StateOptions,
  environment: StateEnvironment,
  create = false,
): Promise<State> {
  const { clock, random, log, slow } = environment;
  if (!create && !(await storeExists(options.state))) {
    throw new SegyError(
      'SEGY_E_NOT_FOUND',
      `there is no store in ${options.state}; segy kms init makes one`,
    );
  }
  const master = await masterSecretOf(options);
  const backend = await openLevelBackend(storeFolder(options.state), { create });
  const opened: { close(): Promise<void> }[] = [backend];
  try {
    const store = await openStore({ backend, master, random, log, create });
    opened.push(store);
    const folder = auditFolder(options.state);
    const anchor = anchorIn(store.space('audit'));
    const audit = await AuditLog.open({ folder, clock, log, anchor });
    opened.push(audit);
    const domain = await loadDomain(store.space('domain'), { random, slow });
    const trust = await TrustStore.open(store.space('trust'), { clock, log });
    return {
      backend,
      store,
      audit,
      trust,
      domain,
      close: async () => {
        domain?.wipe();
        await audit.close();
        await store.close();
      },
    };
  } catch (error) {
    for (const part of opened.reverse()) await part.close();
    throw error;
  }
}

/** The key ring of the state, for whoever has none open yet; the caller closes it. */
export function openRing(
  { store, domain }: Pick<State, 'store' | 'domain'>,
  { clock, timers, log }: Pick<StateEnvironment, 'clock' | 'timers' | 'log'>,
): Promise<KeyRing> {
  // the T of a group key's message may lie in the current or the previous period
  const messageLifeMs = domain && 2 * Number(domain.certificate.userKeyPeriod) * 1000;
  return KeyRing.open({
    ...{ records: store.space('keys'), clock, timers, log },
    ...(messageLifeMs !== undefined && { messageLifeMs }),
  });
}

/** Opens the state for one command and closes it whatever happens. */
export async function withState<T>(
  options: StateOptions,
  work: (state: State, environment: StateEnvironment) => Promise<T>,
  create = false,
): Promise<T> {
  const environment = commandEnvironment();
  const state = await openState(options, environment, create);
  try {
    return await work(state, environment);
  } finally {
    await state.close();
  }
}

/** @throws SegyError SEGY_E_NOT_FOUND before `segy kms init` */
export function requireDomain(state: State): SecurityDomain {
  if (state.domain === undefined) {
    throw new SegyError('SEGY_E_NOT_FOUND', 'no security domain was made yet: segy kms init');
  }
  return state.domain;
}
