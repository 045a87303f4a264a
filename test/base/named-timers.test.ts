import assert from 'node:assert/strict';
import { NamedTimers } from '../../src/base/named-timers.js';
import { FakeTimers } from '../sip/support/fake-timers.js';

describe('Named timers', () => {
  it('run once at a time for each name and owner; a start is a restart', () => {
    const clock = new FakeTimers();
    const fired: string[] = [];
    const timers = new NamedTimers<'a' | 'b'>(clock, (name, owner) => fired.push(name + owner));
    timers.start('a', 100);
    timers.start('a', 100, '1');
    clock.advance(50);
    timers.start('a', 100);
    timers.start('b', 10);
    timers.stop('b');
    timers.stop('b', '1');
    clock.advance(50);
    assert.deepEqual(fired, ['a1']);
    clock.advance(50);
    assert.deepEqual(fired, ['a1', 'a']);
  });

  it('are all ended at once', () => {
    const clock = new FakeTimers();
    const timers = new NamedTimers(clock, () => assert.fail('fired'));
    timers.start('a', 1);
    timers.start('a', 1, '1');
    timers.stopAll();
    assert.equal(clock.waiting, 0);
  });
});
