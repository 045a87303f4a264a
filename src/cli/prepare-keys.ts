/**
 * What is made before the first call asks for it: the tables of the domains, those of the represented
 * users as far as they fit, and the key sets of this period and its neighbours.
 */
import type { Credentials } from '../clients/index.js';
import type { SlowCrypto } from '../crypto/index.js';
import type { SegyConfig } from '../config/index.js';
import type { KmsCertificate, TrustStore } from '../kms/index.js';

/** What the lines of one RSK take in one worker, in octets. */
const RECEIVER_TABLE_OCTETS = 400_000;
const MIN_RECEIVER_TABLES = 4;
/** Part of the tables left to users who were not prepared, so that they do not push out each other. */
const SPARE = 1 / 8;

/** Tables of receivers that each crypto worker keeps within the memory that the configuration grants all. */
export function receiverTables(limits: {
  readonly cryptoWorkers: number;
  readonly cryptoTableMegabytes: number;
}): number {
  const octets = (limits.cryptoTableMegabytes * 1_000_000) / limits.cryptoWorkers;
  return Math.max(MIN_RECEIVER_TABLES, Math.floor(octets / RECEIVER_TABLE_OCTETS));
}

/** Certificates under which messages to partners are made. */
export function trustedCertificates(config: SegyConfig, trust: TrustStore): KmsCertificate[] {
  const partners = new Set(config.partners.map(({ name }) => name));
  return trust
    .list()
    .filter(({ certificate, partner }) => partners.has(partner) && !certificate.revoked)
    .map(({ certificate }) => certificate);
}

export interface PrepareOptions {
  readonly slow: Pick<SlowCrypto, 'prepare'>;
  readonly credentials: Pick<Credentials, 'forPeriodOf' | 'prepare' | 'recentFirst'>;
  /** MC service IDs of the represented users */
  readonly users: Iterable<string>;
  readonly own: KmsCertificate;
  readonly trusted: readonly KmsCertificate[];
  /** receiver tables that a worker keeps */
  readonly tables: number;
  /** times whose key periods calls will be in until the next preparation, in Unix milliseconds */
  readonly now: number;
  readonly nextAt: number;
}

/**
 * Users who were last active come first, and no more tables are made than are kept, since every
 * further one would push out one that was just made.
 * @returns users whose tables are made
 */
export async function prepareKeys(options: PrepareOptions): Promise<number> {
  const { slow, credentials, own, trusted, now, nextAt } = options;
  await slow.prepare({ z: own.pubEncKey });
  for (const { pubEncKey } of trusted) await slow.prepare({ z: pubEncKey });
  const users = credentials.recentFirst(options.users);
  let free = Math.floor(options.tables * (1 - SPARE));
  let prepared = 0;
  for (const user of users) {
    // The later time is in the next key period once its beginning is near.
    const keySets = new Set([
      await credentials.forPeriodOf(user, now),
      await credentials.forPeriodOf(user, nextAt),
    ]);
    free -= keySets.size;
    if (free < 0) break;
    for (const { rsk, userId } of keySets) {
      await slow.prepare({ z: own.pubEncKey, id: userId, rsk });
    }
    prepared += 1;
  }
  // Those used last come last, where the bound on key sets forgets the first.
  await credentials.prepare(users.reverse());
  return prepared;
}
