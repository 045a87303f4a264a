/**
 * What of the configuration may change while the gateway runs: users, partners with their groups and
 * key files, and certificates. All or nothing: everything that can fail is done before anything
 * changes. What else differs is named and refused.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Environment } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import type { Directory, UserRecords } from '../clients/index.js';
import type { PartnerConfig, SegyConfig } from '../config/index.js';
import type { Edge, PartnerAddresses, PartnerProbes } from '../edge/index.js';
import type { DocumentsOfPartners } from '../partner-documents/index.js';
import type { PartnerTokens } from '../idm-client/index.js';
import type { SignallingProtection } from '../protect/index.js';
import { checkTlsIdentity } from '../sip/index.js';
import type { SipEndpoint, TlsListenOptions } from '../sip/index.js';
import { certificateFiles } from './certificate-watch.js';
import { needsSignals } from './compose-floor.js';
import type { ConfiguredFloorKeys } from './compose-floor.js';
import type { RunningHttps } from './compose-https.js';
import type { CertificateWatch } from './certificate-watch.js';
import { outgoingTls, readTls } from './tls-files.js';

export interface ReloadParts {
  readonly env: Pick<Environment, 'log'>;
  readonly edge: Pick<Edge, 'update'>;
  readonly addresses: PartnerAddresses;
  readonly probes: PartnerProbes;
  readonly protection: SignallingProtection;
  readonly floor: Pick<ConfiguredFloorKeys, 'prepare'>;
  readonly tokens: Pick<PartnerTokens, 'prepare'>;
  readonly documents: Pick<DocumentsOfPartners, 'prepare'>;
  readonly directory: Directory;
  readonly users: UserRecords;
  readonly outer: SipEndpoint;
  readonly https: Pick<RunningHttps, 'prepare'>;
  readonly certificates: CertificateWatch;
  /** keys of users that are new are made ahead */
  readonly prepareKeys: () => void;
}

/** What a reload did. */
export interface ReloadResult {
  readonly partners: {
    readonly added: readonly string[];
    readonly changed: readonly string[];
    readonly removed: readonly string[];
  };
  readonly users: number;
}

export class LiveConfig {
  #current: SegyConfig;

  constructor(config: SegyConfig) {
    this.#current = config;
  }

  /** the configuration that is in force */
  get current(): SegyConfig {
    return this.#current;
  }

  /**
   * Puts `next` in force.
   * @throws SegyError SEGY_E_CONFIG with every setting that cannot change while calls are up, SEGY_E_IO
   *   for a certificate that cannot be used; the old configuration is in force then
   */
  async reload(next: SegyConfig, parts: ReloadParts): Promise<ReloadResult> {
    const fixed = fixedDifferences(this.#current, next);
    if (fixed.length > 0) {
      const list = fixed.map((path) => `${path} cannot change while the gateway runs: restart it`);
      throw new SegyError('SEGY_E_CONFIG', list.join('\n'));
    }
    const before = this.#current.partners;
    const partners = next.partners.map(
      (partner) => before.find((old) => isDeepStrictEqual(old, partner)) ?? partner,
    );
    const incoming = new Map<string, TlsListenOptions>();
    for (const { address, port, tls } of next.outer.listeners) {
      if (tls !== undefined) incoming.set(`${address} ${port}`, readTls(tls));
    }
    for (const identity of incoming.values()) checkTlsIdentity(identity);
    const outgoing = outgoingTls(next);
    const replaceHttpsTls = parts.https.prepare(next);
    const replaceFloorKeys = parts.floor.prepare(partners);
    const replaceTokens = parts.tokens.prepare(partners);
    const replaceDocuments = parts.documents.prepare(partners);
    const replaceKeys = parts.protection.prepare(partners);

    this.#current = { ...next, partners };
    replaceKeys();
    replaceFloorKeys();
    replaceTokens();
    replaceHttpsTls();
    parts.outer.setTls(outgoing, (address, port) => incoming.get(`${address} ${port}`));
    parts.directory.replace([...next.users, ...parts.users.list()]);
    const resolved = parts.addresses.update(partners);
    parts.edge.update(partners);
    replaceDocuments();
    parts.probes.update(partners);
    parts.certificates.watch(certificateFiles(next));
    parts.prepareKeys();
    const result = { partners: comparePartners(before, partners), users: next.users.length };
    parts.env.log.info('reload.done', { ...result.partners, users: result.users });
    await resolved;
    return result;
  }
}

/** Where a reload gets the configuration. */
export interface ReloadSource {
  /** @throws SegyError SEGY_E_CONFIG */
  read(): SegyConfig;
  /** told when a reload begins and when it has ended, however it did */
  onReload?(begins: boolean): void;
}

/** Reads and reloads, one after the other however often it is asked; a refusal is logged. */
export function reloader(
  source: ReloadSource,
  live: LiveConfig,
  parts: ReloadParts,
): () => Promise<ReloadResult> {
  let last: Promise<unknown> = Promise.resolve();
  const run = async (): Promise<ReloadResult> => {
    source.onReload?.(true);
    try {
      return await live.reload(source.read(), parts);
    } catch (error) {
      const { code, message } = toSegyError(error);
      parts.env.log.error('reload.refused', { code, message });
      throw error;
    } finally {
      source.onReload?.(false);
    }
  };
  return () => {
    const next = last.then(run, run);
    last = next.catch(() => undefined);
    return next;
  };
}

function comparePartners(
  before: readonly PartnerConfig[],
  after: readonly PartnerConfig[],
): ReloadResult['partners'] {
  const names = new Set(before.map(({ name }) => name));
  const kept = new Set(after.map(({ name }) => name));
  return {
    added: after.filter(({ name }) => !names.has(name)).map(({ name }) => name),
    changed: after
      .filter((partner) => names.has(partner.name) && !before.includes(partner))
      .map(({ name }) => name),
    removed: before.filter(({ name }) => !kept.has(name)).map(({ name }) => name),
  };
}

/** Paths of the settings that differ and cannot be reloaded. */
export function fixedDifferences(before: SegyConfig, after: SegyConfig): string[] {
  return differences(fixedPart(before), fixedPart(after), '');
}

function fixedPart(config: SegyConfig): unknown {
  const { outer, https } = config;
  const bound = outer.listeners.map(({ tls, ...listener }) => ({
    ...listener,
    tls: tls && { requestClientCert: tls.requestClientCert },
  }));
  return {
    ...config,
    users: null,
    partners: null,
    'partners[].floor': needsSignals(config),
    outer: { ...outer, listeners: bound },
    https: https && { ...https, tls: { clientCertificates: https.tls.clientCertificates } },
  };
}

function differences(before: unknown, after: unknown, path: string): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isPlain(before) || !isPlain(after)) return [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) =>
    differences(before[key], after[key], path === '' ? key : `${path}.${key}`),
  );
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
