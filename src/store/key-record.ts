/**
 * The data keys of a store, wrapped under the master key in one record:
 *
 *   octets  field
 *   8       "SEGYKEY1"
 *   1       how the wrapping key comes about: 0 the master key itself, 1 scrypt of a passphrase
 *   1 1 1   scrypt: log2 N, r, p (zero for 0)
 *   16      scrypt salt (zero for 0)
 *   12      nonce
 *   n + 16  AES-256-GCM of: current id (4), then for each data key id (4) and key (32); tag
 *
 * All before the nonce is additional data. Reading it is the test of the master key.
 */
import { createCipheriv, createDecipheriv, scryptSync } from 'node:crypto';
import type { RandomBytes } from '../base/environment.js';
import { bytesToUint, concatBytes, equalBytes, uintToBytes, utf8, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import type { MasterSecret } from './master-key.js';

const MAGIC = utf8('SEGYKEY1');
const KEY_OCTETS = 32;
const SALT_OCTETS = 16;
const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;
const HEADER_OCTETS = MAGIC.length + 4 + SALT_OCTETS;
const KIND_KEY = 0;
const KIND_SCRYPT = 1;
/** What an unauthenticated header may make us compute: 1 GiB of memory at most. */
const MAX_LOG_N = 20;
const MAX_R_TIMES_P = 8;

export interface ScryptCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** 128 MiB and about half a second. */
export const DEFAULT_SCRYPT_COST: ScryptCost = { logN: 17, r: 8, p: 1 };

/** Data keys by id; the current one seals, the others only open until a rekey is finished. */
export class DataKeys {
  readonly #keys: ReadonlyMap<number, Uint8Array>;
  readonly current: number;

  constructor(keys: ReadonlyMap<number, Uint8Array>, current: number) {
    if (!keys.has(current)) throw new SegyError('SEGY_E_INTERNAL', 'no current data key');
    this.#keys = keys;
    this.current = current;
  }

  static create(random: RandomBytes): DataKeys {
    return new DataKeys(new Map([[1, random(KEY_OCTETS)]]), 1);
  }

  get ids(): number[] {
    return [...this.#keys.keys()];
  }

  find(id: number): Uint8Array | undefined {
    return this.#keys.get(id);
  }

  /** The current data key, which also authenticates backups. */
  get currentKey(): Uint8Array {
    const key = this.#keys.get(this.current);
    if (key === undefined) throw new SegyError('SEGY_E_INTERNAL', 'no current data key');
    return key;
  }

  withNew(random: RandomBytes): DataKeys {
    const id = Math.max(...this.#keys.keys()) + 1;
    return new DataKeys(new Map([...this.#keys, [id, random(KEY_OCTETS)]]), id);
  }

  onlyCurrent(): DataKeys {
    return new DataKeys(new Map([[this.current, this.currentKey]]), this.current);
  }

  wipe(): void {
    wipe(...this.#keys.values());
  }
}

/** Wraps `keys` under `master`. */
export function writeKeyRecord(
  keys: DataKeys,
  master: MasterSecret,
  random: RandomBytes,
  cost: ScryptCost = DEFAULT_SCRYPT_COST,
): Uint8Array {
  const header =
    master.kind === 'key'
      ? concatBytes(MAGIC, Uint8Array.of(KIND_KEY, 0, 0, 0), new Uint8Array(SALT_OCTETS))
      : concatBytes(
          MAGIC,
          Uint8Array.of(KIND_SCRYPT, cost.logN, cost.r, cost.p),
          random(SALT_OCTETS),
        );
  const plaintext = concatBytes(
    uintToBytes(keys.current, 4),
    ...keys.ids.flatMap((id) => [uintToBytes(id, 4), keys.find(id) ?? new Uint8Array()]),
  );
  const nonce = random(NONCE_OCTETS);
  const wrapping = wrappingKey(header, master);
  try {
    const cipher = createCipheriv('aes-256-gcm', wrapping, nonce);
    cipher.setAAD(header);
    const body = cipher.update(plaintext);
    cipher.final();
    return concatBytes(header, nonce, body, cipher.getAuthTag());
  } finally {
    wipe(wrapping, plaintext);
  }
}

/** @throws SegyError SEGY_E_STORE_KEY when `master` does not open the record */
export function readKeyRecord(record: Uint8Array, master: MasterSecret): DataKeys {
  if (
    record.length < HEADER_OCTETS + NONCE_OCTETS + 4 + 4 + KEY_OCTETS + TAG_OCTETS ||
    !equalBytes(record.subarray(0, MAGIC.length), MAGIC)
  ) {
    throw new SegyError('SEGY_E_STORE_KEY', 'the key record of the store is damaged');
  }
  const header = record.subarray(0, HEADER_OCTETS);
  const wrapping = wrappingKey(header, master);
  const nonce = record.subarray(HEADER_OCTETS, HEADER_OCTETS + NONCE_OCTETS);
  let plaintext: Uint8Array;
  try {
    const decipher = createDecipheriv('aes-256-gcm', wrapping, nonce, {
      authTagLength: TAG_OCTETS,
    });
    decipher.setAAD(header);
    decipher.setAuthTag(record.subarray(record.length - TAG_OCTETS));
    plaintext = decipher.update(
      record.subarray(HEADER_OCTETS + NONCE_OCTETS, record.length - TAG_OCTETS),
    );
    decipher.final();
  } catch (cause) {
    throw new SegyError(
      'SEGY_E_STORE_KEY',
      'the master key does not open this store: it is another one, or the key record is damaged',
      { cause },
    );
  } finally {
    wipe(wrapping);
  }
  try {
    return parseKeys(plaintext);
  } finally {
    wipe(plaintext);
  }
}

function parseKeys(plaintext: Uint8Array): DataKeys {
  const keys = new Map<number, Uint8Array>();
  for (let at = 4; at + 4 + KEY_OCTETS <= plaintext.length; at += 4 + KEY_OCTETS) {
    const id = Number(bytesToUint(plaintext.subarray(at, at + 4)));
    keys.set(id, Uint8Array.from(plaintext.subarray(at + 4, at + 4 + KEY_OCTETS)));
  }
  return new DataKeys(keys, Number(bytesToUint(plaintext.subarray(0, 4))));
}

function wrappingKey(header: Uint8Array, master: MasterSecret): Uint8Array {
  const [kind = 0, logN = 0, r = 0, p = 0] = header.subarray(MAGIC.length);
  if (kind !== (master.kind === 'key' ? KIND_KEY : KIND_SCRYPT)) {
    throw new SegyError(
      'SEGY_E_STORE_KEY',
      kind === KIND_SCRYPT
        ? 'this store was sealed under a passphrase, not a key file'
        : 'this store was sealed under a key file, not a passphrase',
    );
  }
  if (master.kind === 'key') return Uint8Array.from(master.key);
  if (logN < 10 || logN > MAX_LOG_N || r < 1 || p < 1 || r * p > MAX_R_TIMES_P) {
    throw new SegyError('SEGY_E_STORE_KEY', 'the key record names impossible scrypt costs');
  }
  const N = 2 ** logN;
  return scryptSync(master.passphrase, header.subarray(MAGIC.length + 4), KEY_OCTETS, {
    N,
    r,
    p,
    maxmem: 256 * N * r,
  });
}
