/**
 * Messages already used, kept on disk while their time stamp is inside the window. The caller looks
 * here before it verifies a signature and enters a message only after; so nobody fills the record
 * with forgeries, and no message is used twice in different dialogs, not even across a restart or
 * when both arrive together.
 *
 * A message's identifier is (initiator UID, CSB-ID, RAND, T): never its signature or its base64,
 * which have more than one form for one message. Entries are kept for an hour after their window, so that
 * a clock that is set back by less makes no message new again.
 */
import { createHash } from 'node:crypto';
import { utf8 } from '../base/bytes.js';
import type { Clock, Log } from '../base/environment.js';
import type { RecordChange, RecordSpace } from '../base/records.js';
import { SegyError } from '../base/errors.js';

const DEFAULT_MAX_ENTRIES = 200_000;
/** How often entries that left the window are dropped, at most. */
const SWEEP_MS = 10_000;
/** How long an entry is kept after its window, where there is room. */
const KEEP_MS = 3_600_000;

export interface ReplayRecordOptions {
  readonly records: RecordSpace;
  readonly clock: Clock;
  readonly log: Log;
  /** messages inside their window at one time; more are refused (default 200,000) */
  readonly maxEntries?: number;
}

interface Entry {
  readonly dialogKey: string;
  readonly expiresAt: number;
  /** settles when the entry is on disk; undefined once it is */
  written?: Promise<void>;
}

export class ReplayRecord {
  readonly #options: ReplayRecordOptions;
  readonly #entries = new Map<string, Entry>();
  #sweptAt: number;

  private constructor(options: ReplayRecordOptions) {
    this.#options = options;
    this.#sweptAt = options.clock.now();
  }

  /**
   * Loads what is still inside its window.
   * @throws SegyError SEGY_E_STORE when an entry is damaged: without it a replay might pass
   */
  static async open(options: ReplayRecordOptions): Promise<ReplayRecord> {
    const record = new ReplayRecord(options);
    const { records, refused } = await options.records.all();
    if (refused.length > 0) {
      throw new SegyError(
        'SEGY_E_STORE',
        `${refused.length} entries of the replay record are damaged`,
      );
    }
    for (const { key, value } of records) record.#entries.set(key, parseEntry(key, value));
    await record.sweep();
    return record;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The dialog that used message `id` and has it on disk; undefined when it is new. */
  dialogOf(id: string): string | undefined {
    const entry = this.#entries.get(keyOf(id));
    if (entry === undefined || entry.written !== undefined) return undefined;
    return this.#isOver(entry) ? undefined : entry.dialogKey;
  }

  /**
   * Enters message `id` as used by `dialogKey` until `expiresAt` (milliseconds since 1970); on disk
   * when it resolves. Again for the same dialog it changes nothing.
   * @throws SegyError SEGY_E_MIKEY_REPLAYED when another dialog has it, SEGY_E_MIKEY_WINDOW when
   *   it has left its window, SEGY_E_BUSY when the record is full, SEGY_E_STORE
   */
  async enter(id: string, dialogKey: string, expiresAt: number): Promise<void> {
    const key = keyOf(id);
    const present = this.#entries.get(key);
    if (present !== undefined && !this.#isOver(present)) {
      if (present.dialogKey === dialogKey) return present.written;
      throw new SegyError('SEGY_E_MIKEY_REPLAYED', 'the message was used in another dialog');
    }
    const { clock, records, maxEntries = DEFAULT_MAX_ENTRIES } = this.#options;
    if (expiresAt < clock.now()) {
      throw new SegyError('SEGY_E_MIKEY_WINDOW', 'the message has left its window');
    }
    if (Math.abs(clock.now() - this.#sweptAt) >= SWEEP_MS) void this.#sweepQuietly();
    if (this.#entries.size >= maxEntries) void this.#sweepQuietly(0);
    if (this.#entries.size >= maxEntries) {
      throw new SegyError('SEGY_E_BUSY', 'the replay record is full');
    }
    const entry: Entry = { dialogKey, expiresAt };
    entry.written = records.put(key, utf8(JSON.stringify([expiresAt, dialogKey])));
    this.#entries.set(key, entry);
    try {
      await entry.written;
      delete entry.written;
    } catch (error) {
      // Not on disk, so it was not used either: the next attempt has to write it anew.
      this.#entries.delete(key);
      throw error;
    }
  }

  /** Drops what left its window longer than `keepMs` ago: from memory at once, then from disk. */
  async sweep(keepMs = KEEP_MS): Promise<void> {
    const now = this.#options.clock.now();
    this.#sweptAt = now;
    const gone: RecordChange[] = [];
    for (const [key, { written, expiresAt }] of this.#entries) {
      if (written === undefined && expiresAt + keepMs < now) gone.push({ key });
    }
    if (gone.length === 0) return;
    for (const { key } of gone) this.#entries.delete(key);
    await this.#options.records.write(gone);
  }

  async #sweepQuietly(keepMs?: number): Promise<void> {
    try {
      await this.sweep(keepMs);
    } catch (error) {
      this.#options.log.warn('replay.sweep.failed', {
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }

  #isOver(entry: Entry): boolean {
    return entry.expiresAt < this.#options.clock.now();
  }
}

function keyOf(id: string): string {
  return createHash('sha256').update(id, 'utf8').digest('hex').slice(0, 40);
}

function parseEntry(key: string, value: Uint8Array): Entry {
  const parsed: unknown = JSON.parse(Buffer.from(value).toString('utf8'));
  const [expiresAt, dialogKey] = Array.isArray(parsed) ? (parsed as unknown[]) : [];
  if (typeof expiresAt !== 'number' || typeof dialogKey !== 'string') {
    throw new SegyError('SEGY_E_STORE', `entry ${key} of the replay record is malformed`);
  }
  return { expiresAt, dialogKey };
}
