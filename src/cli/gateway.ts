/**
 * Composition of the running gateway: every part is made here, given its surroundings, and ended in
 * the reverse order. Nothing else in the program knows all of them.
 */
import { readFileSync } from 'node:fs';
import type { PartnerView } from '../base/partner-view.js';
import type { Environment } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import { Credentials, Directory, GroupKeys, PseudoClients, UserRecords } from '../clients/index.js';
import type { SegyConfig } from '../config/index.js';
import { createCryptoPool, EccsiVerifier } from '../crypto/index.js';
import type { SlowCrypto } from '../crypto/index.js';
import { DEFAULT_EDGE_LIMITS, Edge } from '../edge/index.js';
import type { EdgeDependencies, EdgeSettings, PbxPort } from '../edge/index.js';
import { type KeyRing, ReplayRecord, SendingMemory } from '../keys/index.js';
import { CredentialCache } from '../kms/index.js';
import { createMediaEngine } from '../media/index.js';
import { createAriPort, createEslPort } from '../pbx/index.js';
import type { SignallingProtection } from '../protect/index.js';
import { formatHostPort, SipEndpoint } from '../sip/index.js';
import { createDialogRecords } from '../store/index.js';
import { CertificateWatch, certificateFiles } from './certificate-watch.js';
import { makeFloorKeys, needsSignals } from './compose-floor.js';
import { openOperations, startWatchers } from './compose-operations.js';
import type { GatewayEnvironment } from './compose-operations.js';
import { makeDocuments } from './compose-documents.js';
import { composeGms } from './compose-gms.js';
import { openHttps } from './compose-https.js';
import { makeFirstKey, makeTokens, openSigningKeys } from './compose-tokens.js';
import { prepareKeys, receiverTables, trustedCertificates } from './prepare-keys.js';
import { makeProtection, readKeyFile } from './protection.js';
import { watchPartners } from './compose-partners.js';
import { redirectBodies } from './redirect-body.js';
import { mediaAddresses, outerInterfaces } from './interfaces.js';
import { LiveConfig, reloader } from './reload.js';
import type { ReloadResult, ReloadSource } from './reload.js';
import { sendingMemoryOver } from './sending-memory.js';
import { openRing, openState, requireDomain } from './state.js';
import type { State } from './state.js';
import { outgoingTls, readTls } from './tls-files.js';

/** Senders whose ECCSI public key is kept. */
const VERIFIER_CACHE = 4096;
const CONTROL_USER_AGENT = 'MC-Security-Gateway';
/** How often the key sets of the next period are looked after. */
const PREPARE_EVERY_MS = 3_600_000;
/** A thread that gives no sign for so long hangs, in milliseconds. */
const HANG_MS = 10_000;

export interface Gateway {
  readonly edge: Edge;
  /** each partner with the ways to it, and which of them answer */
  partners(): PartnerView[];
  /**
   * Reads the configuration again and puts it in force, or nothing of it.
   * @throws SegyError SEGY_E_CONFIG with what is wrong, SEGY_E_IO; it is logged too
   */
  reload(): Promise<ReloadResult>;
  /** false while a thread of it hangs */
  isHealthy(): boolean;
  stop(): Promise<void>;
}

type Closer = () => Promise<void> | void;

/**
 * Starts everything that `config` describes; resolves when calls can be taken.
 * @param source gives the configuration as it is now, for a reload
 * @throws SegyError of the first part that cannot start; what had started is ended again
 */
export async function startGateway(
  config: SegyConfig,
  env: GatewayEnvironment,
  source: ReloadSource,
): Promise<Gateway> {
  const closers: Closer[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        env.log.error('stop.failed', { message: toSegyError(error).message });
      }
    }
  };
  try {
    return { ...(await compose(config, env, source, closers)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function compose(
  config: SegyConfig,
  env: GatewayEnvironment,
  source: ReloadSource,
  closers: Closer[],
): Promise<Omit<Gateway, 'stop'>> {
  const { log, metrics } = env;
  const watchers = startWatchers(env);
  closers.push(() => watchers.board.stop());
  const slow = createCryptoPool({
    workers: config.limits.cryptoWorkers,
    queueLimit: config.limits.cryptoQueue,
    tables: { receivers: receiverTables(config.limits) },
    log,
    metrics,
    lags: watchers.lags,
  });
  closers.push(() => slow.close());
  const state = await openState(
    { state: config.stateDir, masterKey: config.masterKeyFile },
    { ...env, slow },
  );
  closers.push(() => state.close());
  const sending = await SendingMemory.open(state.store.space('sending'));
  const stored = await UserRecords.open(state.store.space('users'));
  const directory = new Directory([...config.users, ...stored.list()]);
  const live = new LiveConfig(config);
  const { clients, groups, protection, ring, prepare, credentials } = await makeClients(live, env, {
    slow,
    state,
    directory,
    sending,
    closers,
  });
  const floor = makeFloorKeys(config.partners, readKeyFile, env.clock);
  closers.push(() => floor.wipe());
  const media = await createMediaEngine(
    { ...mediaOptions(config), lags: watchers.lags },
    env,
    sendingMemoryOver(sending),
  );
  closers.push(() => media.close());
  const outer = new SipEndpoint({ name: 'outer', env, tls: outgoingTls(config) });
  closers.push(() => outer.close());
  const inner = new SipEndpoint({ name: 'inner', env, userAgent: CONTROL_USER_AGENT });
  closers.push(() => inner.close());
  const pbx = pbxPort(config.pbx, needsSignals(config), env);
  const settings = edgeSettings(config);
  const { addresses, probes } = await watchPartners(config, env, outer, settings.outer.identity);
  closers.push(() => addresses.stop());
  const signingKeys = await openSigningKeys(state, env.clock);
  await makeFirstKey(config, signingKeys);
  const tokens = makeTokens(config, signingKeys, env, watchers.board);
  closers.push(() => tokens.stop());
  const documents = makeDocuments({ env, alarms: watchers.board, tokens, groups });
  closers.push(() => documents.stop());
  const edgeParts: EdgeDependencies = {
    env,
    outer,
    inner,
    media,
    pbx,
    clients,
    groups,
    protection,
    ...{ tokens, documents },
    floor,
    partners: config.partners,
    addresses,
    records: createDialogRecords(state.store.space('dialogs')),
    redirectBody: redirectBodies(requireDomain(state).certificate.kmsUri, env.clock),
    alarms: watchers.board,
    settings,
  };
  const gms =
    config.gms === undefined
      ? null
      : await composeGms(
          {
            ...{ config, gms: config.gms, state, slow, credentials, ring, env },
            adopt: (key) => groups.adopt(key),
            isUser: (name) => directory.byPbxUser(name) !== undefined,
          },
          {
            ...edgeParts,
            get partners() {
              return live.current.partners;
            },
          },
        );
  groups.isHomed = (group) => gms?.home.find(group) !== undefined;
  const edge = new Edge({
    ...edgeParts,
    ...(gms && { homeGroups: gms.home, notifier: gms.notifier }),
  });
  await listen(config, outer, inner);
  await edge.start();
  closers.push(() => edge.stop());
  if (gms !== null) {
    await gms.gms.start();
    closers.push(() => gms.gms.stop());
  }
  const https = await openHttps(
    { config: live, env, alarms: watchers.board, state, gms, signingKeys },
    closers,
  );
  const certificates = new CertificateWatch(env, config.outer.certificateWarningDays);
  certificates.watch(certificateFiles(config));
  closers.push(() => certificates.stop());
  documents.prepare(config.partners)();
  probes.update(config.partners);
  closers.push(() => probes.stop());
  const reload = reloader(source, live, {
    ...{ env, edge, addresses, probes, protection, directory, users: stored, outer, https },
    ...{ certificates, floor, tokens, documents, prepareKeys: prepare },
  });
  await openOperations(
    {
      ...{ env, state, slow, users: stored, directory, ring, gms, signingKeys, idm: https.idm },
      ...{ watchers, edge, media, pbx },
      config: live,
      partners: () => probes.view(),
      commands: { reload: { changes: true, run: reload } },
    },
    closers,
  );
  const isHealthy = (): boolean => watchers.lags.silentMs() < HANG_MS;
  return { edge, partners: () => probes.view(), reload, isHealthy };
}

interface ClientSide {
  readonly clients: PseudoClients;
  readonly groups: GroupKeys;
  readonly protection: SignallingProtection;
  readonly ring: KeyRing;
  /** makes keys ahead, now and from time to time */
  readonly prepare: () => void;
  readonly credentials: Credentials;
}

interface ClientParts {
  readonly slow: SlowCrypto;
  readonly state: State;
  readonly directory: Directory;
  readonly sending: SendingMemory;
  readonly closers: Closer[];
}

async function makeClients(
  live: LiveConfig,
  env: Environment,
  { slow, state, directory, sending, closers }: ClientParts,
): Promise<ClientSide> {
  const { clock, random, log, timers } = env;
  const domain = requireDomain(state);
  const sealed = new CredentialCache({
    domain,
    records: state.store.space('credentials'),
    clock,
    log,
  });
  const credentials = new Credentials(sealed, clock);
  closers.push(() => credentials.wipe());
  const replay = await ReplayRecord.open({ records: state.store.space('replay'), clock, log });
  let timer: ReturnType<typeof timers.setTimeout> | undefined;
  const prepare = (): void => {
    if (timer !== undefined) timers.clearTimeout(timer);
    timer = timers.setTimeout(prepare, PREPARE_EVERY_MS);
    const config = live.current;
    const prepared = prepareKeys({
      slow,
      credentials,
      users: [...directory.users].map((user) => user.uri),
      own: domain.certificate,
      trusted: trustedCertificates(config, state.trust),
      tables: receiverTables(config.limits),
      now: clock.now(),
      nextAt: clock.now() + 2 * PREPARE_EVERY_MS,
    });
    prepared
      .then(() => sealed.prune())
      .catch((error: unknown) => {
        log.warn('keys.prepare.failed', { message: toSegyError(error).message });
      });
  };
  prepare();
  closers.push(() => {
    if (timer !== undefined) timers.clearTimeout(timer);
  });
  const ring = await openRing(state, { clock, timers, log });
  closers.push(() => ring.close());
  const common = {
    directory,
    domain,
    certificates: state.trust,
    replay,
    audit: state.audit,
    slow,
    verifier: new EccsiVerifier({ cacheSize: VERIFIER_CACHE }),
    clock,
  };
  const groups = new GroupKeys({ ...common, keySets: credentials, ring, timers, log, sending });
  closers.push(() => groups.close());
  const protection = makeProtection(live.current, {
    ...common,
    trust: state.trust,
    credentials,
    random,
  });
  closers.push(() => protection.wipe());
  return {
    clients: new PseudoClients({ ...common, credentials, random }),
    groups,
    protection,
    ring,
    prepare,
    credentials,
  };
}

function mediaOptions(config: SegyConfig): Parameters<typeof createMediaEngine>[0] {
  const { inner, outer, limits } = config;
  return {
    workers: limits.mediaWorkers,
    nice: limits.mediaNice,
    outer: {
      address: outer.mediaAddress,
      otherAddresses: mediaAddresses(config).slice(1),
      portMin: outer.mediaPorts[0],
      portMax: outer.mediaPorts[1],
    },
    inner: {
      address: inner.address,
      portMin: inner.mediaPorts[0],
      portMax: inner.mediaPorts[1],
      allowedAddresses: inner.allowedMediaAddresses,
    },
  };
}

async function listen(config: SegyConfig, outer: SipEndpoint, inner: SipEndpoint): Promise<void> {
  for (const [index, { name, contact }] of outerInterfaces(config).entries()) {
    const listener = config.outer.listeners[index];
    if (listener === undefined) continue;
    const { transport, address, port, tls } = listener;
    await outer.listen({
      ...{ name, protocol: transport, address, port },
      ...(contact.host !== address && { advertised: contact }),
      ...(tls && { tls: readTls(tls) }),
    });
  }
  for (const protocol of config.inner.transports) {
    await inner.listen({ protocol, address: config.inner.address, port: config.inner.sipPort });
  }
}

function edgeSettings(config: SegyConfig): EdgeSettings {
  const { inner, pbx, limits } = config;
  const innerContact = { host: inner.address, port: inner.sipPort };
  const interfaces = outerInterfaces(config);
  return {
    outer: {
      interfaces,
      identity: `sip:segy@${formatHostPort({ host: interfaces[0]?.contact.host ?? 'localhost' })}`,
    },
    inner: {
      contacts: Object.fromEntries(inner.transports.map((t) => [t, innerContact])),
      mcBodies: inner.mcBodies,
    },
    pbx: pbx.sip,
    allowedMediaAddresses: inner.allowedMediaAddresses,
    limits: {
      ...DEFAULT_EDGE_LIMITS,
      setupMs: limits.setupSeconds * 1000,
      outboundChannelMs: limits.outboundChannelMs,
      calls: limits.calls,
      silentMs: limits.silentMs,
    },
  };
}

function pbxPort(pbx: SegyConfig['pbx'], signals: boolean, env: Environment): PbxPort {
  if (pbx.type === 'asterisk') {
    const { ari } = pbx;
    return createAriPort({ ...ari, password: readSecret(ari.passwordFile) }, env, { signals });
  }
  const { host, port, passwordFile } = pbx.esl;
  return createEslPort({ host, port, password: readSecret(passwordFile) }, env, { signals });
}

function readSecret(file: string): string {
  const secret = readFileSync(file, 'utf8').trimEnd();
  if (secret === '') throw new SegyError('SEGY_E_CONFIG', `${file} is empty`);
  return secret;
}
