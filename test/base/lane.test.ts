import assert from 'node:assert/strict';
import { Lane } from '../../src/base/lane.js';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('base/lane', () => {
  it('runs so much at a time, the rest in its order, and goes on after a failure', async () => {
    const lane = new Lane(2, 10);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const all = [0, 1, 2, 3].map((n) =>
      lane.run(async () => {
        begun.push(n);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (n === 0) throw new Error('the first fails');
        return n;
      }),
    );
    const failed = assert.rejects(all[0]!, /the first fails/);
    await settled();
    assert.deepEqual(begun, [0, 1]);
    ends[0]!();
    await failed;
    await settled();
    assert.deepEqual(begun, [0, 1, 2]);
    for (let n = 1; n < 4; n += 1) {
      ends[n]!();
      await settled();
    }
    assert.deepEqual(await Promise.all(all.slice(1)), [1, 2, 3]);
  });

  it('refuses what would wait behind too much, and takes more when there is room', async () => {
    const lane = new Lane(1, 1);
    let end: () => void = () => undefined;
    const first = lane.run(() => new Promise<void>((resolve) => (end = resolve)));
    const second = lane.run(() => Promise.resolve('second'));
    await assert.rejects(
      lane.run(() => Promise.resolve()),
      { code: 'SEGY_E_BUSY' },
    );
    end();
    await first;
    assert.equal(await second, 'second');
    assert.equal(await lane.run(() => Promise.resolve('third')), 'third');
  });
});
