/**
 * SPKs shared with one partner (TS 33.180 clauses 5.5, 9.1) and the keys derived from them (F.1.4).
 * Two may be valid at once while they change: what comes names its own, what goes is under the one
 * whose time to send began last.
 */
import { fromHex, toHex, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import type { ProtectionConfig } from '../config/index.js';
import { signallingKey } from '../crypto/index.js';

export interface Spk {
  /** SPK-ID, 4 octets */
  readonly id: Uint8Array;
  /** base64 of the SPK-ID, as KeyName and key-id carry it */
  readonly keyName: string;
  /** 16 or 32 octets */
  readonly key: Uint8Array;
  readonly rand: Uint8Array;
  readonly csId: number;
  /** milliseconds since 1970, as the two below */
  readonly validFrom: number;
  readonly validTo: number;
  readonly sendFrom: number;
}

/** Takes a text of hexadecimal digits from a key file. */
export type ReadKeyFile = (file: string) => string;

/** @throws SegyError SEGY_E_CONFIG when a key file holds anything but one key of the right length */
export function loadSpks(config: ProtectionConfig, read: ReadKeyFile): SpkSet {
  return loadSharedKeys(config.spks, config.spkOctets, read);
}

/**
 * Keys shared by configuration, SPKs or CSKs.
 * @throws SegyError SEGY_E_CONFIG when a key file holds anything but one key of `octets`
 */
export function loadSharedKeys(
  entries: ProtectionConfig['spks'],
  octets: number,
  read: ReadKeyFile,
): SpkSet {
  return new SpkSet(
    entries.map((entry) => {
      const text = read(entry.keyFile).trim();
      if (!/^[0-9a-fA-F]+$/.test(text) || text.length !== 2 * octets) {
        throw new SegyError(
          'SEGY_E_CONFIG',
          `${entry.keyFile} does not hold ${2 * octets} hexadecimal digits`,
        );
      }
      const id = fromHex(entry.id, 'key identifier', 4);
      const validFrom = Date.parse(entry.validFrom);
      return {
        id,
        keyName: Buffer.from(id).toString('base64'),
        key: fromHex(text, 'shared key'),
        rand: fromHex(entry.rand, 'RAND'),
        csId: entry.csId,
        validFrom,
        validTo: Date.parse(entry.validTo),
        sendFrom: entry.sendFrom === undefined ? validFrom : Date.parse(entry.sendFrom),
      };
    }),
  );
}

export class SpkSet {
  readonly #spks: readonly Spk[];

  constructor(spks: readonly Spk[]) {
    this.#spks = spks;
  }

  get all(): readonly Spk[] {
    return this.#spks;
  }

  /**
   * The SPKs that what came may be under: the named one, or without a name every valid one.
   * @throws SegyError SEGY_E_SPK_UNKNOWN, SEGY_E_SPK_VALIDITY, SEGY_E_SPK_NONE
   */
  forReceiving(keyName: string | null, now: number): readonly Spk[] {
    if (keyName === null) {
      const valid = this.#spks.filter((spk) => isValid(spk, now));
      if (valid.length === 0) throw new SegyError('SEGY_E_SPK_NONE', 'no SPK is valid');
      return valid;
    }
    const named = this.#spks.find((spk) => spk.keyName === keyName);
    if (named === undefined) {
      throw new SegyError('SEGY_E_SPK_UNKNOWN', 'the named SPK is not held for the partner');
    }
    if (!isValid(named, now)) {
      throw new SegyError('SEGY_E_SPK_VALIDITY', `SPK ${toHex(named.id)} is not valid now`);
    }
    return [named];
  }

  /** @throws SegyError SEGY_E_SPK_NONE */
  forSending(now: number): Spk {
    const [latest] = this.#spks
      .filter((spk) => isValid(spk, now) && spk.sendFrom <= now)
      .sort((a, b) => b.sendFrom - a.sendFrom);
    if (latest === undefined) throw new SegyError('SEGY_E_SPK_NONE', 'no SPK is valid');
    return latest;
  }

  wipe(): void {
    wipe(...this.#spks.map((spk) => spk.key));
  }
}

function isValid(spk: Spk, now: number): boolean {
  return spk.validFrom <= now && now < spk.validTo;
}

/** Runs `work` with the key derived for one use and wipes the key. */
export function withKey<T>(
  use: 'confidentiality' | 'integrity',
  spk: Spk,
  p0: string,
  work: (key: Uint8Array) => T,
): T {
  const key = signallingKey(use, spk.key, p0, spk.id);
  try {
    return work(key);
  } finally {
    wipe(key);
  }
}
