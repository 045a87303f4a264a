/**
 * Writes to a store and an audit log whose files may not grow beyond a limit, lifts the limit, writes on
 * and dies at once. What was acknowledged is printed.
 */
import { execFileSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { AuditLog } from '../../src/audit/index.js';
import { silentLog, systemClock } from '../../src/base/environment.js';
import { openLevelBackend, openStore } from '../../src/store/index.js';
import { storeOptions } from './support.js';

const VALUE = new Uint8Array(700).fill(1);
const LIMIT_OCTETS = 40_000;

const [, , folder = ''] = process.argv;
const limitFiles = (octets: number | 'unlimited'): void => {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${octets}:`]);
};

const store = await openStore(
  storeOptions(await openLevelBackend(join(folder, 'store'), { create: true })),
);
const audit = await AuditLog.open({
  folder: join(folder, 'audit'),
  clock: systemClock,
  log: silentLog,
});
const kept: string[] = [];
const noted: string[] = [];
let refused = 0;

async function writeSome(prefix: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const name = `${prefix}${n}`;
    const long = 'x'.repeat(500);
    const put = store.space('a').put(name, VALUE);
    const record = audit.record({ action: 'opened', dialog: name, detail: long, message: long });
    await Promise.all([
      put.then(
        () => kept.push(name),
        () => (refused += 1),
      ),
      record.then(
        () => noted.push(name),
        () => (refused += 1),
      ),
    ]);
  }
}

await writeSome('room', 5);
limitFiles(LIMIT_OCTETS);
await writeSome('full', 120);
const faults = [store.fault, audit.fault];
limitFiles('unlimited');
await writeSome('again', 40);
writeSync(1, JSON.stringify({ kept, noted, refused, faults, after: [store.fault, audit.fault] }));
process.kill(process.pid, 'SIGKILL');
