/**
 * Certificates of partner domains, each bound to one partner by an operator who compared its
 * fingerprint. A KMS URI has one entry; what it holds changes only by an explicit replacement.
 */
import type { Clock, Log } from '../base/environment.js';
import type { RecordSpace } from '../base/records.js';
import { SegyError } from '../base/errors.js';
import { certificateFault } from './certificate.js';
import { checkKmsCertificate } from './identity.js';
import type { KmsCertificate } from './certificate.js';
import { fingerprintMatches, fingerprintOf } from './fingerprint.js';
import type { Fingerprint } from './fingerprint.js';
import { readTrustRecord, writeTrustRecord } from './trust-record.js';
import type { TrustRecord } from './trust-record.js';

export interface TrustEntry {
  /** the certificate to use now; its `revoked` is true once the operator revoked the entry */
  readonly certificate: KmsCertificate;
  /** replaces it when its validity begins */
  readonly next?: KmsCertificate;
  readonly partner: string;
  readonly fingerprint: Fingerprint;
  readonly addedAt: Date;
  readonly revokedAt?: Date;
}

export interface AddTrustOptions {
  /** the partner whose users this KMS keys */
  readonly partner: string;
  /** as the operator read it over a second channel, hex or words; compared before anything is kept */
  readonly fingerprint?: string;
  /** lets a different certificate or another partner take the place of the present one */
  readonly replace?: boolean;
  /** our own KMS URI, which no partner may claim */
  readonly ownKmsUri?: string;
  /** called when nothing speaks against it, before it is kept; where that fails, nothing is kept */
  readonly announce?: () => Promise<void>;
}

export class TrustStore {
  readonly #records: RecordSpace;
  readonly #clock: Clock;
  readonly #entries = new Map<string, TrustRecord>();
  /** keys of entries that are damaged in the store */
  readonly refused: readonly string[];

  private constructor(records: RecordSpace, clock: Clock, refused: readonly string[]) {
    this.#records = records;
    this.#clock = clock;
    this.refused = refused;
  }

  /** Loads every entry that is whole; the others are named in `refused` and serve nobody. */
  static async open(
    records: RecordSpace,
    environment: { readonly clock: Clock; readonly log: Log },
  ): Promise<TrustStore> {
    const listing = await records.all();
    const refused = [...listing.refused];
    const entries = new Map<string, TrustRecord>();
    for (const { key, value } of listing.records) {
      try {
        entries.set(key, readTrustRecord(value, key));
      } catch (error) {
        environment.log.error('trust.entry.refused', {
          kmsUri: key,
          reason: error instanceof Error ? error.message : String(error),
        });
        refused.push(key);
      }
    }
    const store = new TrustStore(records, environment.clock, refused);
    for (const [key, entry] of entries) store.#entries.set(key, entry);
    return store;
  }

  /** The entry of a KMS URI, compared verbatim. */
  find(kmsUri: string): TrustEntry | undefined {
    const record = this.#entries.get(kmsUri);
    return record && this.#view(record);
  }

  list(): TrustEntry[] {
    return [...this.#entries.keys()].sort().flatMap((kmsUri) => this.find(kmsUri) ?? []);
  }

  /**
   * Trusts `certificate` as a KMS of one partner; on disk when it resolves. The same certificate
   * for the same partner again changes nothing.
   * @throws SegyError SEGY_E_KMS_DOCUMENT (revoked, expired, wrong points, Role Migration, our own
   *   KMS URI), SEGY_E_KMS_FINGERPRINT, SEGY_E_KMS_EXISTS, SEGY_E_STORE
   */
  async add(certificate: KmsCertificate, options: AddTrustOptions): Promise<TrustEntry> {
    this.check(certificate, options.ownKmsUri);
    const fingerprint = fingerprintOf(certificate);
    if (
      options.fingerprint !== undefined &&
      !fingerprintMatches(fingerprint, options.fingerprint)
    ) {
      throw new SegyError(
        'SEGY_E_KMS_FINGERPRINT',
        `the certificate of ${certificate.kmsUri} does not have the fingerprint given`,
      );
    }
    const present = this.#entries.get(certificate.kmsUri);
    if (present !== undefined || this.refused.includes(certificate.kmsUri)) {
      if (present && this.#isSame(present, fingerprint, options.partner))
        return this.#view(present);
      if (options.replace !== true) {
        throw new SegyError(
          'SEGY_E_KMS_EXISTS',
          `another certificate, partner or state is held for ${certificate.kmsUri}`,
        );
      }
    }
    const record: TrustRecord = {
      partner: options.partner,
      addedAt: new Date(this.#clock.now()),
      certificates: [...this.#keptBeside(present, certificate, options.partner), certificate],
    };
    await options.announce?.();
    await this.#save(certificate.kmsUri, record);
    return this.#view(record);
  }

  /**
   * What a certificate must be to be trusted, whoever it is for.
   * @throws SegyError SEGY_E_KMS_DOCUMENT
   */
  check(certificate: KmsCertificate, ownKmsUri?: string): void {
    const refuse = (what: string): never => {
      throw new SegyError(
        'SEGY_E_KMS_DOCUMENT',
        `the certificate of ${certificate.kmsUri} ${what}`,
      );
    };
    if (certificate.kmsUri === ownKmsUri) refuse('names our own KMS URI');
    if (certificate.role === 'Migration') refuse('makes us its migration domain');
    const fault = certificateFault(certificate, this.#clock.now());
    if (fault === 'revoked' || fault === 'expired') refuse(`is ${fault}`);
    checkKmsCertificate(certificate);
  }

  /** Marks the entry revoked for good: only a replacement makes this KMS usable again. */
  async revoke(kmsUri: string): Promise<TrustEntry> {
    const present = this.#require(kmsUri);
    if (present.revokedAt !== undefined) return this.#view(present);
    const record = { ...present, revokedAt: new Date(this.#clock.now()) };
    await this.#save(kmsUri, record);
    return this.#view(record);
  }

  async remove(kmsUri: string): Promise<void> {
    if (!this.refused.includes(kmsUri)) this.#require(kmsUri);
    await this.#records.delete(kmsUri);
    this.#entries.delete(kmsUri);
  }

  #require(kmsUri: string): TrustRecord {
    const record = this.#entries.get(kmsUri);
    if (record === undefined) {
      throw new SegyError('SEGY_E_NOT_FOUND', `no certificate is held for ${kmsUri}`);
    }
    return record;
  }

  async #save(kmsUri: string, record: TrustRecord): Promise<void> {
    await this.#records.put(kmsUri, writeTrustRecord(record));
    this.#entries.set(kmsUri, record);
  }

  #isSame(present: TrustRecord, fingerprint: Fingerprint, partner: string): boolean {
    return (
      present.partner === partner &&
      present.revokedAt === undefined &&
      present.certificates.some((held) => fingerprintOf(held).hex === fingerprint.hex)
    );
  }

  /** A certificate that is not valid yet does not push out the one in use until it is. */
  #keptBeside(
    present: TrustRecord | undefined,
    added: KmsCertificate,
    partner: string,
  ): KmsCertificate[] {
    if (present?.partner !== partner || present.revokedAt !== undefined) return [];
    const now = this.#clock.now();
    if (certificateFault(added, now) !== 'not yet valid') return [];
    const { current } = this.#choose(present);
    return certificateFault(current, now) === null ? [current] : [];
  }

  /** The newest certificate whose validity has begun; the one before any has. */
  #choose(record: TrustRecord): { current: KmsCertificate; next: KmsCertificate | undefined } {
    const now = this.#clock.now();
    const begun = record.certificates.filter(
      (certificate) => certificateFault(certificate, now) !== 'not yet valid',
    );
    const current = begun.at(-1) ?? record.certificates[0];
    if (current === undefined) throw new SegyError('SEGY_E_INTERNAL', 'a trust entry is empty');
    const last = record.certificates.at(-1);
    return { current, next: last === current ? undefined : last };
  }

  #view(record: TrustRecord): TrustEntry {
    const { current, next } = this.#choose(record);
    return {
      certificate: record.revokedAt === undefined ? current : { ...current, revoked: true },
      ...(next && { next }),
      partner: record.partner,
      fingerprint: fingerprintOf(current),
      addedAt: record.addedAt,
      ...(record.revokedAt && { revokedAt: record.revokedAt }),
    };
  }
}
