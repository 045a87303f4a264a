import assert from 'node:assert/strict';
import { Dialler } from '../../src/media/dialler.js';
import type { InsertedEvent } from '../../src/media/path-streams.js';
import { FakeTimers } from '../sip/support/fake-timers.js';

function setUp() {
  const timers = new FakeTimers();
  const sent: InsertedEvent[] = [];
  return { timers, sent, dialler: new Dialler(timers, (event) => sent.push(event)) };
}

describe('media/dialler', () => {
  it('sends a digit as one event of 100 ms whose end is told three times', () => {
    const { timers, sent, dialler } = setUp();
    dialler.dial('#', 101);
    timers.advance(1000);
    assert.deepEqual(
      sent.map(({ payload, first, payloadType }) => [...payload, first, payloadType]),
      [
        [11, 10, 0, 160, true, 101],
        [11, 10, 1, 64, false, 101],
        [11, 10, 1, 224, false, 101],
        [11, 10, 2, 128, false, 101],
        [11, 10, 3, 32, false, 101],
        ...Array.from({ length: 3 }, () => [11, 138, 3, 32, false, 101]),
      ],
    );
  });

  it('sends one digit after the other, 20 ms a packet', () => {
    const { timers, sent, dialler } = setUp();
    dialler.dial('12', 101);
    assert.equal(sent.length, 1);
    timers.advance(140);
    assert.equal(sent.length, 8);
    timers.advance(2000);
    assert.deepEqual(
      sent.filter(({ first }) => first).map(({ payload }) => payload[0]),
      [1, 2],
    );
  });

  it('sends nothing where the PBX takes no events, nor what is no digit, nor after its end', () => {
    const { timers, sent, dialler } = setUp();
    dialler.dial('1', null);
    dialler.dial('x', 101);
    timers.advance(500);
    assert.equal(sent.length, 0);
    dialler.dial('123', 101);
    dialler.stop();
    timers.advance(500);
    assert.equal(sent.length, 1);
  });
});
