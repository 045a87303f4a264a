/**
 * A scripted life of the store and the audit log, for crash.test.ts to kill at any moment. Says on
 * standard output, unbuffered, what has been acknowledged: `key 17`, `audit 17`, `rekey 50`, …
 * Usage: node crash-life.js FOLDER FIRST
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { AuditLog } from '../../src/audit/index.js';
import { utf8 } from '../../src/base/bytes.js';
import { silentLog, systemClock, systemRandom } from '../../src/base/environment.js';
import { backupStore, openLevelBackend, openStore, rekeyStore } from '../../src/store/index.js';
import { MASTER, storeOptions } from './support.js';

const [folder = '', first = '0'] = process.argv.slice(2);
const acknowledge = (what: string, n: number): void => {
  writeSync(1, `${what} ${n}\n`);
};

const backend = await openLevelBackend(join(folder, 'store'), { create: true });
const store = await openStore(storeOptions(backend));
const audit = await AuditLog.open({
  folder: join(folder, 'audit'),
  clock: systemClock,
  log: silentLog,
  maxFileOctets: 4000,
});
acknowledge('open', 0);
for (let n = Number(first); n < Number(first) + 200; n += 1) {
  await audit.record({ action: 'made', keyId: n.toString(16).padStart(8, '0') });
  acknowledge('audit', n);
  await Promise.all([
    store.space('keys').put(`k${n}`, utf8(`value of ${n}`)),
    store.space('users').put(`u${n % 7}`, utf8(`user at ${n}`)),
  ]);
  acknowledge('key', n);
  if (n % 30 === 10) {
    await rekeyStore(store, { master: MASTER, random: systemRandom });
    acknowledge('rekey', n);
  }
  if (n % 30 === 20) {
    await backupStore(store, backend, join(folder, 'backup'));
    acknowledge('backup', n);
  }
}
await audit.close();
await store.close();
