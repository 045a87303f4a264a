import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditLog, tailAudit } from '../../src/audit/index.js';
import { silentLog, systemClock } from '../../src/base/environment.js';

describe('the end of the audit log', () => {
  let folder: string;

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'segy-tail-')), 'audit');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = () => AuditLog.open({ folder, clock: systemClock, log: silentLog });
  const last = async (count: number): Promise<number[]> =>
    (await tailAudit(folder, count)).map(({ seq }) => seq);

  it('is empty where there is no log', async () => {
    assert.deepEqual(await last(5), []);
  });

  it('is its last records in order, while it is written', async () => {
    const log = await open();
    for (let n = 0; n < 7; n++) await log.record({ action: 'opened', keyId: `1000000${n}` });
    assert.deepEqual(await last(3), [5, 6, 7]);
    assert.deepEqual(await last(100), [1, 2, 3, 4, 5, 6, 7]);
    await log.close();
  });

  it('goes back over the beginning of a new file', async () => {
    const log = await open();
    for (let n = 0; n < 3; n++) await log.record({ action: 'opened' });
    await log.rotate();
    assert.deepEqual(await last(3), [2, 3, 4]);
    await log.close();
  });

  it('leaves out a line that is not whole yet', async () => {
    const log = await open();
    await log.record({ action: 'opened' });
    await log.close();
    appendFileSync(join(folder, readdirSync(folder)[0]!), '{"seq":2,"at":');
    assert.deepEqual(await last(3), [1]);
  });

  it('is found without a walk over all of it, whatever it weighs', async () => {
    const log = await open();
    const detail = 'x'.repeat(500);
    const records = Array.from({ length: 1000 }, () => log.record({ action: 'opened', detail }));
    await Promise.all(records);
    assert.deepEqual(await last(2), [999, 1000]);
    assert.ok((await last(1000)).length < 300);
    await log.close();
  });
});
