/** `segy store`: the sealed store as a whole. */
import { writeSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { toHex } from '../base/bytes.js';
import { silentLog, systemClock, systemRandom } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { anchorIn, AuditLog } from '../audit/index.js';
import type { AuditEvent } from '../audit/index.js';
import {
  createMasterKeyFile,
  openLevelBackend,
  openStore,
  readMasterSecret,
  repairStore,
  restoreStore,
} from '../store/index.js';
import type { StoreBackend } from '../store/index.js';
import { print } from './output.js';
import { perform } from './perform.js';
import { addStateOptions } from './state-options.js';
import type { TargetOptions } from './state-options.js';
import { auditFolder, masterSecretOf, storeExists, storeFolder } from './state.js';

interface Output extends TargetOptions {
  readonly json: boolean;
}

interface RekeyOptions extends Output {
  readonly newMasterKey?: string;
  readonly newPassphraseFile?: string;
}

export function registerStoreCommands(program: Command): void {
  const store = program.command('store').description('the sealed store');
  addStateOptions(store.command('verify'))
    .description('read every record and name those that are refused')
    .action(verify);
  addStateOptions(store.command('rekey'))
    .description('seal everything anew, under a new master key where one is named')
    .option('--new-master-key <file>', 'its master key file; made where there is none')
    .option('--new-passphrase-file <file>', 'file with the new passphrase')
    .action(rekey);
  addStateOptions(store.command('repair'))
    .description(
      'make the index anew; records put back to an older state are not noticed then (gateway stopped)',
    )
    .action(repair);
  addStateOptions(store.command('backup'))
    .description('copy the store, still sealed, into one file')
    .argument('<file>')
    .action(backup);
  addStateOptions(store.command('restore'))
    .description('fill an empty state folder from a backup')
    .argument('<file>')
    .action(restore);
}

async function verify(options: Output): Promise<void> {
  const { records, refused } = await perform('store/verify', {}, options);
  print(options.json, { ok: refused.length === 0, records, refused }, () => [
    `${records} records, ${refused.length} refused`,
    ...refused.map((finding) => `${finding.record}: ${finding.reason}`),
  ]);
  if (refused.length > 0) process.exitCode = 1;
}

async function rekey(options: RekeyOptions): Promise<void> {
  if (options.newMasterKey !== undefined) {
    await createMasterKeyFile(options.newMasterKey, systemRandom);
  }
  const { newMasterKey } = await perform('store/rekey', await newSecret(options), options);
  print(options.json, { ok: true, newMasterKey }, () => [
    newMasterKey
      ? `sealed anew; from now on the store opens under ${options.newMasterKey ?? 'the new passphrase'} only`
      : 'sealed anew under a new data key',
  ]);
}

async function newSecret({
  newMasterKey,
  newPassphraseFile,
}: RekeyOptions): Promise<{ key?: string; passphrase?: string }> {
  if (newMasterKey === undefined && newPassphraseFile === undefined) return {};
  const secret = await readMasterSecret({
    keyFile: newMasterKey,
    passphraseFile: newPassphraseFile,
  });
  return secret.kind === 'key'
    ? { key: toHex(secret.key) }
    : { passphrase: Buffer.from(secret.passphrase).toString('utf8') };
}

async function repair(options: Output): Promise<void> {
  if (!(await storeExists(options.state))) {
    throw new SegyError('SEGY_E_NOT_FOUND', `there is no store in ${options.state}`);
  }
  const master = await masterSecretOf(options);
  const backend = await openLevelBackend(storeFolder(options.state), { create: false });
  try {
    const { store, setAside } = await repairStore({
      backend,
      master,
      random: systemRandom,
      log: silentLog,
    });
    const records = store.names().length;
    await recordAlone(options, {
      action: 'store-repaired',
      detail: `${setAside.length} set aside`,
    });
    print(options.json, { ok: true, records, setAside }, () => [
      `${records} records kept, ${setAside.length} set aside`,
      ...setAside,
    ]);
  } finally {
    await backend.close();
  }
}

/** One audit record of a command that does not open the whole state. */
async function recordAlone(options: Output, event: AuditEvent): Promise<void> {
  const folder = auditFolder(options.state);
  const audit = await AuditLog.open({ folder, clock: systemClock, log: silentLog });
  await audit.record(event);
  await audit.close();
}

async function backup(file: string, options: Output): Promise<void> {
  const partial = `${file}.partial`;
  const out = await openPrivate(partial);
  try {
    // Parts come faster than the disk may take them, and in order all the same.
    const { entries } = await perform('store/backup', { file: resolve(file) }, options, {
      onEvent: (part) => writeSync(out.fd, Buffer.from(String(part), 'base64')),
    });
    await out.sync();
    await rename(partial, file);
    print(options.json, { ok: true, file, entries }, () => [`${entries} entries in ${file}`]);
  } finally {
    await out.close();
    await rm(partial, { force: true });
  }
}

/** A new file in the place of whatever stands there, which may be open to others. */
async function openPrivate(path: string): Promise<FileHandle> {
  try {
    await rm(path, { force: true });
    return await open(path, 'wx', 0o600);
  } catch (cause) {
    throw new SegyError('SEGY_E_IO', `cannot write ${path}`, { cause });
  }
}

async function restore(file: string, options: Output): Promise<void> {
  const master = await masterSecretOf(options);
  const openTarget = (): Promise<StoreBackend> =>
    openLevelBackend(storeFolder(options.state), { create: true });
  const { backend, entries } = await restoreStore(file, openTarget, master);
  try {
    const store = await openStore({ backend, master, random: systemRandom, log: silentLog });
    // The log that the store remembers stayed where the backup was made.
    await anchorIn(store.space('audit')).forget();
    await recordAlone(options, { action: 'store-restored', detail: file });
    print(options.json, { ok: true, file, entries }, () => [`${entries} entries from ${file}`]);
  } finally {
    await backend.close();
  }
}
