import assert from 'node:assert/strict';
import { FairShare } from '../../src/media/fair-share.js';

describe('fair share', () => {
  let now = 0;
  const share = (perSecond: number): FairShare =>
    new FairShare({ now: () => now }, perSecond, () => Uint8Array.from([1, 2, 3, 4]));

  beforeEach(() => {
    now = 0;
  });

  it('lets all pass while no more come than may', () => {
    const fair = share(1_000);
    for (; now < 1_000; now += 1) assert.ok(fair.take());
  });

  it('gives each the same chance where more come, also the last of a burst', () => {
    const fair = share(8_000);
    const passed = { first: 0, last: 0, all: 0 };
    for (; now < 10_000; now += 1) {
      for (let i = 0; i < 20; i += 1) {
        const may = fair.take();
        if (now < 1_000 || !may) continue;
        passed.all += 1;
        if (i === 0) passed.first += 1;
        if (i === 19) passed.last += 1;
      }
    }
    assert.ok(passed.all > 9 * 7_500 && passed.all < 9 * 8_500, String(passed.all));
    for (const each of [passed.first, passed.last]) {
      assert.ok(each > 9 * 340 && each < 9 * 460, String(each));
    }
  });

  it('lets no more than twice the share pass when a flood begins', () => {
    const fair = share(1_000);
    let passed = 0;
    for (let i = 0; i < 10_000; i += 1) passed += fair.take() ? 1 : 0;
    assert.equal(passed, 200);
  });
});
