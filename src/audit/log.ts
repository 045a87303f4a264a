/**
 * The writing side of the audit log. One process writes: it holds the store's lock. A record is on
 * stable storage when its promise resolves. After a failed write nobody knows what the disk holds
 * behind the last record that was synced, so the file is cut there before anything more is written.
 */
import { mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Clock, Log } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import type { AuditAnchor, ChainMark } from './anchor.js';
import { CHAIN_START, positionAfter, readLine, writeLine } from './chain.js';
import type { AuditEvent, ChainPosition } from './chain.js';
import { auditFile, auditFiles, linesOf, syncFolder } from './files.js';

/** Size at which a file is closed and the next one begun, in octets. */
const DEFAULT_MAX_FILE_OCTETS = 64 * 1024 * 1024;
/** Records joined into one synced write at most. */
const MAX_GROUP = 256;
/** Records that may wait; beyond, key use is refused rather than delayed without end. */
const MAX_PENDING = 10_000;
/** Records between two notes of the chain's end. */
const ANCHOR_EVERY = 64;

export interface AuditLogOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly maxFileOctets?: number;
  /** where the end of the chain is noted, at least every 64 records and at the close */
  readonly anchor?: AuditAnchor;
}

interface Pending {
  readonly event: AuditEvent;
  readonly resolve: () => void;
  readonly reject: (error: SegyError) => void;
}

export class AuditLog {
  readonly #options: AuditLogOptions;
  #file: FileHandle;
  #octets: number;
  #position: ChainPosition;
  #pending: Pending[] = [];
  #writing: Promise<void> | undefined;
  /** why the last write failed; what it left is cut off before the next one */
  #failure: SegyError | undefined;
  #closed = false;
  #rotationDue = false;
  #anchoredSeq: number;

  private constructor(
    options: AuditLogOptions,
    file: FileHandle,
    octets: number,
    position: ChainPosition,
  ) {
    this.#options = options;
    this.#file = file;
    this.#octets = octets;
    this.#position = position;
    this.#anchoredSeq = position.seq;
  }

  /**
   * Opens the log in `folder` (mode 0700) at its end. What a crash left of a line that nobody was
   * told of is cut off, and the cutting recorded. So is a log that ends before what the anchor knows.
   * @throws SegyError SEGY_E_AUDIT when the last file is not a chain
   */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    try {
      return await openLog(options, (...found) => new AuditLog(options, ...found));
    } catch (cause) {
      if (cause instanceof SegyError) throw cause;
      throw new SegyError('SEGY_E_AUDIT', `cannot open the audit log in ${options.folder}`, {
        cause,
      });
    }
  }

  /** Why the last record was not written; null while they are. */
  get fault(): string | null {
    const cause = this.#failure?.cause;
    if (this.#failure === undefined) return null;
    return cause instanceof Error ? cause.message : this.#failure.message;
  }

  /** The last record on disk; null while there is none. */
  get end(): ChainMark | null {
    const { seq, prev } = this.#position;
    return seq === 1 ? null : { seq: seq - 1, hash: prev };
  }

  /** @throws SegyError SEGY_E_AUDIT: the record may not be on disk, so no key may be used */
  record(event: AuditEvent): Promise<void> {
    if (this.#closed) {
      return Promise.reject(new SegyError('SEGY_E_AUDIT', 'the audit log is closed'));
    }
    if (this.#pending.length >= MAX_PENDING) {
      return Promise.reject(new SegyError('SEGY_E_AUDIT', 'too many audit records wait'));
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ event, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** Begins a new file, whose first line says so and goes on with the chain. */
  async rotate(): Promise<void> {
    this.#rotationDue = true;
    await this.record({ action: 'log-rotated' });
  }

  /** Waits for what was recorded, then lets the file go. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    if (this.#failure === undefined) await this.#anchor();
    await this.#file.close();
  }

  async #write(): Promise<void> {
    // Let those of the same turn share the first write.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const group = this.#pending.splice(0, MAX_GROUP);
      try {
        await this.#append([...(await this.#mend()), ...group.map(({ event }) => event)]);
        for (const { resolve } of group) resolve();
      } catch (cause) {
        this.#fail(cause, group);
      }
    }
    this.#writing = undefined;
  }

  /** Cuts off what a failed write left. @returns the record that says so, if there was one */
  async #mend(): Promise<AuditEvent[]> {
    const { fault } = this;
    if (fault === null) return [];
    await this.#file.truncate(this.#octets);
    await this.#file.datasync();
    return [{ action: 'log-recovered', detail: `records were refused: ${fault}` }];
  }

  async #append(events: readonly AuditEvent[]): Promise<void> {
    const maxOctets = this.#options.maxFileOctets ?? DEFAULT_MAX_FILE_OCTETS;
    if (this.#octets > 0 && (this.#rotationDue || this.#octets >= maxOctets)) {
      await this.#nextFile();
    }
    this.#rotationDue = false;
    let position = this.#position;
    let text = '';
    const at = new Date(this.#options.clock.now());
    for (const event of events) {
      const line = writeLine(event, at, position);
      position = positionAfter(line, position);
      text += `${line}\n`;
    }
    const octets = Buffer.from(text, 'utf8');
    await this.#file.appendFile(octets);
    await this.#file.datasync();
    this.#octets += octets.length;
    this.#position = position;
    this.#failure = undefined;
    if (position.seq - this.#anchoredSeq >= ANCHOR_EVERY) void this.#anchor();
  }

  /** Not part of the promise of a record: the chain holds without it. */
  async #anchor(): Promise<void> {
    const { end } = this;
    if (end === null) return;
    this.#anchoredSeq = this.#position.seq;
    try {
      await this.#options.anchor?.save(end);
    } catch (error) {
      this.#options.log.warn('audit.anchor.failed', { reason: String(error) });
    }
  }

  async #nextFile(): Promise<void> {
    const { folder } = this.#options;
    // An attempt that failed may have made it already; then it is empty.
    const next = await open(auditFile(folder, this.#position.seq).path, 'a', 0o600);
    try {
      if ((await next.stat()).size > 0) throw new Error('the next audit file is there already');
      await syncFolder(folder);
    } catch (error) {
      await next.close();
      throw error;
    }
    await this.#file.close();
    this.#file = next;
    this.#octets = 0;
  }

  #fail(cause: unknown, group: readonly Pending[]): void {
    this.#failure = new SegyError('SEGY_E_AUDIT', 'the audit log cannot be written', { cause });
    this.#options.log.error('audit.write.failed', {
      reason: cause instanceof Error ? cause.message : String(cause),
    });
    for (const { reject } of group) reject(this.#failure);
  }
}

async function openLog(
  options: AuditLogOptions,
  make: (file: FileHandle, octets: number, position: ChainPosition) => AuditLog,
): Promise<AuditLog> {
  const note = await readNote(options.anchor);
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const [last, before] = (await auditFiles(options.folder)).reverse();
  if (last === undefined) {
    const file = await open(auditFile(options.folder, 1).path, 'ax', 0o600);
    await syncFolder(options.folder);
    const log = make(file, 0, CHAIN_START);
    await recordLoss(log, options, note, { position: CHAIN_START, markedHash: undefined });
    return log;
  }
  const found = await endOf(last.path, last.firstSeq, before?.path, note.mark?.seq);
  const file = await open(last.path, 'a', 0o600);
  if (found.cutOctets > 0) {
    await file.truncate(found.end);
    await file.sync();
  }
  const log = make(file, found.end, found.position);
  if (found.cutOctets > 0) {
    options.log.warn('audit.recovered', { octets: found.cutOctets });
    await log.record({ action: 'log-recovered', detail: `${found.cutOctets} octets cut off` });
  }
  await recordLoss(log, options, note, found);
  return log;
}

interface Note {
  readonly mark?: ChainMark;
  /** why there is none although there should be */
  readonly fault?: string;
}

async function readNote(anchor: AuditAnchor | undefined): Promise<Note> {
  try {
    const mark = await anchor?.load();
    return mark === undefined ? {} : { mark };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

/** Compares the chain with the anchor's note. Whatever is wrong is recorded and goes to the alarm. */
async function recordLoss(
  log: AuditLog,
  options: AuditLogOptions,
  { mark, fault }: Note,
  { position, markedHash }: Pick<FileEnd, 'position' | 'markedHash'>,
): Promise<void> {
  let loss = fault;
  if (mark !== undefined && position.seq - 1 < mark.seq) {
    loss = `the log ended at record ${position.seq - 1}, the store remembers record ${mark.seq}`;
  } else if (mark !== undefined && markedHash !== undefined && markedHash !== mark.hash) {
    loss = `record ${mark.seq} is another than the store remembers`;
  }
  if (loss === undefined) return;
  options.log.error('audit.truncated', { reason: loss });
  await log.record({ action: 'log-truncated', detail: loss });
}

interface FileEnd {
  readonly position: ChainPosition;
  readonly end: number;
  readonly cutOctets: number;
  /** SHA-256 of the line that the anchor names; undefined where it is not in this file */
  readonly markedHash: string | undefined;
}

/** Walks the last file; its chain must be whole up to where a crash may have torn it. */
async function endOf(
  path: string,
  firstSeq: number,
  before: string | undefined,
  markedSeq: number | undefined,
): Promise<FileEnd> {
  let position: ChainPosition | undefined;
  let end = 0;
  let markedHash: string | undefined;
  for await (const line of linesOf(path)) {
    if (line.tooLong) throw new SegyError('SEGY_E_AUDIT', `${path} is broken after octet ${end}`);
    if (!line.complete) {
      return {
        markedHash,
        position: position ?? (await startOf(firstSeq, before)),
        end,
        cutOctets: line.end - end,
      };
    }
    const fields = readLine(line.text);
    const expected = position ?? { seq: firstSeq, prev: fields?.prev };
    if (fields?.seq !== expected.seq || fields.prev !== expected.prev) {
      throw new SegyError('SEGY_E_AUDIT', `${path} is broken at line ${expected.seq}`);
    }
    position = positionAfter(line.text, { seq: fields.seq, prev: fields.prev });
    if (fields.seq === markedSeq) markedHash = position.prev;
    end = line.end;
  }
  return { markedHash, position: position ?? (await startOf(firstSeq, before)), end, cutOctets: 0 };
}

/** Position of the first line of a file that is still empty: the end of the one before it. */
async function startOf(firstSeq: number, before: string | undefined): Promise<ChainPosition> {
  if (before === undefined) {
    if (firstSeq === 1) return CHAIN_START;
    throw new SegyError('SEGY_E_AUDIT', 'the audit file before the last, empty one is missing');
  }
  let lastLine: string | undefined;
  for await (const line of linesOf(before)) lastLine = line.complete ? line.text : lastLine;
  if (lastLine === undefined) {
    throw new SegyError('SEGY_E_AUDIT', `${before} holds no line to go on from`);
  }
  return positionAfter(lastLine, { seq: firstSeq - 1, prev: '' });
}
