/** The end of the audit log, for whoever looks at it while it is written. Needs no lock and no key. */
import { open } from 'node:fs/promises';
import { readLine } from './chain.js';
import type { AuditLine } from './chain.js';
import { auditFiles } from './files.js';

/** Read of each file at most, in octets. */
const MAX_READ = 128 * 1024;
/** Files looked into at most: the last one may have just been begun. */
const MAX_FILES = 2;

/** The last records, in order; up to `count`, and fewer where they are very long. */
export async function tailAudit(folder: string, count: number): Promise<AuditLine[]> {
  let found: AuditLine[] = [];
  for (const { path } of (await auditFiles(folder)).slice(-MAX_FILES).reverse()) {
    found = [...(await endOf(path)), ...found];
    if (found.length >= count) break;
  }
  return found.slice(-count);
}

async function endOf(path: string): Promise<AuditLine[]> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const begin = Math.max(0, size - MAX_READ);
    const octets = Buffer.alloc(size - begin);
    const { bytesRead } = await file.read(octets, 0, octets.length, begin);
    const lines = octets.subarray(0, bytesRead).toString('utf8').split('\n');
    // The first may begin in its middle; after the last line feed is a line that is still written.
    const whole = lines.slice(begin === 0 ? 0 : 1, -1);
    return whole.flatMap((line) => readLine(line) ?? []);
  } finally {
    await file.close();
  }
}
