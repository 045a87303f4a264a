import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { showAudit, verifyAudit } from '../../src/audit/index.js';
import {
  MemoryBackend,
  openLevelBackend,
  openStore,
  restoreStore,
  verifyStore,
} from '../../src/store/index.js';
import { MASTER, storeOptions, withFolder } from './support.js';

const LIFE = fileURLToPath(new URL('./crash-life.js', import.meta.url));
/** Kills per run; SEGY_CRASH_ROUNDS=100 for the long form. */
const ROUNDS = Number(process.env.SEGY_CRASH_ROUNDS ?? 8);

/** Runs the life and kills it some time after it opened the store. @returns what it acknowledged */
function liveAndDie(folder: string, first: number, killAfterMs: number): Promise<string[]> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [LIFE, folder, String(first)]);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (said === '') setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      said += text;
    });
    child.on('close', () => resolve(said.split('\n').slice(0, -1)));
  });
}

describe('kill -9 at any moment', () => {
  it(`loses nothing that was acknowledged, in ${ROUNDS} rounds`, function () {
    this.timeout(60_000 + ROUNDS * 2000);
    return withFolder(async (folder) => {
      const acknowledged = { key: new Set<number>(), audit: new Set<number>() };
      let first = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const killAfterMs = randomInt(120);
        const said = await liveAndDie(folder, first, killAfterMs);
        const where = `round ${round}, killed after ${killAfterMs} ms, ${said.at(-1) ?? 'silent'}`;
        assert.equal(said[0], 'open 0', where);
        for (const line of said) {
          const [what = '', n = ''] = line.split(' ');
          if (what === 'key' || what === 'audit') acknowledged[what].add(Number(n));
          first = Math.max(first, Number(n) + 1);
        }
        await checkStore(join(folder, 'store'), acknowledged.key, where);
        await checkAudit(join(folder, 'audit'), acknowledged.audit, where);
      }
      if (existsSync(join(folder, 'backup'))) await checkBackup(join(folder, 'backup'));
      assert.ok(acknowledged.key.size > 0);
    });
  });
});

async function checkStore(path: string, keys: ReadonlySet<number>, where: string): Promise<void> {
  const store = await openStore(storeOptions(await openLevelBackend(path, { create: false })));
  try {
    assert.deepEqual((await verifyStore(store)).refused, [], where);
    for (const n of keys) {
      const value = await store.space('keys').get(`k${n}`);
      assert.equal(value && Buffer.from(value).toString(), `value of ${n}`, where);
    }
  } finally {
    await store.close();
  }
}

async function checkAudit(folder: string, keys: ReadonlySet<number>, where: string): Promise<void> {
  assert.deepEqual((await verifyAudit(folder)).faults, [], where);
  const found = new Set<number>();
  for await (const line of showAudit(folder, { action: 'made' })) {
    found.add(parseInt(line.keyId ?? '', 16));
  }
  assert.deepEqual(
    [...keys].filter((n) => !found.has(n)),
    [],
    where,
  );
}

async function checkBackup(path: string): Promise<void> {
  const backend = new MemoryBackend();
  await restoreStore(path, () => Promise.resolve(backend), MASTER);
  assert.deepEqual((await verifyStore(await openStore(storeOptions(backend)))).refused, []);
}
