/**
 * Composition of the running gateway: every part is made here, given its surroundings, and ended in
 * the reverse order. Nothing else in the program knows all of them.
 */
import type { PartnerView } from '../base/partner-view.js';
import { toSegyError } from '../base/errors.js';
import { Directory, UserRecords } from '../clients/index.js';
import type { SegyConfig } from '../config/index.js';
import { createCryptoPool } from '../crypto/index.js';
import { Edge } from '../edge/index.js';
import type { EdgeDependencies } from '../edge/index.js';
import { SendingMemory } from '../keys/index.js';
import { createMediaEngine } from '../media/index.js';
import { SipEndpoint } from '../sip/index.js';
import { createDialogRecords } from '../store/index.js';
import { CertificateWatch, certificateFiles } from './certificate-watch.js';
import { makeClients } from './compose-clients.js';
import { makeDocuments } from './compose-documents.js';
import { makeFloorKeys, needsSignals } from './compose-floor.js';
import { composeGms } from './compose-gms.js';
import { openHttps } from './compose-https.js';
import { openOperations, startWatchers } from './compose-operations.js';
import type { GatewayEnvironment } from './compose-operations.js';
import { watchPartners } from './compose-partners.js';
import { edgeSettings, listen, mediaOptions, pbxPort } from './compose-sides.js';
import { makeFirstKey, makeTokens, openSigningKeys } from './compose-tokens.js';
import { receiverTables } from './prepare-keys.js';
import { readKeyFile } from './protection.js';
import { redirectBodies } from './redirect-body.js';
import { LiveConfig, reloader } from './reload.js';
import type { ReloadResult, ReloadSource } from './reload.js';
import { sendingMemoryOver } from './sending-memory.js';
import { openState, requireDomain } from './state.js';
import { outgoingTls } from './tls-files.js';

const CONTROL_USER_AGENT = 'MC-Security-Gateway';
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
  const certificates = new CertificateWatch(env, config.alarms.certificateDays);
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
