/** The files of one audit log: `audit-<number of its first line, 12 digits>.log` in one folder. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createReadStream } from 'node:fs';
import { MAX_LINE } from './chain.js';

const FILE_NAME = /^audit-(\d{12})\.log$/;

export interface AuditFile {
  readonly path: string;
  /** number of the first line it holds or will hold */
  readonly firstSeq: number;
}

export function auditFile(folder: string, firstSeq: number): AuditFile {
  const path = join(folder, `audit-${String(firstSeq).padStart(12, '0')}.log`);
  return { path, firstSeq };
}

/** In the order of the chain; empty where there is no folder yet. */
export async function auditFiles(folder: string): Promise<AuditFile[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .flatMap((name) => FILE_NAME.exec(name)?.[1] ?? [])
    .map((digits) => auditFile(folder, Number(digits)))
    .sort((a, b) => a.firstSeq - b.firstSeq);
}

export interface RawLine {
  readonly text: string;
  /** octet after its line feed, or the end of the file */
  readonly end: number;
  /** ended by a line feed */
  readonly complete: boolean;
  /** longer than any that is written: what follows it in the file is not read */
  readonly tooLong: boolean;
}

/** The lines of a file, one in memory at a time. */
export async function* linesOf(path: string): AsyncGenerator<RawLine> {
  let rest: Buffer = Buffer.alloc(0);
  let end = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let feed = rest.indexOf(0x0a); feed >= 0; feed = rest.indexOf(0x0a)) {
      if (feed > MAX_LINE) break;
      end += feed + 1;
      const text = rest.subarray(0, feed).toString('utf8');
      yield { text, end, complete: true, tooLong: false };
      rest = rest.subarray(feed + 1);
    }
    if (rest.length > MAX_LINE) break;
  }
  if (rest.length > 0) {
    const tooLong = rest.length > MAX_LINE;
    yield { text: rest.toString('utf8'), end: end + rest.length, complete: false, tooLong };
  }
}

/** Makes the entries of a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
