/**
 * The HTTPS listener of the running gateway: the IdM, and the group documents for the holders of its
 * access tokens.
 */
import { ClientLimits, HttpsListener } from '../https/index.js';
import type { ClientRate, HttpRoute, ListenerTls } from '../https/index.js';
import type { Alarms } from '../base/alarms.js';
import type { Environment } from '../base/environment.js';
import { rollRootOf } from '../config/index.js';
import type { HttpsConfig, SegyConfig } from '../config/index.js';
import {
  DocumentGuard,
  DocumentThread,
  GroupChanges,
  GroupUsage,
  RollRoute,
} from '../gms/index.js';
import type { StatementKeys } from '../idm-client/index.js';
import { checkTlsIdentity } from '../sip/index.js';
import { XcapServer } from '../xcap/index.js';
import type { RunningGms } from './compose-gms.js';
import { composeIdm } from './compose-idm.js';
import type { RunningIdm } from './compose-idm.js';
import type { State } from './state.js';
import { readTlsFile } from './tls-files.js';

export interface HttpsParts {
  /** the configuration in force changes with a reload */
  readonly config: { readonly current: SegyConfig };
  readonly env: Environment;
  readonly alarms: Alarms;
  readonly state: State;
  readonly gms: RunningGms | null;
  /** what signs for our users towards partners, who find its public keys beside the IdM's */
  readonly signingKeys: Pick<StatementKeys, 'jwks'>;
}

export interface RunningHttps {
  /** null where the configuration has none */
  readonly idm: RunningIdm | null;
  /**
   * Reads the certificate and key of `next`, and what the IdM needs of its partners.
   * @returns puts them in force, the certificate for connections from then on
   * @throws SegyError SEGY_E_CONFIG, SEGY_E_IO where they cannot be used
   */
  prepare(next: SegyConfig): () => void;
}

/** A gateway without HTTPS. */
const NOTHING: RunningHttps = { idm: null, prepare: () => () => undefined };

/**
 * Opens the listener where the configuration has one.
 * @param closers gets what ends it
 * @throws SegyError SEGY_E_CONFIG, SEGY_E_IO
 */
export async function openHttps(
  parts: HttpsParts,
  closers: (() => Promise<void> | void)[],
): Promise<RunningHttps> {
  const { config, state, env, alarms, signingKeys } = parts;
  const { https } = config.current;
  if (https === undefined) return NOTHING;
  const idm = await composeIdm({
    ...{ config: config.current, state, env, alarms },
    tokenKeys: () => signingKeys.jwks().keys,
  });
  closers.push(() => idm?.close());
  const { address, port, limits } = https;
  const listener = await HttpsListener.open({
    address,
    port,
    tls: tlsOf(https),
    limits: {
      headerOctets: limits.headerOctets,
      handshakeMs: limits.handshakeSeconds * 1000,
      headerMs: limits.headerSeconds * 1000,
      requestMs: limits.requestSeconds * 1000,
      idleMs: limits.idleSeconds * 1000,
      requestsPerConnection: limits.requestsPerConnection,
      parallel: limits.parallel,
    },
    clients: clientLimits(https, env),
    routes: [...(idm?.routes ?? []), ...documentRoutes(parts, idm, closers)],
    env,
  });
  closers.push(() => listener.close());
  env.log.info('https.listening', { address, port: listener.port });
  return {
    idm,
    prepare: (next) => {
      const tls = tlsOf(next.https ?? https);
      checkTlsIdentity(tls);
      const replacePartners = idm?.prepare(next.partners);
      return () => {
        listener.setTls(tls);
        replacePartners?.();
      };
    },
  };
}

function tlsOf({ tls }: HttpsConfig): ListenerTls {
  return {
    cert: readTlsFile(tls.certFile),
    key: readTlsFile(tls.keyFile),
    ...(tls.caFile !== undefined && { ca: readTlsFile(tls.caFile) }),
    clientCertificates: tls.clientCertificates,
    least: tls.minVersion === 'TLSv1.3' ? '1.3' : '1.2',
  };
}

function clientLimits({ rate, known, limits }: HttpsConfig, env: Environment): ClientLimits {
  return new ClientLimits(
    {
      anyone: rate,
      known: new Map(known.map(({ address, ...own }): [string, ClientRate] => [address, own])),
      handshakesPerSecond: limits.handshakesPerSecond,
      connections: limits.connections,
      remembered: limits.remembered,
    },
    env.clock,
  );
}

/** Group documents and rolls of their keys, where they have a root and an IdM whose tokens open them. */
function documentRoutes(
  { config, state, env, gms }: HttpsParts,
  idm: RunningIdm | null,
  closers: (() => Promise<void> | void)[],
): HttpRoute[] {
  const settings = config.current.gms;
  if (settings?.xcapRoot === undefined || gms === null || idm === null) return [];
  const { documents, homeOf } = gms;
  const thread = new DocumentThread(env.log);
  closers.push(() => thread.close());
  const changes = new GroupChanges({ gms: gms.gms, homeOf, audit: state.audit });
  const usage = new GroupUsage({
    groups: gms.gms.groups,
    documents,
    changes,
    readLarge: thread.read,
    homeOf,
    folders: () => config.current.partners.map(({ codePoints }) => codePoints.groupDocumentPath),
  });
  const guard = new DocumentGuard({ tokens: idm.guard, access: settings.documents });
  return [
    new RollRoute({
      root: rollRootOf(settings.rollRoot, settings.xcapRoot),
      gms: gms.gms,
      changes,
      guard,
    }),
    new XcapServer({
      root: settings.xcapRoot,
      usages: [usage],
      guard,
      maxDocumentOctets: settings.documents.maxOctets,
      large: thread,
      clock: env.clock,
    }),
  ];
}
