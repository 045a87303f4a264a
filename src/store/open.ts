/**
 * Opening and making a store, and the operations on the whole of it: rekey, verify, repair.
 */
import type { Log, RandomBytes } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import type { BackendChange, StoreBackend } from './backend.js';
import { DataKeys, readKeyRecord, writeKeyRecord } from './key-record.js';
import type { ScryptCost } from './key-record.js';
import type { MasterSecret } from './master-key.js';
import { MIGRATIONS } from './migrations.js';
import type { Migration } from './migrations.js';
import { RECORD_PREFIX } from './record-index.js';
import { SealedStore } from './sealed-store.js';
import type { NamedChange } from './sealed-store.js';

export const KEY_RECORD_NAME = 'k';
/** Records sealed anew in one write of a rekey. */
const RESEAL_GROUP = 64;

export interface OpenStoreOptions {
  readonly backend: StoreBackend;
  readonly master: MasterSecret;
  readonly random: RandomBytes;
  readonly log: Log;
  /** makes a new store where the back end is empty; otherwise that is SEGY_E_NOT_FOUND */
  readonly create?: boolean;
  readonly scryptCost?: ScryptCost;
  readonly migrations?: readonly Migration[];
}

/**
 * Opens the store in `backend` and finishes a rekey that was cut off.
 * @throws SegyError SEGY_E_STORE_KEY (wrong master key; nothing was written), SEGY_E_STORE,
 *   SEGY_E_NOT_FOUND
 */
export async function openStore(options: OpenStoreOptions): Promise<SealedStore> {
  const { backend, master, random, log, migrations = MIGRATIONS } = options;
  const newest = migrations.length + 1;
  const keyRecord = await backend.get(KEY_RECORD_NAME);
  if (keyRecord === undefined) {
    await refuseEntriesWithoutKeys(backend);
    if (options.create !== true) {
      throw new SegyError('SEGY_E_NOT_FOUND', 'there is no store here yet');
    }
    const keys = DataKeys.create(random);
    const value = writeKeyRecord(keys, master, random, options.scryptCost);
    return SealedStore.create({ backend, keys, random, log }, newest, {
      name: KEY_RECORD_NAME,
      value,
    });
  }
  const keys = readKeyRecord(keyRecord, master);
  const store = await SealedStore.load({ backend, keys, random, log });
  if (store.schema > newest) {
    throw new SegyError(
      'SEGY_E_STORE',
      `the store has contents version ${store.schema}; this program knows up to ${newest}`,
    );
  }
  await migrateStore(store, migrations);
  if (keys.ids.length > 1) {
    log.warn('store.rekey.resumed');
    await resumeRekey(store, options);
  }
  return store;
}

/**
 * Seals everything under a fresh data key, and that under `options.master` (the old master key or
 * a new one). Cut off at any point, the store still opens: under the new master key once the
 * first write is done.
 */
export async function rekeyStore(
  store: SealedStore,
  options: Pick<OpenStoreOptions, 'master' | 'random' | 'scryptCost'>,
): Promise<void> {
  await store.exclusively(() => {
    const keys = store.keys.withNew(options.random);
    return store.changeKeys(keys, keyChangeOf(keys, options.master, options));
  });
  await resealAll(store, options.master, options);
}

/** @throws SegyError SEGY_E_STORE_KEY when `master` does not open the store in `backend` */
export async function checkMaster(backend: StoreBackend, master: MasterSecret): Promise<void> {
  const keyRecord = await backend.get(KEY_RECORD_NAME);
  if (keyRecord === undefined)
    throw new SegyError('SEGY_E_NOT_FOUND', 'there is no store here yet');
  readKeyRecord(keyRecord, master).wipe();
}

/**
 * Makes the index anew for a store whose head or index is damaged: for an operator who accepts that
 * records put back to an older state would not be noticed. Records that do not open are set aside.
 * @returns the store and the names of the records set aside
 * @throws SegyError SEGY_E_NOT_FOUND, SEGY_E_STORE_KEY
 */
export async function repairStore(
  options: OpenStoreOptions,
): Promise<{ store: SealedStore; setAside: string[] }> {
  const { backend, master, random, log, migrations = MIGRATIONS } = options;
  const keyRecord = await backend.get(KEY_RECORD_NAME);
  if (keyRecord === undefined) {
    throw new SegyError('SEGY_E_NOT_FOUND', 'there is no store with a key record here');
  }
  const keys = readKeyRecord(keyRecord, master);
  return SealedStore.rebuild({ backend, keys, random, log }, migrations.length + 1);
}

export interface StoreFinding {
  readonly record: string;
  readonly reason: string;
}

/** Reads every record; the findings name those that are refused. */
export async function verifyStore(
  store: SealedStore,
): Promise<{ records: number; refused: StoreFinding[] }> {
  const refused: StoreFinding[] = [];
  const names = store.names();
  for (const name of names) {
    try {
      await store.read(name);
    } catch (error) {
      if (!(error instanceof SegyError)) throw error;
      refused.push({ record: name.slice(RECORD_PREFIX.length), reason: error.message });
    }
  }
  return { records: names.length, refused };
}

/** A record that is refused stops the rekey, not the store: the old data keys are then kept. */
async function resumeRekey(store: SealedStore, options: OpenStoreOptions): Promise<void> {
  try {
    await resealAll(store, options.master, options);
  } catch (error) {
    if (!(error instanceof SegyError)) throw error;
    options.log.error('store.rekey.stopped', { reason: error.message });
  }
}

async function resealAll(
  store: SealedStore,
  master: MasterSecret,
  options: Pick<OpenStoreOptions, 'random' | 'scryptCost'>,
): Promise<void> {
  const names = store.names();
  for (let at = 0; at < names.length; at += RESEAL_GROUP) {
    const group = names.slice(at, at + RESEAL_GROUP);
    await store.exclusively(() => store.reseal(group));
  }
  await store.exclusively(async () => {
    await store.resealIndex();
    const keys = store.keys.onlyCurrent();
    await store.changeKeys(keys, keyChangeOf(keys, master, options));
    // What the former master key opens is gone from the disk, too, not only superseded.
    await store.compact();
  });
}

function keyChangeOf(
  keys: DataKeys,
  master: MasterSecret,
  options: Pick<OpenStoreOptions, 'random' | 'scryptCost'>,
): BackendChange {
  return {
    name: KEY_RECORD_NAME,
    value: writeKeyRecord(keys, master, options.random, options.scryptCost),
  };
}

async function refuseEntriesWithoutKeys(backend: StoreBackend): Promise<void> {
  for await (const { name } of backend.entries('')) {
    throw new SegyError(
      'SEGY_E_STORE_KEY',
      `the store holds records (${name}) and no key record; nothing was changed`,
    );
  }
}

async function migrateStore(store: SealedStore, migrations: readonly Migration[]): Promise<void> {
  const steps = migrations.filter((step) => step.from >= store.schema);
  if (steps.length === 0) return;
  await store.exclusively(async () => {
    const changes: NamedChange[] = [];
    for (const name of store.names()) {
      const value = await store.read(name);
      if (value !== undefined) changes.push(...migrateRecord(name, value, steps));
    }
    await store.migrate(changes, migrations.length + 1);
  });
}

function migrateRecord(
  name: string,
  value: Uint8Array,
  steps: readonly Migration[],
): NamedChange[] {
  const [namespace = '', ...rest] = name.slice(RECORD_PREFIX.length).split('/');
  const before = { namespace, key: rest.join('/'), value };
  let record: typeof before | undefined = before;
  for (const step of steps) record = record && step.migrate(record);
  if (record === before) return [];
  if (record === undefined) return [{ name }];
  const moved = `${RECORD_PREFIX}${record.namespace}/${record.key}`;
  return moved === name
    ? [{ name, value: record.value }]
    : [{ name }, { name: moved, value: record.value }];
}
