/**
 * The embedded back end: LevelDB by classic-level. LevelDB's own lock makes a second process
 * fail; its write-ahead log makes a synced batch all or nothing through a crash.
 */
import { chmod, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { SegyError } from '../base/errors.js';
import type { BackendChange, BackendEntry, StoreBackend } from './backend.js';

type Database = ClassicLevel<string, Uint8Array>;

/** Greater than every name, whose characters are ordered by their UTF-8 octets. */
const LAST_NAME = '\u{10FFFF}';
/** What opening writes besides the records: tables, manifest and log of a new generation. */
const ROOM_OCTETS = 256 * 1024;

/**
 * Opens, or makes, the database in folder `directory` (mode 0700).
 * @throws SegyError SEGY_E_STORE_LOCKED when another process has it open, SEGY_E_STORE otherwise
 */
export async function openLevelBackend(
  directory: string,
  options: { readonly create: boolean },
): Promise<StoreBackend> {
  if (options.create) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
  }
  const database: Database = new ClassicLevel(directory, {
    keyEncoding: 'utf8',
    valueEncoding: 'view',
    createIfMissing: options.create,
    compression: false,
  });
  try {
    await database.open();
  } catch (error) {
    throw openingError(error, directory);
  }
  return new LevelBackend(database, directory);
}

function openingError(error: unknown, directory: string): SegyError {
  const cause = error instanceof Error ? error.cause : undefined;
  if (codeOf(error) === 'LEVEL_LOCKED' || codeOf(cause) === 'LEVEL_LOCKED') {
    return new SegyError('SEGY_E_STORE_LOCKED', `another process has ${directory} open`, {
      cause: error,
    });
  }
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  return new SegyError('SEGY_E_STORE', `cannot open ${directory}${reason}`, { cause: error });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

class LevelBackend implements StoreBackend {
  readonly #database: Database;
  readonly #directory: string;
  /** settles when the database is open again */
  #mending: Promise<void> = Promise.resolve();

  constructor(database: Database, directory: string) {
    this.#database = database;
    this.#directory = directory;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    await this.#mending;
    return this.#database.get(name);
  }

  write(changes: readonly BackendChange[]): Promise<void> {
    return this.#database.batch(
      changes.map(({ name, value }) =>
        value === undefined
          ? { type: 'del' as const, key: name }
          : { type: 'put' as const, key: name, value },
      ),
      { sync: true },
    );
  }

  /**
   * A write that fails leaves a torn entry at the end of LevelDB's log, and what LevelDB writes behind
   * it is not found again at the next start. So the database is closed and opened, which begins a new log.
   */
  mend(): Promise<void> {
    const mended = this.#openAnew();
    this.#mending = mended.catch(() => undefined);
    return mended;
  }

  /**
   * LevelDB rewrites a table only to merge it with a newer one whose names it overlaps. So the first and
   * the last entry are written once more as they are, which overlaps everything.
   */
  async compact(): Promise<void> {
    await this.#database.compactRange('', LAST_NAME);
    const [first] = await this.#database.iterator({ limit: 1 }).all();
    const [last] = await this.#database.iterator({ limit: 1, reverse: true }).all();
    if (first === undefined || last === undefined) return;
    const entries = [first, last].map(([name, value]) => ({ name, value }));
    await this.write(entries);
    await this.#database.compactRange('', LAST_NAME);
  }

  async *entries(prefix: string): AsyncIterable<BackendEntry> {
    await this.#mending;
    for await (const [name, value] of this.#database.iterator({ gte: prefix })) {
      if (!name.startsWith(prefix)) return;
      yield { name, value };
    }
  }

  async close(): Promise<void> {
    await this.#mending;
    await this.#database.close();
  }

  async #openAnew(): Promise<void> {
    // An open database that cannot be written can still be read; one that cannot be opened, not.
    if (this.#database.status === 'open') await this.#findRoom();
    try {
      await this.#database.close();
      await this.#database.open();
    } catch (error) {
      throw openingError(error, this.#directory);
    }
  }

  /** Whether what opening writes would fit: the log's contents as a table, and a new log. */
  async #findRoom(): Promise<void> {
    let octets = ROOM_OCTETS;
    for (const name of await readdir(this.#directory)) {
      if (name.endsWith('.log')) octets += (await stat(join(this.#directory, name))).size;
    }
    const probe = join(this.#directory, 'room.tmp');
    const file = await open(probe, 'w', 0o600);
    try {
      await file.writeFile(new Uint8Array(octets));
      await file.sync();
    } finally {
      await file.close();
      await rm(probe, { force: true });
    }
  }
}
