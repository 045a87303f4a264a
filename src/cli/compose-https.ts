/**
 * The HTTPS listener of the running gateway: the IdM, and the group documents for the holders of its
 * access tokens.
 */
import { ClientLimits, HttpsListener } from '../https/index.js';
import type { ClientRate, HttpRoute, ListenerTls } from '../https/index.js';
import type { AuditLog } from '../audit/index.js';
import type { Environment } from '../base/environment.js';
import type { HttpsConfig, SegyConfig } from '../config/index.js';
import { DocumentGuard, GroupChanges, GroupUsage } from '../gms/index.js';
import type { AccessTokens } from '../gms/index.js';
import { checkTlsIdentity } from '../sip/index.js';
import { XcapServer } from '../xcap/index.js';
import type { RunningGms } from './compose-gms.js';
import { readTlsFile } from './tls-files.js';

export interface HttpsParts {
  /** the configuration in force changes with a reload */
  readonly config: { readonly current: SegyConfig };
  readonly env: Environment;
  readonly audit: AuditLog;
  readonly gms: RunningGms | null;
  /** null where the configuration has no IdM */
  readonly idm: RunningIdm | null;
}

/** Our IdM, as far as the listener is concerned. */
export interface RunningIdm {
  readonly guard: AccessTokens;
  readonly routes: readonly HttpRoute[];
}

/** What of it a reload changes. */
export interface ReloadableHttps {
  /**
   * Reads the certificate and key of `next`.
   * @returns puts them in force for connections from then on
   * @throws SegyError SEGY_E_CONFIG, SEGY_E_IO where they cannot be used
   */
  prepare(next: SegyConfig): () => void;
}

/** For a gateway without HTTPS. */
const NOTHING_TO_RELOAD: ReloadableHttps = { prepare: () => () => undefined };

/**
 * Opens the listener where the configuration has one.
 * @param closers gets what ends it
 * @throws SegyError SEGY_E_CONFIG, SEGY_E_IO
 */
export async function openHttps(
  parts: HttpsParts,
  closers: (() => Promise<void> | void)[],
): Promise<ReloadableHttps> {
  const { config, env, idm } = parts;
  const { https } = config.current;
  if (https === undefined) return NOTHING_TO_RELOAD;
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
    routes: [...(idm?.routes ?? []), ...documentRoutes(parts)],
    env,
  });
  closers.push(() => listener.close());
  env.log.info('https.listening', { address, port: listener.port });
  return {
    prepare: (next) => {
      if (next.https === undefined) return () => undefined;
      const tls = tlsOf(next.https);
      checkTlsIdentity(tls);
      return () => listener.setTls(tls);
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

/** The group documents, where they have a root and an IdM whose tokens open them. */
function documentRoutes({ config, env, audit, gms, idm }: HttpsParts): HttpRoute[] {
  const settings = config.current.gms;
  if (settings?.xcapRoot === undefined || gms === null || idm === null) return [];
  const { documents, homeOf } = gms;
  const usage = new GroupUsage({
    groups: gms.gms.groups,
    documents,
    changes: new GroupChanges({ gms: gms.gms, homeOf, audit }),
    homeOf,
    folders: () => config.current.partners.map(({ codePoints }) => codePoints.groupDocumentPath),
  });
  const guard = new DocumentGuard({ tokens: idm.guard, access: settings.documents });
  return [
    new XcapServer({
      root: settings.xcapRoot,
      usages: [usage],
      guard,
      maxDocumentOctets: settings.documents.maxOctets,
      clock: env.clock,
    }),
  ];
}
