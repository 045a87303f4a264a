/**
 * What was presented and must be known again until its end: security tokens with the client that
 * showed them, and identifiers that are good once. Sealed in the store, so that a restart forgets
 * nothing; bounded, and full means that nothing new is taken.
 */
import { createHash } from 'node:crypto';
import { utf8 } from '../base/bytes.js';
import type { Clock, Log } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import type { RecordSpace } from '../base/records.js';

export interface TokenMemoryOptions {
  readonly records: RecordSpace;
  readonly clock: Clock;
  readonly log: Log;
  /** entries at once */
  readonly limit: number;
}

interface Entry {
  readonly owner: string;
  readonly until: number;
  /** resolves when it is on disk */
  readonly kept: Promise<void>;
}

/** How often what has ended is let go. */
const SWEEP_MS = 60_000;
/** Removals in one write. */
const BATCH = 256;
/** How long what a damaged record was about is taken by nobody: longer than any token lives. */
const DAMAGED_MS = 8 * 86_400_000;
/** One owner has at most this part of the memory, so that it cannot take it from the others. */
const OWNER_PART = 4;

export class TokenMemory {
  readonly #options: TokenMemoryOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #owned = new Map<string, number>();
  #sweepAt = 0;

  private constructor(options: TokenMemoryOptions) {
    this.#options = options;
  }

  /** What a damaged record was about is nobody's: the record could have forbidden it. */
  static async open(options: TokenMemoryOptions): Promise<TokenMemory> {
    const memory = new TokenMemory(options);
    const { records, refused } = await options.records.all();
    const damaged = { owner: '', until: options.clock.now() + DAMAGED_MS };
    if (refused.length > 0) options.log.error('idm.memory.damaged', { records: refused.length });
    for (const { key, value } of records) {
      memory.#add(key, { ...(readEntry(value) ?? damaged), kept: Promise.resolve() });
    }
    for (const key of refused) memory.#add(key, { ...damaged, kept: Promise.resolve() });
    await memory.#sweep();
    return memory;
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Remembers `key` for `owner` unless it is known.
   * @param until in milliseconds since 1970
   * @returns whose it is, and whether it is new; on disk when it resolves
   * @throws SegyError SEGY_E_BUSY when the memory is full, SEGY_E_STORE
   */
  async remember(
    key: string,
    owner: string,
    until: number,
  ): Promise<{ readonly owner: string; readonly isNew: boolean }> {
    const now = this.#options.clock.now();
    if (now >= this.#sweepAt) void this.#sweep();
    const known = this.#entries.get(key);
    if (known !== undefined && known.until > now) {
      await known.kept;
      return { owner: known.owner, isNew: false };
    }
    this.#requireRoom(owner);
    const kept = this.#options.records.put(key, utf8(JSON.stringify([owner, until])));
    const entry = { owner, until, kept };
    if (known !== undefined) this.#remove(key, known);
    this.#add(key, entry);
    try {
      await kept;
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#remove(key, entry);
      throw error;
    }
    return { owner, isNew: true };
  }

  #requireRoom(owner: string): void {
    const { limit, log } = this.#options;
    const own = this.#owned.get(owner) ?? 0;
    if (this.#entries.size < limit && own < Math.ceil(limit / OWNER_PART)) return;
    log.warn('idm.memory.full', { remembered: this.#entries.size, client: owner, own });
    throw new SegyError('SEGY_E_BUSY', 'too many tokens are remembered');
  }

  /** Lets go of what has ended. What cannot be removed from disk now is removed with the next sweep. */
  async #sweep(): Promise<void> {
    const now = this.#options.clock.now();
    this.#sweepAt = now + SWEEP_MS;
    const ended = [...this.#entries].filter(([, { until }]) => until <= now);
    try {
      for (let at = 0; at < ended.length; at += BATCH) {
        const batch = ended.slice(at, at + BATCH).filter(([key, entry]) => {
          const isSame = this.#entries.get(key) === entry;
          if (isSame) this.#remove(key, entry);
          return isSame;
        });
        await this.#options.records.write(batch.map(([key]) => ({ key })));
      }
    } catch {
      // the store has logged it; the next start finds these records and removes them
    }
  }

  #add(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#owned.set(entry.owner, (this.#owned.get(entry.owner) ?? 0) + 1);
  }

  #remove(key: string, { owner }: Entry): void {
    this.#entries.delete(key);
    const left = (this.#owned.get(owner) ?? 1) - 1;
    if (left === 0) this.#owned.delete(owner);
    else this.#owned.set(owner, left);
  }
}

/** The name of something presented: its kind, and a digest of what tells it from others of its kind. */
export function memoryKey(kind: 'token' | 'jti' | 'assertion', ...parts: string[]): string {
  return `${kind}/${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

function readEntry(
  value: Uint8Array,
): { readonly owner: string; readonly until: number } | undefined {
  try {
    const entry: unknown = JSON.parse(Buffer.from(value).toString('utf8'));
    if (!Array.isArray(entry)) return undefined;
    const [owner, until] = entry as unknown[];
    return typeof owner === 'string' && typeof until === 'number' ? { owner, until } : undefined;
  } catch {
    return undefined;
  }
}
