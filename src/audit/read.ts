/** The reading side of the audit log: verification and search. Needs no lock and no key. */
import type { ChainMark } from './anchor.js';
import { FIRST_PREV, positionAfter, readLine } from './chain.js';
import type { AuditLine, ChainPosition } from './chain.js';
import { auditFiles, linesOf } from './files.js';
import type { AuditFile } from './files.js';

export interface AuditVerification {
  readonly ok: boolean;
  readonly lines: number;
  /** first and last number of the chain that was walked; null where there is no line */
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
  /** SHA-256 of the last line, to compare with a note kept elsewhere */
  readonly lastHash: string | null;
  /** false where older files were taken away, so that the chain begins in its middle */
  readonly fromStart: boolean;
  /** where and how the chain breaks */
  readonly faults: readonly string[];
}

const MAX_FAULTS = 20;

/**
 * Walks the whole chain. A torn last line, which nobody was told of, is no fault; an end before
 * `known`, a record that whoever writes the log knows to be in it, is one.
 */
export async function verifyAudit(folder: string, known?: ChainMark): Promise<AuditVerification> {
  const files = await auditFiles(folder);
  const walk = new ChainWalk(known);
  for (const [index, file] of files.entries()) {
    walk.enter(file);
    for await (const line of linesOf(file.path)) {
      if (walk.faults.length >= MAX_FAULTS) break;
      if (line.complete) walk.step(line.text);
      else if (line.tooLong) walk.fault('holds a line longer than any that is written');
      else if (index !== files.length - 1) walk.fault('ends within a line');
    }
  }
  return walk.result();
}

class ChainWalk {
  readonly faults: string[] = [];
  #position: ChainPosition | undefined;
  #first: ChainPosition | undefined;
  #lines = 0;
  #path = '';
  readonly #known: ChainMark | undefined;

  constructor(known: ChainMark | undefined) {
    this.#known = known;
  }

  fault(what: string): void {
    this.faults.push(`${this.#path}: ${what}`);
  }

  enter(file: AuditFile): void {
    this.#path = file.path;
    const expected = this.#position?.seq;
    if (expected !== undefined && expected !== file.firstSeq) {
      this.fault(`line ${expected} is missing before it`);
    }
    // A file that begins the walk is believed about its first line's `prev`, not its number.
    if (expected !== file.firstSeq) this.#position = { seq: file.firstSeq, prev: '' };
  }

  step(text: string): void {
    const expected = this.#position ?? { seq: 1, prev: '' };
    const fields = readLine(text);
    if (fields === undefined) {
      this.fault(`line ${expected.seq} is no audit record`);
      this.#position = { seq: expected.seq + 1, prev: '' };
      return;
    }
    if (fields.seq !== expected.seq || (expected.prev !== '' && fields.prev !== expected.prev)) {
      this.fault(`the chain breaks before line ${fields.seq}`);
    }
    if (fields.action === 'log-truncated')
      this.fault(`record ${fields.seq}: ${fields.detail ?? ''}`);
    const here = { seq: fields.seq, prev: fields.prev };
    this.#first ??= here;
    this.#lines += 1;
    this.#position = positionAfter(text, here);
    if (here.seq === this.#known?.seq && this.#position.prev !== this.#known.hash) {
      this.fault(`record ${here.seq} is another than was written`);
    }
  }

  result(): AuditVerification {
    const first = this.#first;
    const fromStart = first?.seq === 1 && first.prev === FIRST_PREV;
    if (first?.seq === 1 && !fromStart) this.fault('line 1 does not begin a chain');
    const lastSeq = first === undefined ? 0 : (this.#position?.seq ?? 1) - 1;
    if (this.#known !== undefined && lastSeq < this.#known.seq && this.faults.length < MAX_FAULTS) {
      this.faults.push(`ends at record ${lastSeq}; record ${this.#known.seq} was written`);
    }
    return {
      ok: this.faults.length === 0,
      lines: this.#lines,
      firstSeq: first?.seq ?? null,
      lastSeq: this.#lines === 0 ? null : (this.#position?.seq ?? 1) - 1,
      lastHash: this.#lines === 0 ? null : (this.#position?.prev ?? null),
      fromStart: first === undefined || fromStart,
      faults: this.faults,
    };
  }
}

export interface AuditFilter {
  readonly since?: Date;
  readonly until?: Date;
  readonly keyId?: string;
  readonly action?: string;
  readonly user?: string;
}

/** The records that match, in order. */
export async function* showAudit(folder: string, filter: AuditFilter): AsyncGenerator<AuditLine> {
  for (const file of await auditFiles(folder)) {
    for await (const line of linesOf(file.path)) {
      const fields = line.complete ? readLine(line.text) : undefined;
      if (fields !== undefined && matches(fields, filter)) yield fields;
    }
  }
}

function matches(line: AuditLine, filter: AuditFilter): boolean {
  const at = new Date(line.at);
  const isOf = (user: string): boolean =>
    [line.user, line.initiator, line.responder].includes(user);
  return (
    (filter.since === undefined || at >= filter.since) &&
    (filter.until === undefined || at <= filter.until) &&
    (filter.keyId === undefined || line.keyId === filter.keyId.toLowerCase()) &&
    (filter.action === undefined || line.action === filter.action) &&
    (filter.user === undefined || isOf(filter.user))
  );
}
