import assert from 'node:assert/strict';
import { silentLog } from '../../src/base/environment.js';
import { ReplayRecord } from '../../src/keys/index.js';
import { MemoryBackend, openStore } from '../../src/store/index.js';
import type { BackendChange } from '../../src/store/index.js';
import { storeOptions } from '../store/support.js';

class SlowBackend extends MemoryBackend {
  broken = false;
  override async write(changes: readonly BackendChange[]): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.broken) throw new Error('No space left on device');
    await super.write(changes);
  }
}

async function replayRecord(maxEntries?: number) {
  const clock = { time: 1_000_000, now: () => clock.time };
  const backend = new SlowBackend();
  const records = (await openStore(storeOptions(backend))).space('replay');
  const open = () =>
    ReplayRecord.open({ records, clock, log: silentLog, ...(maxEntries && { maxEntries }) });
  return { clock, backend, records, open, record: await open() };
}

const REPLAYED = { code: 'SEGY_E_MIKEY_REPLAYED' };

describe('replay record', () => {
  it('knows the dialog that used a message, also after a restart', async () => {
    const { record, open } = await replayRecord();
    assert.equal(record.dialogOf('m1'), undefined);
    await record.enter('m1', 'dialog-1', 1_300_000);
    for (const each of [record, await open()]) {
      assert.equal(each.dialogOf('m1'), 'dialog-1');
      await assert.rejects(each.enter('m1', 'dialog-2', 1_300_000), REPLAYED);
    }
  });

  it('takes the same message again in the same dialog', async () => {
    const { record } = await replayRecord();
    await record.enter('m1', 'dialog-1', 1_300_000);
    await record.enter('m1', 'dialog-1', 1_300_000);
    assert.equal(record.size, 1);
  });

  it('lets one of two dialogs that bring a message at once have it', async () => {
    const { record } = await replayRecord();
    const results = await Promise.allSettled([
      record.enter('m1', 'dialog-1', 1_300_000),
      record.enter('m1', 'dialog-2', 1_300_000),
    ]);
    assert.deepEqual(
      results.map((result) => result.status),
      ['fulfilled', 'rejected'],
    );
  });

  it('does not say that a message was used before that is on disk', async () => {
    const { record } = await replayRecord();
    const entered = record.enter('m1', 'dialog-1', 1_300_000);
    assert.equal(record.dialogOf('m1'), undefined);
    await entered;
    assert.equal(record.dialogOf('m1'), 'dialog-1');
  });

  it('refuses the key when the entry cannot be written, and writes it at the next attempt', async () => {
    const { record, backend, open } = await replayRecord();
    backend.broken = true;
    await assert.rejects(record.enter('m1', 'dialog-1', 1_300_000), { code: 'SEGY_E_STORE' });
    backend.broken = false;
    await record.enter('m1', 'dialog-1', 1_300_000);
    assert.equal((await open()).dialogOf('m1'), 'dialog-1');
  });

  it('forgets a message that left its window, from disk too, and takes it no more', async () => {
    const { record, clock, records } = await replayRecord();
    await record.enter('m1', 'dialog-1', 1_300_000);
    clock.time = 1_300_001;
    assert.equal(record.dialogOf('m1'), undefined);
    await assert.rejects(record.enter('m1', 'dialog-1', 1_300_000), {
      code: 'SEGY_E_MIKEY_WINDOW',
    });
    clock.time += 3_600_000;
    await record.sweep();
    assert.deepEqual((await records.all()).records, []);
  });

  it('knows a message again after the clock was set ahead and back', async () => {
    const { record, clock, open } = await replayRecord();
    await record.enter('m1', 'dialog-1', 1_300_000);
    const before = clock.time;
    clock.time = 1_310_001;
    await record.enter('m2', 'dialog-2', 1_400_000);
    clock.time = before;
    for (const each of [record, await open()]) {
      await assert.rejects(each.enter('m1', 'dialog-3', 1_300_000), {
        code: 'SEGY_E_MIKEY_REPLAYED',
      });
    }
  });

  it('refuses more messages than it may hold', async () => {
    const { record, clock } = await replayRecord(2);
    await record.enter('m1', 'd', 1_300_000);
    await record.enter('m2', 'd', 1_300_000);
    await assert.rejects(record.enter('m3', 'd', 1_300_000), { code: 'SEGY_E_BUSY' });
    clock.time = 1_300_001;
    await record.enter('m4', 'd', 1_500_000);
    await record.enter('m5', 'd', 1_500_000);
    await assert.rejects(record.enter('m6', 'd', 1_500_000), { code: 'SEGY_E_BUSY' });
  });

  it('is not opened when an entry is damaged, since a replay might pass', async () => {
    const { record, backend, open } = await replayRecord();
    await record.enter('m1', 'dialog-1', 1_300_000);
    for await (const { name } of backend.entries('r/replay/')) await backend.write([{ name }]);
    await assert.rejects(open(), { code: 'SEGY_E_STORE' });
  });
});
