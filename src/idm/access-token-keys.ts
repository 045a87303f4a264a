/**
 * The keys that sign our access tokens: one that signs, and those before it whose tokens may still be
 * alive, which stay in the published set until the last of those tokens is dead. P-256, sealed in the
 * store; what is on disk decides, so that a crash in the middle of a rotation leaves either the old
 * state or the new one.
 */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, createLocalJWKSet, exportJWK } from 'jose';
import type { JSONWebKeySet, JWK, LocalJWKSet } from 'jose';
import { bytesToUint, concatBytes, uintToBytes, wipe } from '../base/bytes.js';
import type { Alarms } from '../base/alarms.js';
import type { Clock, Log, TimerHandle, Timers } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import type { RecordChange, RecordSpace } from '../base/records.js';
import type { IdmAudit } from './ports.js';

/** The one algorithm of our tokens. */
export const SIGNING_ALGORITHM = 'ES256';

const makeKeyPair = promisify(generateKeyPair);
/** A timer's longest wait: further ahead it is set again. */
const LONGEST_WAIT_MS = 86_400_000;
const TRY_AGAIN_MS = 60_000;
/** Beyond the end of the last token, for whoever verifies by a clock that is behind. */
const GRACE_MS = 30_000;
/** Keys kept at once: each rotation by command within the life of a token adds one. */
const MAX_KEYS = 32;

export interface AccessTokenKeysOptions {
  readonly records: RecordSpace;
  readonly audit: IdmAudit;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** `idm-keys` stands while what is due to the keys cannot be done */
  readonly alarms: Alarms;
  /** age at which the key is replaced; null: by command alone */
  readonly rotateMs: number | null;
  /** longest life of any token that these keys sign, now or under an earlier configuration */
  readonly longestTokenMs: number;
}

export interface AccessTokenKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/** One key without its octets. */
export interface AccessTokenKeyView {
  readonly kid: string;
  readonly state: 'signing' | 'retired';
  /** in milliseconds since 1970 */
  readonly madeAt: number;
  /** when it leaves the published set; null while it signs */
  readonly until: number | null;
}

interface KeptKey extends AccessTokenKey {
  readonly jwk: JWK;
  readonly madeAt: number;
  readonly until: number | null;
}

export class AccessTokenKeys {
  readonly #options: AccessTokenKeysOptions;
  #keys: readonly KeptKey[] = [];
  #published: { readonly keys: readonly KeptKey[]; readonly set: LocalJWKSet } | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #timer: TimerHandle | undefined;
  #closed = false;
  /** a write failed, so that what is on disk has to be looked at first */
  #isUnsure = false;

  private constructor(options: AccessTokenKeysOptions) {
    this.#options = options;
  }

  /**
   * The keys of the store; none where none was made yet.
   * @throws SegyError SEGY_E_STORE
   */
  static async open(options: AccessTokenKeysOptions): Promise<AccessTokenKeys> {
    const keys = new AccessTokenKeys(options);
    await keys.#read();
    if (keys.#keys.length > 0) keys.#schedule();
    return keys;
  }

  /** Makes the first key where there is none. @throws SegyError SEGY_E_STORE, SEGY_E_AUDIT */
  async ensure(): Promise<void> {
    if (!this.#keys.some(({ until }) => until === null)) await this.rotate();
  }

  /** The key that signs now. */
  current(): AccessTokenKey {
    const key = this.#keys.findLast(({ until }) => until === null);
    if (key === undefined) throw new SegyError('SEGY_E_INTERNAL', 'no signing key is held');
    return key;
  }

  /** The public keys of all tokens that may be alive. */
  jwks(): JSONWebKeySet {
    return { keys: this.#alive().map(({ jwk }) => jwk) };
  }

  /** Finds the key of a token for jose; of none that left the published set. */
  keySet(): LocalJWKSet {
    const keys = this.#alive();
    const known = this.#published?.keys;
    if (keys.length !== known?.length || keys.some((key, index) => key !== known[index])) {
      const set = createLocalJWKSet({ keys: keys.map(({ jwk }) => jwk) });
      this.#published = { keys, set };
    }
    const published = this.#published;
    if (published === undefined) throw new SegyError('SEGY_E_INTERNAL', 'no signing key is held');
    return published.set;
  }

  list(): AccessTokenKeyView[] {
    return this.#alive().map(({ kid, madeAt, until }) => ({
      kid,
      state: until === null ? 'signing' : 'retired',
      madeAt,
      until,
    }));
  }

  /**
   * Signs with a new key from now on.
   * @param endOld tokens of the keys before open nothing any more, as after a leak
   * @throws SegyError SEGY_E_AUDIT: nothing changed; SEGY_E_STORE: what is on disk is in force; SEGY_E_BUSY
   */
  rotate({ endOld = false } = {}): Promise<AccessTokenKeyView> {
    return this.#inTurn(async () => {
      const { audit, clock, longestTokenMs } = this.#options;
      const now = clock.now();
      const alive = this.#alive();
      if (alive.length >= MAX_KEYS && !endOld) {
        throw new SegyError('SEGY_E_BUSY', `${MAX_KEYS} signing keys are in use already`);
      }
      const made = await makeKey(now);
      await audit.record({ action: 'signing-key-made', detail: made.kid });
      const until = endOld ? now : now + longestTokenMs + GRACE_MS;
      const retired = alive.map((key) => ({ ...key, until: Math.min(key.until ?? until, until) }));
      const gone = this.#keys.filter(({ kid }) => endOld || !alive.some((key) => key.kid === kid));
      const kept = endOld ? [] : retired;
      await this.#write([...kept, made], gone);
      this.#keys = [...kept, made];
      this.#options.alarms.clear('idm-keys', '');
      this.#options.log.info('idm.key.rotated', { kid: made.kid, endOld });
      for (const { kid } of endOld ? retired : []) {
        await audit.record({ action: 'signing-key-retired', detail: `${kid} at once` });
      }
      this.#schedule();
      return { kid: made.kid, state: 'signing', madeAt: now, until: null };
    });
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== undefined) this.#options.timers.clearTimeout(this.#timer);
  }

  #alive(): readonly KeptKey[] {
    const now = this.#options.clock.now();
    return this.#keys.filter(({ until }) => until === null || until > now);
  }

  /** Sets the timer for what is due next: a rotation, or the end of a retired key. */
  #schedule(afterMs = 0): void {
    if (this.#closed) return;
    const { clock, timers, rotateMs } = this.#options;
    const now = clock.now();
    const due = this.#keys.flatMap(({ madeAt, until }) => {
      if (until !== null) return [until];
      return rotateMs === null ? [] : [madeAt + rotateMs];
    });
    const wait = Math.max(afterMs, Math.min(LONGEST_WAIT_MS, ...due.map((at) => at - now)));
    if (this.#timer !== undefined) timers.clearTimeout(this.#timer);
    this.#timer = timers.setTimeout(() => void this.#doWhatIsDue(), Math.max(0, wait));
  }

  async #doWhatIsDue(): Promise<void> {
    const { clock, rotateMs, log, alarms } = this.#options;
    let wait = 0;
    try {
      await this.#removeDead();
      const now = clock.now();
      const signing = this.#keys.find(({ until }) => until === null);
      const isOld =
        signing === undefined || (rotateMs !== null && signing.madeAt + rotateMs <= now);
      if (isOld) await this.rotate();
      alarms.clear('idm-keys', '');
    } catch (error) {
      const { code, message } = toSegyError(error);
      log.error('idm.key.failed', { message });
      alarms.raise('idm-keys', '', `${code} ${message}`);
      wait = TRY_AGAIN_MS;
    }
    this.#schedule(wait);
  }

  #removeDead(): Promise<void> {
    return this.#inTurn(async () => {
      const alive = this.#alive();
      const dead = this.#keys.filter((key) => !alive.includes(key));
      if (dead.length === 0) return;
      await this.#write([], dead);
      this.#keys = alive;
      for (const { kid } of dead) {
        await this.#options.audit.record({ action: 'signing-key-retired', detail: kid });
      }
    });
  }

  /** What is on disk. @throws SegyError SEGY_E_STORE */
  async #read(): Promise<void> {
    const { records, log } = this.#options;
    const all = await records.all();
    for (const kid of all.refused) log.error('idm.key.damaged', { kid });
    const read = await Promise.all(all.records.map(({ key, value }) => readKey(key, value)));
    this.#keys = read.sort((one, other) => one.madeAt - other.madeAt);
    this.#isUnsure = false;
  }

  /** One that fails may have happened: then what is on disk is taken, now or before the next change. */
  async #write(put: readonly KeptKey[], remove: readonly KeptKey[]): Promise<void> {
    try {
      await writeKeys(this.#options.records, put, remove);
    } catch (error) {
      this.#isUnsure = true;
      await this.#read().catch(() => undefined);
      throw error;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(async () => {
      if (this.#isUnsure) await this.#read();
      return work();
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

async function makeKey(madeAt: number): Promise<KeptKey> {
  const { privateKey } = await makeKeyPair('ec', { namedCurve: 'P-256' });
  return keptKey(privateKey, madeAt, null);
}

async function keptKey(
  privateKey: KeyObject,
  madeAt: number,
  until: number | null,
): Promise<KeptKey> {
  const publicJwk = await exportJWK(createPublicKey(privateKey));
  const kid = await calculateJwkThumbprint(publicJwk);
  const jwk = { ...publicJwk, kid, alg: SIGNING_ALGORITHM, use: 'sig' };
  return { kid, privateKey, jwk, madeAt, until };
}

/*
 * Record: 8 octets time of making, 8 octets end (zero while it signs), both in milliseconds since
 * 1970, then PKCS #8.
 */
const TIME = 8;

async function writeKeys(
  records: RecordSpace,
  put: readonly KeptKey[],
  remove: readonly KeptKey[],
): Promise<void> {
  const secrets: Uint8Array[] = [];
  try {
    const changes: RecordChange[] = put.map(({ kid, privateKey, madeAt, until }) => {
      const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
      const value = concatBytes(uintToBytes(madeAt, TIME), uintToBytes(until ?? 0, TIME), pkcs8);
      secrets.push(pkcs8, value);
      return { key: kid, value };
    });
    await records.write([...changes, ...remove.map(({ kid }) => ({ key: kid }))]);
  } finally {
    wipe(...secrets);
  }
}

async function readKey(kid: string, value: Uint8Array): Promise<KeptKey> {
  const madeAt = Number(bytesToUint(value.subarray(0, TIME)));
  const until = Number(bytesToUint(value.subarray(TIME, 2 * TIME)));
  try {
    const key = Buffer.from(value.subarray(2 * TIME));
    const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
    wipe(key);
    const read = await keptKey(privateKey, madeAt, until === 0 ? null : until);
    if (read.kid !== kid) throw new SegyError('SEGY_E_STORE', 'it is another key');
    return read;
  } catch (cause) {
    throw new SegyError('SEGY_E_STORE', `the signing key ${kid} cannot be read`, { cause });
  } finally {
    wipe(value);
  }
}
