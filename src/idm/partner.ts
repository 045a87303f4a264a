/** A partner of the IdM, made of what the configuration says and the files that it names. */
import { X509Certificate } from 'node:crypto';
import type { JWTVerifyGetKey } from 'jose';
import type { Clock } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import type { CodePoints, SecurityTokensConfig } from '../config/index.js';
import type { OutgoingRequest, PinnedTls } from '../https/index.js';
import type { IdmPartner } from './ports.js';
import { readKeySet } from './public-keys.js';
import { PublishedKeys } from './published-keys.js';

export interface PartnerSource {
  readonly name: string;
  readonly codePoints: CodePoints;
  readonly securityTokens: SecurityTokensConfig;
  readonly hasUser: (serviceId: string) => boolean;
}

export interface PartnerMeans {
  readonly clock: Clock;
  /** @throws SegyError SEGY_E_CONFIG when it cannot be read */
  readonly readFile: (file: string) => Uint8Array;
  /** @throws SegyError when there is no good answer */
  readonly fetch: (request: OutgoingRequest, tls: PinnedTls) => Promise<Uint8Array>;
  readonly onFetch: (partner: string, error: SegyError | null) => void;
}

/** @throws SegyError SEGY_E_CONFIG when a file cannot be read or used */
export function makePartner(source: PartnerSource, means: PartnerMeans): IdmPartner {
  const { securityTokens } = source;
  const clientKeys = new Map<string, JWTVerifyGetKey>();
  for (const { id, keysFile } of securityTokens.clients) {
    if (keysFile !== undefined) clientKeys.set(id, keysOfFile(keysFile, means));
  }
  const { clientAuthorityFile } = securityTokens;
  return {
    ...source,
    tokenKeys: tokenKeys(source, means),
    clientKeys: (id) => clientKeys.get(id),
    clientAuthorities:
      clientAuthorityFile === undefined ? [] : authoritiesOf(clientAuthorityFile, means),
  };
}

function tokenKeys({ name, securityTokens }: PartnerSource, means: PartnerMeans): JWTVerifyGetKey {
  const { keysFile, keysUrl, caFile, certificateSha256, keysRefreshSeconds } = securityTokens;
  if (keysFile !== undefined) return keysOfFile(keysFile, means);
  if (keysUrl === undefined) throw new SegyError('SEGY_E_CONFIG', `${name} has no keys`);
  const tls: PinnedTls = {
    ...(caFile !== undefined && { ca: means.readFile(caFile) }),
    ...(certificateSha256 !== undefined && { certificateSha256 }),
  };
  return new PublishedKeys({
    refreshMs: keysRefreshSeconds * 1000,
    clock: means.clock,
    fetch: () =>
      means.fetch({ url: keysUrl, method: 'GET', headers: { Accept: 'application/json' } }, tls),
    onFetch: (error) => means.onFetch(name, error),
  }).find;
}

function keysOfFile(file: string, { readFile }: PartnerMeans): JWTVerifyGetKey {
  try {
    return readKeySet(readFile(file));
  } catch (cause) {
    const { message } = toSegyError(cause);
    throw new SegyError('SEGY_E_CONFIG', `${file}: ${message}`, { cause });
  }
}

function authoritiesOf(file: string, { readFile }: PartnerMeans): X509Certificate[] {
  const text = Buffer.from(readFile(file)).toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    const authorities = blocks.map((block) => new X509Certificate(block));
    if (authorities.length > 0 && authorities.every(({ ca }) => ca)) return authorities;
  } catch {
    // said below
  }
  throw new SegyError('SEGY_E_CONFIG', `${file} holds no certificates of authorities`);
}
