/**
 * Where the master key comes from: a file that only its owner may read, a systemd credential,
 * or a passphrase. Nothing here ever writes over an existing file.
 */
import { link, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fromHex, toHex, utf8, wipe } from '../base/bytes.js';
import type { RandomBytes } from '../base/environment.js';
import { SegyError } from '../base/errors.js';

const KEY_OCTETS = 32;
const MIN_PASSPHRASE_OCTETS = 12;
/** More than any sensible key or passphrase file holds. */
const MAX_FILE_OCTETS = 4096;

export type MasterSecret =
  | { readonly kind: 'key'; readonly key: Uint8Array }
  | { readonly kind: 'passphrase'; readonly passphrase: Uint8Array };

export interface MasterKeySource {
  /** file with 32 octets, raw or as 64 hex digits; mode 0600 or stricter */
  readonly keyFile?: string | undefined;
  /** file with a passphrase on its first line; mode 0600 or stricter */
  readonly passphraseFile?: string | undefined;
  /** name of a systemd credential that holds a key as `keyFile` does */
  readonly credential?: string | undefined;
  /** $CREDENTIALS_DIRECTORY of the service */
  readonly credentialsDirectory?: string | undefined;
}

/**
 * The master secret of `source`: a passphrase file if named, else the systemd credential if the
 * service was given one, else the key file.
 * @throws SegyError SEGY_E_STORE_KEY when there is none, or it is empty, malformed or readable
 *   by others
 */
export async function readMasterSecret(source: MasterKeySource): Promise<MasterSecret> {
  if (source.passphraseFile !== undefined) return readPassphrase(source.passphraseFile);
  const credential = await credentialPath(source);
  // A credential may carry the service user as an ACL, which shows as group permission.
  if (credential !== undefined) return readKey(credential, 0o007);
  if (source.keyFile !== undefined) return readKey(source.keyFile, 0o077);
  throw new SegyError('SEGY_E_STORE_KEY', 'no master key file, credential or passphrase is named');
}

/**
 * Makes a master key file (64 hex digits, mode 0600), whole and on disk when it appears under its name.
 * @returns false when the file was there already, untouched
 * @throws SegyError SEGY_E_STORE_KEY
 */
export async function createMasterKeyFile(path: string, random: RandomBytes): Promise<boolean> {
  const draft = `${path}.${toHex(random(4))}.new`;
  const key = random(KEY_OCTETS);
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${toHex(key)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    // A link, unlike a rename, is never made over a file that is there.
    await link(draft, path);
    await syncFolderOf(path);
    return true;
  } catch (cause) {
    if (isExisting(cause)) return false;
    throw new SegyError('SEGY_E_STORE_KEY', `cannot make the master key file ${path}`, { cause });
  } finally {
    wipe(key);
    await rm(draft, { force: true });
  }
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

async function syncFolderOf(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function credentialPath(source: MasterKeySource): Promise<string | undefined> {
  if (source.credential === undefined || source.credentialsDirectory === undefined)
    return undefined;
  const path = join(source.credentialsDirectory, source.credential);
  return (await stat(path).catch(() => undefined)) === undefined ? undefined : path;
}

async function readKey(path: string, forbiddenMode: number): Promise<MasterSecret> {
  const octets = await readPrivate(path, forbiddenMode);
  if (octets.length === KEY_OCTETS) return { kind: 'key', key: octets };
  const text = Buffer.from(octets).toString('latin1').trim();
  if (/^[0-9a-fA-F]{64}$/.test(text)) {
    wipe(octets);
    return { kind: 'key', key: fromHex(text, 'master key', KEY_OCTETS) };
  }
  throw new SegyError(
    'SEGY_E_STORE_KEY',
    octets.length === 0
      ? `the master key file ${path} is empty`
      : `the master key file ${path} holds neither 32 octets nor 64 hex digits`,
  );
}

async function readPassphrase(path: string): Promise<MasterSecret> {
  const octets = await readPrivate(path, 0o077);
  const passphrase = utf8(Buffer.from(octets).toString('utf8').split(/\r?\n/, 1)[0] ?? '');
  wipe(octets);
  if (passphrase.length < MIN_PASSPHRASE_OCTETS) {
    throw new SegyError(
      'SEGY_E_STORE_KEY',
      `the passphrase in ${path} is shorter than ${MIN_PASSPHRASE_OCTETS} octets`,
    );
  }
  return { kind: 'passphrase', passphrase };
}

async function readPrivate(path: string, forbiddenMode: number): Promise<Uint8Array> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    throw new SegyError('SEGY_E_STORE_KEY', `cannot read the master key file ${path}`, { cause });
  }
  try {
    const status = await file.stat();
    if (!status.isFile() || status.size > MAX_FILE_OCTETS) {
      throw new SegyError('SEGY_E_STORE_KEY', `${path} is no master key file`);
    }
    if ((status.mode & forbiddenMode) !== 0) {
      throw new SegyError(
        'SEGY_E_STORE_KEY',
        `the master key file ${path} may be read by others; set its mode to 0600`,
      );
    }
    const uid = process.getuid?.();
    if (uid !== undefined && status.uid !== uid && status.uid !== 0) {
      throw new SegyError(
        'SEGY_E_STORE_KEY',
        `the master key file ${path} belongs to another user`,
      );
    }
    return Uint8Array.from(await file.readFile());
  } finally {
    await file.close();
  }
}
