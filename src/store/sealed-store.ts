/**
 * The sealed store: records in namespaces, each sealed under its own name and version, written
 * in groups that are all or nothing and on disk before anyone is told. Writers that come while a
 * group is being synced share the next one.
 */
import type { Log, RandomBytes } from '../base/environment.js';
import { wipe } from '../base/bytes.js';
import type { RecordChange, RecordListing, RecordSpace, StoredRecord } from '../base/records.js';
import { SegyError } from '../base/errors.js';
import type { BackendChange, StoreBackend } from './backend.js';
import { DataKeys } from './key-record.js';
import {
  BUCKETS,
  bucketName,
  bucketOf,
  encodeBucket,
  encodeHead,
  HEAD_NAME,
  RECORD_PREFIX,
  RecordIndex,
} from './record-index.js';
import { loadIndex } from './load-index.js';
import { opens, readSealedHeader, seal, unseal, versionClaimed } from './seal.js';

/** Writers joined into one synced write at most. */
const MAX_GROUP = 256;
const MAX_KEY_LENGTH = 1024;

export interface SealedStoreOptions {
  readonly backend: StoreBackend;
  readonly keys: DataKeys;
  readonly random: RandomBytes;
  readonly log: Log;
}

interface PendingWrite {
  readonly changes: readonly NamedChange[];
  readonly resolve: () => void;
  readonly reject: (error: SegyError) => void;
}

/** A change with the record's full name, which is what it is sealed to. */
export interface NamedChange {
  readonly name: string;
  readonly value?: Uint8Array;
}

export class SealedStore {
  readonly #backend: StoreBackend;
  readonly #random: RandomBytes;
  readonly #log: Log;
  #keys: DataKeys;
  #index: RecordIndex;
  #version = 0;
  #pending: PendingWrite[] = [];
  #tail: Promise<unknown> = Promise.resolve();
  #closed = false;
  #fault: string | null = null;
  /** a write failed since the index was read: it may be on disk or not */
  #torn = false;

  private constructor(options: SealedStoreOptions, schema: number) {
    this.#backend = options.backend;
    this.#keys = options.keys;
    this.#random = options.random;
    this.#log = options.log;
    this.#index = new RecordIndex(schema);
  }

  /** An empty store whose head is on disk when it resolves; `keyChange` is written with it. */
  static async create(
    options: SealedStoreOptions,
    schema: number,
    keyChange: BackendChange,
  ): Promise<SealedStore> {
    const store = new SealedStore(options, schema);
    await store.#commit([], [keyChange]);
    return store;
  }

  /** @throws SegyError SEGY_E_STORE when the head record is damaged (then: `segy store repair`) */
  static async load(options: SealedStoreOptions): Promise<SealedStore> {
    const store = new SealedStore(options, 0);
    await store.#loadIndex();
    return store;
  }

  /**
   * A store whose index is made anew from the records that authenticate, whatever index there was.
   * What does not is set aside under `d/`. The new head is on disk when it resolves.
   * @returns the store and the names of what was set aside
   */
  static async rebuild(
    options: SealedStoreOptions,
    schema: number,
  ): Promise<{ store: SealedStore; setAside: string[] }> {
    const store = new SealedStore(options, schema);
    const buckets = Array.from({ length: BUCKETS }, () => new Map<string, number>());
    const changes: BackendChange[] = [];
    const setAside: string[] = [];
    for await (const { name, value } of options.backend.entries('')) {
      const version = versionClaimed(value, name);
      if (name.startsWith('i/')) changes.push({ name });
      if (name.startsWith(RECORD_PREFIX)) {
        if (version !== undefined && opens(value, name, options.keys)) {
          buckets[bucketOf(name)]?.set(name, version);
        } else {
          setAside.push(name);
          changes.push({ name }, { name: `d/${name}`, value });
        }
      }
      store.#version = Math.max(store.#version, version ?? 0);
    }
    buckets.forEach((entries, bucket) => store.#index.setBucket(bucket, entries, 1));
    await store.#commit([], changes, { allBuckets: true });
    return { store, setAside };
  }

  /** Contents version of the records. */
  get schema(): number {
    return this.#index.schema;
  }

  /** Why the last write failed; null where it did not. */
  get fault(): string | null {
    return this.#fault;
  }

  get keys(): DataKeys {
    return this.#keys;
  }

  /** The records of one namespace (`[a-z][a-z0-9-]*`). */
  space(namespace: string): RecordSpace {
    if (!/^[a-z][a-z0-9-]{0,31}$/.test(namespace)) {
      throw new SegyError('SEGY_E_ARGUMENT', 'a namespace is a short lower-case name');
    }
    const prefix = `${RECORD_PREFIX}${namespace}/`;
    const named = ({ key, value }: RecordChange): NamedChange => ({
      name: prefix + checkKey(key),
      ...(value && { value }),
    });
    return {
      get: (key) => this.read(prefix + checkKey(key)),
      put: (key, value) => this.write([named({ key, value })]),
      delete: (key) => this.write([named({ key })]),
      write: (changes) => this.write(changes.map(named)),
      all: () => this.#all(prefix),
    };
  }

  /** Full names of all records the index knows, sorted. */
  names(prefix: string = RECORD_PREFIX): string[] {
    return this.#index.names(prefix);
  }

  /** @throws SegyError SEGY_E_STORE when the record is not the one last written under `name` */
  async read(name: string): Promise<Uint8Array | undefined> {
    for (;;) {
      this.#refuseClosed();
      const expected = this.#index.versionOf(name);
      if (expected === undefined) return undefined;
      const sealed = await this.#backend.get(name);
      if (expected !== this.#index.versionOf(name)) continue;
      if (sealed === undefined) throw new SegyError('SEGY_E_STORE', `record ${name} is missing`);
      if (readSealedHeader(sealed, name).version !== expected) {
        throw new SegyError('SEGY_E_STORE', `record ${name} is not the one last written`);
      }
      return unseal(sealed, name, this.#keys);
    }
  }

  /** All changes or none; on disk when it resolves. */
  write(changes: readonly NamedChange[]): Promise<void> {
    this.#refuseClosed();
    const copies = changes.map(({ name, value }) => ({
      name,
      ...(value && { value: value.slice() }),
    }));
    return new Promise((resolve, reject) => {
      this.#pending.push({ changes: copies, resolve, reject });
      if (this.#pending.length === 1) void this.exclusively(() => this.#flush());
    });
  }

  /** Runs `work` while nothing is being written. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Seals records anew as they are, the index with them; only inside `exclusively`. */
  async reseal(names: readonly string[]): Promise<void> {
    const changes: NamedChange[] = [];
    for (const name of names) {
      const value = await this.read(name);
      if (value !== undefined) changes.push({ name, value });
    }
    await this.#commit(changes, []);
  }

  /** Replaces the data keys, the key record with them; only inside `exclusively`. */
  async changeKeys(keys: DataKeys, keyChange: BackendChange): Promise<void> {
    if (this.#torn) await this.#mend();
    await this.#writeBackend([keyChange]);
    this.#keys = keys;
  }

  /** Moves superseded octets off the disk; only inside `exclusively`. A failure leaves them there. */
  async compact(): Promise<void> {
    try {
      await this.#backend.compact();
    } catch (error) {
      this.#torn = true;
      this.#log.warn('store.compact.failed', { reason: describe(error) });
    }
  }

  /** Seals every bucket of the index anew; only inside `exclusively`. */
  async resealIndex(): Promise<void> {
    await this.#commit([], [], { allBuckets: true });
  }

  /** Writes `changes` and a new contents version in one step; only inside `exclusively`. */
  async migrate(changes: readonly NamedChange[], schema: number): Promise<void> {
    await this.#commit(changes, [], { schema });
  }

  /** Waits for what was begun, then wipes the keys and lets the back end go. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.exclusively(async () => {
      this.#keys.wipe();
      await this.#backend.close();
    });
  }

  async #loadIndex(): Promise<void> {
    const { index, version } = await loadIndex(this.#backend, this.#keys, this.#log);
    this.#index = index;
    this.#version = Math.max(this.#version, version);
  }

  /** Makes the back end fit to be written again; what it holds then is what counts. */
  async #mend(): Promise<void> {
    try {
      await this.#backend.mend();
      await this.#loadIndex();
    } catch (cause) {
      throw this.#writeFault(cause);
    }
    this.#torn = false;
    this.#log.warn('store.mended');
  }

  async #all(prefix: string): Promise<RecordListing> {
    const records: StoredRecord[] = [];
    const refused = await this.#namesInDamagedBuckets(prefix);
    for (const name of this.#index.names(prefix)) {
      try {
        const value = await this.read(name);
        if (value !== undefined) records.push({ key: name.slice(prefix.length), value });
      } catch (error) {
        if (!(error instanceof SegyError) || error.code !== 'SEGY_E_STORE') throw error;
        this.#log.error('store.record.refused', { record: name, reason: error.message });
        refused.push(name.slice(prefix.length));
      }
    }
    return { records, refused };
  }

  async #namesInDamagedBuckets(prefix: string): Promise<string[]> {
    const anyDamaged = this.#index.bucketVersions.some((_, bucket) =>
      this.#index.isDamaged(bucket),
    );
    const keys: string[] = [];
    if (!anyDamaged) return keys;
    for await (const { name } of this.#backend.entries(prefix)) {
      if (this.#index.isDamaged(bucketOf(name))) keys.push(name.slice(prefix.length));
    }
    return keys;
  }

  async #flush(): Promise<void> {
    const group = this.#pending.splice(0, MAX_GROUP);
    const changes = group.flatMap((write) => write.changes);
    try {
      await this.#commit(changes, []);
      for (const { resolve } of group) resolve();
    } catch (error) {
      const refusal =
        error instanceof SegyError
          ? error
          : new SegyError('SEGY_E_STORE', 'a record could not be sealed', { cause: error });
      for (const { reject } of group) reject(refusal);
    } finally {
      wipe(...changes.map((change) => change.value));
      if (this.#pending.length > 0) void this.exclusively(() => this.#flush());
    }
  }

  async #commit(
    changes: readonly NamedChange[],
    extra: readonly BackendChange[],
    options: { readonly schema?: number; readonly allBuckets?: boolean } = {},
  ): Promise<void> {
    if (this.#torn) await this.#mend();
    const buckets = new Map<number, Map<string, number>>();
    const touch = (bucket: number): Map<string, number> => {
      const touched = buckets.get(bucket) ?? new Map(this.#index.bucket(bucket));
      buckets.set(bucket, touched);
      return touched;
    };
    if (options.allBuckets) {
      for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
        if (this.#index.bucketVersions[bucket] !== 0) touch(bucket);
      }
    }
    const writes = new Map<string, BackendChange>();
    for (const { name, value } of changes) {
      const bucket = touch(bucketOf(name));
      if (value === undefined) {
        bucket.delete(name);
        writes.set(name, { name });
      } else {
        const version = this.#nextVersion();
        bucket.set(name, version);
        writes.set(name, { name, value: this.#seal(value, name, version) });
      }
    }
    const bucketVersions = [...this.#index.bucketVersions];
    for (const [bucket, entries] of buckets) {
      const version = this.#nextVersion();
      const name = bucketName(bucket);
      bucketVersions[bucket] = version;
      writes.set(name, { name, value: this.#seal(encodeBucket(entries), name, version) });
    }
    const schema = options.schema ?? this.#index.schema;
    const head = encodeHead({ schema, buckets: bucketVersions });
    writes.set(HEAD_NAME, {
      name: HEAD_NAME,
      value: this.#seal(head, HEAD_NAME, this.#nextVersion()),
    });
    await this.#writeBackend([...extra, ...writes.values()]);
    for (const [bucket, entries] of buckets) {
      this.#index.setBucket(bucket, entries, bucketVersions[bucket] ?? 0);
    }
    this.#index.schema = schema;
  }

  async #writeBackend(changes: readonly BackendChange[]): Promise<void> {
    try {
      await this.#backend.write(changes);
      this.#fault = null;
    } catch (cause) {
      this.#torn = true;
      throw this.#writeFault(cause);
    }
  }

  #writeFault(cause: unknown): SegyError {
    this.#fault = describe(cause);
    this.#log.error('store.write.failed', { reason: this.#fault });
    return new SegyError('SEGY_E_STORE', 'the store cannot be written', { cause });
  }

  #seal(value: Uint8Array, name: string, version: number): Uint8Array {
    return seal(value, name, version, this.#keys, this.#random);
  }

  /** Versions are never used twice, also not after a write that failed. */
  #nextVersion(): number {
    this.#version += 1;
    return this.#version;
  }

  #refuseClosed(): void {
    if (this.#closed) throw new SegyError('SEGY_E_STORE', 'the store is closed');
  }
}

function checkKey(key: string): string {
  if (key.length === 0 || key.length > MAX_KEY_LENGTH || /\p{Surrogate}/u.test(key)) {
    throw new SegyError(
      'SEGY_E_ARGUMENT',
      'a record key is 1 to 1024 characters without lone surrogates',
    );
  }
  return key;
}

function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
