/**
 * The embedded back end: LevelDB by classic-level. LevelDB's own lock makes a second process
 * fail; its write-ahead log makes a synced batch all or nothing through a crash.
 */
import { chmod, mkdir } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';
import { SegyError } from '../base/errors.js';
import type { BackendChange, BackendEntry, StoreBackend } from './backend.js';

type Database = ClassicLevel<string, Uint8Array>;

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
  return new LevelBackend(database);
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

  constructor(database: Database) {
    this.#database = database;
  }

  get(name: string): Promise<Uint8Array | undefined> {
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

  async *entries(prefix: string): AsyncIterable<BackendEntry> {
    for await (const [name, value] of this.#database.iterator({ gte: prefix })) {
      if (!name.startsWith(prefix)) return;
      yield { name, value };
    }
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
