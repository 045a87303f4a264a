/**
 * Backups: every entry of the back end as it is, still sealed, in one file whose end
 * authenticates the whole under the current data key.
 *
 *   "SEGYBAK1"  then per entry: name length (4), value length (4), name, value
 *   end:        0xffffffff (4), HMAC-SHA-256 over all before (32)
 */
import { createHmac } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bytesToUint, concatBytes, equalBytes, uintToBytes, utf8, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import type { BackendEntry, StoreBackend } from './backend.js';
import { readKeyRecord } from './key-record.js';
import type { MasterSecret } from './master-key.js';
import { KEY_RECORD_NAME } from './open.js';
import type { SealedStore } from './sealed-store.js';

const MAGIC = utf8('SEGYBAK1');
const END = 0xffffffff;
const MAC_OCTETS = 32;
const MAC_LABEL = utf8('segy-backup/1');
const MAX_BACKUP_OCTETS = 1 << 30;
const RESTORE_GROUP = 256;

/** Writes a backup to `path` (mode 0600), whole or not at all. @returns number of entries */
export async function backupStore(
  store: SealedStore,
  backend: StoreBackend,
  path: string,
): Promise<number> {
  return store.exclusively(async () => {
    const partial = `${path}.partial`;
    try {
      const count = await writeBackup(store, backend, partial);
      await rename(partial, path);
      await syncDirectory(dirname(path));
      return count;
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  });
}

async function writeBackup(
  store: SealedStore,
  backend: StoreBackend,
  path: string,
): Promise<number> {
  const key = macKeyOf(store.keys.currentKey);
  const mac = createHmac('sha256', key);
  wipe(key);
  // Whatever stands there may be open to others, or a link.
  await rm(path, { force: true });
  const file = await open(path, 'wx', 0o600);
  let count = 0;
  try {
    const append = async (chunk: Uint8Array): Promise<void> => {
      mac.update(chunk);
      await file.writeFile(chunk);
    };
    await append(MAGIC);
    for await (const entry of backend.entries('')) {
      await append(encodeEntry(entry));
      count += 1;
    }
    await append(uintToBytes(END, 4));
    await file.writeFile(mac.digest());
    await file.sync();
    return count;
  } finally {
    await file.close();
  }
}

/**
 * Fills an empty back end from a backup. It is opened only for a backup that is whole, and the key record
 * comes last, so a restore that was cut off leaves a store that does not open.
 * @returns the back end, open, and the number of entries
 * @throws SegyError SEGY_E_STORE when the back end is not empty or the file was changed,
 *   SEGY_E_STORE_KEY when `master` does not open it
 */
export async function restoreStore(
  path: string,
  openTarget: () => Promise<StoreBackend>,
  master: MasterSecret,
): Promise<{ readonly backend: StoreBackend; readonly entries: number }> {
  const entries = await readBackup(path, master);
  const backend = await openTarget();
  try {
    await fill(backend, entries);
  } catch (error) {
    await backend.close();
    throw error;
  }
  return { backend, entries: entries.length };
}

async function fill(backend: StoreBackend, entries: readonly BackendEntry[]): Promise<void> {
  for await (const { name } of backend.entries('')) {
    throw new SegyError('SEGY_E_STORE', `the store to restore into is not empty (${name})`);
  }
  const last = entries.filter((entry) => entry.name === KEY_RECORD_NAME);
  const first = entries.filter((entry) => entry.name !== KEY_RECORD_NAME);
  for (let at = 0; at < first.length; at += RESTORE_GROUP) {
    await backend.write(first.slice(at, at + RESTORE_GROUP));
  }
  await backend.write(last);
}

async function readBackup(path: string, master: MasterSecret): Promise<BackendEntry[]> {
  const octets = await readFileOf(path);
  const refuse = (): SegyError =>
    new SegyError('SEGY_E_STORE', `${path} is no whole backup of a store`);
  if (!equalBytes(octets.subarray(0, MAGIC.length), MAGIC)) throw refuse();
  const entries: BackendEntry[] = [];
  let at = MAGIC.length;
  for (;;) {
    if (at + 8 > octets.length) throw refuse();
    const nameLength = Number(bytesToUint(octets.subarray(at, at + 4)));
    if (nameLength === END) break;
    const valueLength = Number(bytesToUint(octets.subarray(at + 4, at + 8)));
    const end = at + 8 + nameLength + valueLength;
    if (end > octets.length) throw refuse();
    const name = Buffer.from(octets.subarray(at + 8, at + 8 + nameLength)).toString('utf8');
    entries.push({ name, value: octets.subarray(at + 8 + nameLength, end) });
    at = end;
  }
  const macAt = at + 4;
  const keyRecord = entries.find((entry) => entry.name === KEY_RECORD_NAME);
  if (keyRecord === undefined || macAt + MAC_OCTETS !== octets.length) throw refuse();
  const keys = readKeyRecord(keyRecord.value, master);
  const mac = createHmac('sha256', macKeyOf(keys.currentKey))
    .update(octets.subarray(0, macAt))
    .digest();
  keys.wipe();
  if (!equalBytes(mac, octets.subarray(macAt))) throw refuse();
  return entries;
}

async function readFileOf(path: string): Promise<Uint8Array> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    throw new SegyError('SEGY_E_IO', `cannot read ${path}`, { cause });
  }
  try {
    if ((await file.stat()).size > MAX_BACKUP_OCTETS) {
      throw new SegyError('SEGY_E_STORE', `${path} is larger than a backup can be`);
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function encodeEntry({ name, value }: BackendEntry): Uint8Array {
  const nameOctets = utf8(name);
  return concatBytes(
    uintToBytes(nameOctets.length, 4),
    uintToBytes(value.length, 4),
    nameOctets,
    value,
  );
}

function macKeyOf(dataKey: Uint8Array): Uint8Array {
  return createHmac('sha256', dataKey).update(MAC_LABEL).digest();
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
