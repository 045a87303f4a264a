/**
 * Key sets of the domain's users, minted once per user and period and then kept sealed, so that a
 * restart costs no minting and a user signs with one PVT all period long.
 */
import { createHash } from 'node:crypto';
import type { Clock, Log } from '../base/environment.js';
import { concatBytes, toHex, wipe } from '../base/bytes.js';
import type { RecordSpace } from '../base/records.js';
import { SegyError, toSegyError } from '../base/errors.js';
import { eccsiValidate } from '../crypto/index.js';
import type { SlowOptions } from '../crypto/index.js';
import type { KmsCertificate, KmsKeySet } from './certificate.js';
import type { SecurityDomain } from './domain.js';
import { periodAt } from './identity.js';
import { keySetOf } from './key-set.js';

const RSK_OCTETS = 257;
const SSK_OCTETS = 32;
const PVT_OCTETS = 65;
const DEFAULT_GRACE_MS = 86_400_000;

export interface CredentialCacheOptions {
  readonly domain: SecurityDomain;
  readonly records: RecordSpace;
  readonly clock: Clock;
  readonly log: Log;
  /** how long the key sets of a period are kept after its end, for late messages (default a day) */
  readonly graceMs?: number;
}

/** A key set that is being minted or read, and how many wait for it. */
interface Minting {
  readonly octets: Promise<Uint8Array>;
  waiting: number;
}

export class CredentialCache {
  readonly #options: CredentialCacheOptions;
  readonly #minting = new Map<string, Minting>();
  /** sets the key sets of one pair of master secrets apart from those of another */
  readonly #generation: string;

  constructor(options: CredentialCacheOptions) {
    this.#options = options;
    const { pubEncKey, pubAuthKey } = options.domain.certificate;
    const digest = createHash('sha256').update(pubEncKey).update(pubAuthKey).digest();
    this.#generation = toHex(digest.subarray(0, 8));
  }

  get certificate(): KmsCertificate {
    return this.#options.domain.certificate;
  }

  /**
   * The key set of `userUri` for a key period: the sealed one, or a fresh one that is sealed before
   * it is handed out. The octets are the caller's to wipe.
   * @throws SegyError SEGY_E_STORE, SEGY_E_BUSY, SEGY_E_CANCELLED
   */
  async issue(userUri: string, keyPeriodNo: bigint, options?: SlowOptions): Promise<KmsKeySet> {
    const name = `${this.#generation}/${keyPeriodNo}/${userUri}`;
    const joined = this.#minting.get(name);
    const minting = joined ?? {
      octets: this.#fetch(name, userUri, keyPeriodNo, options),
      waiting: 0,
    };
    if (joined === undefined) this.#minting.set(name, minting);
    minting.waiting += 1;
    try {
      const octets = await minting.octets;
      const keySet = this.#keySet(userUri, keyPeriodNo, octets);
      if (minting.waiting === 1) wipe(octets);
      return keySet;
    } catch (error) {
      // Whoever began it gave up; that is no reason for those who joined.
      const isOthers = joined !== undefined && options?.signal?.aborted !== true;
      if (!isOthers || toSegyError(error).code !== 'SEGY_E_CANCELLED') throw error;
    } finally {
      minting.waiting -= 1;
      if (this.#minting.get(name) === minting) this.#minting.delete(name);
    }
    return this.issue(userUri, keyPeriodNo, options);
  }

  /**
   * Mints what is missing for `userUris` in this period and the next, one after the other, and
   * drops what is past its grace.
   * @returns how many key sets were minted or read
   */
  async prepare(userUris: Iterable<string>, signal?: AbortSignal): Promise<number> {
    const now = periodAt(this.certificate, this.#options.clock.now());
    let count = 0;
    for (const userUri of userUris) {
      for (const keyPeriodNo of [now, now + 1n]) {
        if (signal?.aborted === true) return count;
        const keySet = await this.issue(userUri, keyPeriodNo, { ...(signal && { signal }) });
        wipe(keySet.rsk, keySet.ssk);
        count += 1;
      }
    }
    await this.prune();
    return count;
  }

  /** Removes key sets of periods that ended longer ago than the grace. @returns how many */
  async prune(): Promise<number> {
    const { records, clock, graceMs = DEFAULT_GRACE_MS } = this.#options;
    const listing = await records.all();
    for (const { value } of listing.records) wipe(value);
    const oldest = periodAt(this.certificate, clock.now() - graceMs);
    const gone = listing.records.filter(({ key }) => {
      const period = /^[0-9a-f]{16}\/(\d+)\//.exec(key)?.[1];
      return period === undefined || BigInt(period) < oldest;
    });
    await records.write(gone.map(({ key }) => ({ key })));
    return gone.length;
  }

  async #fetch(
    name: string,
    userUri: string,
    keyPeriodNo: bigint,
    options?: SlowOptions,
  ): Promise<Uint8Array> {
    const { records, domain } = this.#options;
    const sealed = await this.#readSealed(name, userUri, keyPeriodNo);
    if (sealed !== undefined) return sealed;
    const { rsk, ssk, pvt } = await domain.issue(userUri, keyPeriodNo, options);
    const octets = concatBytes(rsk, ssk, pvt);
    wipe(rsk, ssk);
    try {
      await records.put(name, octets);
    } catch (error) {
      wipe(octets);
      throw error;
    }
    return octets;
  }

  /** A damaged record is minted anew: nothing is lost by that. */
  async #readSealed(
    name: string,
    userUri: string,
    keyPeriodNo: bigint,
  ): Promise<Uint8Array | undefined> {
    try {
      const octets = await this.#options.records.get(name);
      if (octets?.length !== RSK_OCTETS + SSK_OCTETS + PVT_OCTETS) return undefined;
      const { userId: id, ssk, pvt } = this.#keySet(userUri, keyPeriodNo, octets);
      const valid = eccsiValidate({ kpak: this.certificate.pubAuthKey, id, ssk, pvt });
      wipe(ssk);
      if (valid) return octets;
      wipe(octets);
      return undefined;
    } catch (error) {
      if (!(error instanceof SegyError) || error.code !== 'SEGY_E_STORE') throw error;
      this.#options.log.warn('credentials.record.refused', { reason: error.message });
      return undefined;
    }
  }

  #keySet(userUri: string, keyPeriodNo: bigint, octets: Uint8Array): KmsKeySet {
    const sskAt = RSK_OCTETS;
    const pvtAt = RSK_OCTETS + SSK_OCTETS;
    return keySetOf(this.certificate, userUri, keyPeriodNo, {
      rsk: octets.slice(0, sskAt),
      ssk: octets.slice(sskAt, pvtAt),
      pvt: octets.slice(pvtAt),
    });
  }
}
