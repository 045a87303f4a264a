import assert from 'node:assert/strict';
import { SegyError } from '../../src/base/errors.js';
import { Turns } from '../../src/partner-documents/turns.js';
import { WatchedDocument } from '../../src/partner-documents/watched-document.js';
import { fakeEnvironment, FakeTimers } from '../sip/support/fake-timers.js';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a document that is watched', () => {
  let timers: FakeTimers;
  let reads: number;
  let failures: SegyError[];
  let queue: (() => Promise<void>)[];
  let document: WatchedDocument;
  beforeEach(() => {
    timers = new FakeTimers();
    reads = 0;
    failures = [];
    queue = [];
    document = new WatchedDocument({
      refreshMs: 3_600_000,
      enqueue: (read) => void queue.push(read),
      read: () => {
        reads += 1;
        const failure = failures.shift();
        return failure === undefined ? Promise.resolve() : Promise.reject(failure);
      },
      onOutcome: () => undefined,
      env: fakeEnvironment(timers),
    });
  });
  const turn = async (): Promise<void> => {
    await queue.shift()?.();
    await settled();
  };

  it('is read once for notices that come while it waits for its turn', async () => {
    document.notice();
    document.notice();
    assert.equal(queue.length, 1);
    await turn();
    assert.equal(reads, 1);
  });

  it('is read again for a notice that comes while it is read', async () => {
    document.notice();
    const reading = queue.shift()!();
    document.notice();
    await reading;
    assert.equal(queue.length, 1);
    await turn();
    assert.equal(reads, 2);
    assert.equal(queue.length, 0);
  });

  it('is read again after its refresh time without any notice', async () => {
    document.notice();
    await turn();
    timers.advance(3_599_000);
    assert.equal(queue.length, 0);
    timers.advance(722_000);
    assert.equal(queue.length, 1);
  });

  it('that fails is tried again after a wait that doubles, no longer than the refresh time', async () => {
    document.notice();
    for (let n = 0; n < 14; n += 1) {
      failures = [new SegyError('SEGY_E_PARTNER_IDM', 'down')];
      await turn();
      const wait = Math.min(2000 * 2 ** n, 3_600_000);
      timers.advance(wait - 1);
      assert.equal(queue.length, 0);
      timers.advance(0.21 * wait + 1);
      assert.equal(queue.length, 1);
    }
  });

  it('that is refused waits longer, and a notice ends the wait', async () => {
    document.notice();
    failures = [new SegyError('SEGY_E_NOT_FOUND', 'no')];
    await turn();
    timers.advance(29_000);
    assert.equal(queue.length, 0);
    document.notice();
    assert.equal(queue.length, 1);
  });

  it('waits as long as the partner asks', async () => {
    document.notice();
    const details = { retryAfterSeconds: '500' };
    failures = [new SegyError('SEGY_E_PARTNER_IDM', 'busy', { details })];
    await turn();
    timers.advance(499_000);
    assert.equal(queue.length, 0);
  });

  it('is not read after its end', async () => {
    document.notice();
    document.end();
    await turn();
    document.notice();
    assert.deepEqual([reads, queue.length, timers.waiting], [0, 0, 0]);
  });
});

describe('requests to a partner', () => {
  it('begin so many a second, run so many at once, and none is lost', async () => {
    const timers = new FakeTimers();
    const turns = new Turns(fakeEnvironment(timers), { parallel: 2, requestsPerSecond: 10 });
    const running: (() => void)[] = [];
    let begun = 0;
    for (let n = 0; n < 5; n += 1) {
      turns.add(() => {
        begun += 1;
        return new Promise((resolve) => running.push(resolve));
      });
    }
    assert.equal(begun, 1);
    timers.advance(99);
    assert.equal(begun, 1);
    timers.advance(1);
    assert.equal(begun, 2);
    timers.advance(1000);
    assert.equal(begun, 2, 'two are under way');
    while (begun < 5) {
      running.shift()!();
      await settled();
      timers.advance(100);
    }
    assert.equal(begun, 5);
  });

  it('do not begin after the end', () => {
    const timers = new FakeTimers();
    const turns = new Turns(fakeEnvironment(timers), { parallel: 9, requestsPerSecond: 1 });
    let begun = 0;
    const work = (): Promise<void> => {
      begun += 1;
      return Promise.resolve();
    };
    turns.add(work);
    turns.add(work);
    turns.end();
    timers.advance(10_000);
    assert.equal(begun, 1);
  });
});
