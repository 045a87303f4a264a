/**
 * A simulated domain on disk, for the commands: `secret` (the KMS's master secrets, mode 0600),
 * `kms-certificate.xml` for a partner to trust, `users` (one MCPTT ID a line) and `trusted/` with the
 * partners' certificates. The secrets of a simulation are not sealed: they protect nothing real.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../base/environment.js';
import { toHex, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import type { SlowCrypto } from '../crypto/index.js';
import { readKmsDocument, SecurityDomain, writeKmsCertificate } from '../kms/index.js';
import type { KmsCertificate } from '../kms/index.js';
import { SimDomain } from './domain.js';

export interface SimDomainNames {
  readonly kmsUri: string;
  /** host names of the domain's users */
  readonly domains: readonly string[];
  /** MCPTT IDs */
  readonly users: readonly string[];
}

const SECRET_FILE = 'secret';
const USERS_FILE = 'users';
export const CERTIFICATE_FILE = 'kms-certificate.xml';
const TRUSTED_FOLDER = 'trusted';
/** 28 days, as TS 33.180 suggests for a user key period. */
const KEY_PERIOD_S = 2_419_200n;
const VALIDITY_MS = 365 * 86_400_000;
const DAY_MS = 86_400_000;

/** A new KMS for a simulated domain, in memory. */
export function createSimKms(
  names: SimDomainNames,
  slow: SlowCrypto,
  env: Environment,
): SecurityDomain {
  const now = env.clock.now();
  return SecurityDomain.create(
    {
      kmsUri: names.kmsUri,
      domains: names.domains,
      userKeyPeriod: KEY_PERIOD_S,
      userKeyOffset: 0n,
      validFrom: new Date(now - DAY_MS),
      validTo: new Date(now + VALIDITY_MS),
    },
    { random: env.random, slow },
  );
}

/** The certificate of a simulated KMS: not one of a security gateway. */
export function simCertificate(kms: SecurityDomain): KmsCertificate {
  return { ...kms.certificate, isSecurityGateway: false };
}

/**
 * Makes a domain in `folder`.
 * @returns its KMS certificate
 * @throws SegyError SEGY_E_KMS_EXISTS when the folder holds one already; SEGY_E_IO
 */
export function createDomainFiles(
  folder: string,
  names: SimDomainNames,
  slow: SlowCrypto,
  env: Environment,
): KmsCertificate {
  if (existsSync(join(folder, SECRET_FILE))) {
    throw new SegyError('SEGY_E_KMS_EXISTS', `${folder} holds a simulated domain already`);
  }
  const kms = createSimKms(names, slow, env);
  const secret = kms.toSecret();
  mkdirSync(join(folder, TRUSTED_FOLDER), { recursive: true });
  writeFileSync(join(folder, SECRET_FILE), secret, { mode: 0o600 });
  writeFileSync(join(folder, CERTIFICATE_FILE), writeKmsCertificate(simCertificate(kms)));
  writeFileSync(join(folder, USERS_FILE), names.users.map((user) => `${user}\n`).join(''));
  wipe(secret);
  kms.wipe();
  return simCertificate(kms);
}

/** Adds a partner's certificates from an Annex D document. @returns their KMS URIs */
export function trustInDomainFiles(folder: string, document: Uint8Array): string[] {
  const { certificates } = readKmsDocument(document);
  for (const certificate of certificates) {
    const name = `${toHex(certificate.pubAuthKey).slice(2, 18)}.xml`;
    writeFileSync(join(folder, TRUSTED_FOLDER, name), writeKmsCertificate(certificate));
  }
  return certificates.map((certificate) => certificate.kmsUri);
}

/** Opens a domain. @throws SegyError SEGY_E_IO, SEGY_E_STORE, SEGY_E_KMS_DOCUMENT */
export function openDomainFiles(
  folder: string,
  slow: SlowCrypto,
  env: Environment,
): { domain: SimDomain; users: string[] } {
  const secret = new Uint8Array(read(folder, SECRET_FILE));
  const kms = SecurityDomain.fromSecret(secret, { random: env.random, slow });
  wipe(secret);
  const trusted = readdirSync(join(folder, TRUSTED_FOLDER)).flatMap(
    (name) => readKmsDocument(read(folder, join(TRUSTED_FOLDER, name))).certificates,
  );
  const users = read(folder, USERS_FILE).toString('utf8').split('\n').filter(Boolean);
  return { domain: new SimDomain({ kms, trusted, slow }, env), users };
}

function read(folder: string, name: string): Buffer {
  try {
    return readFileSync(join(folder, name));
  } catch (cause) {
    throw new SegyError('SEGY_E_IO', `${join(folder, name)} cannot be read`, { cause });
  }
}
