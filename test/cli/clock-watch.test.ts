import assert from 'node:assert/strict';
import { watchClock } from '../../src/cli/clock-watch.js';

/** A clock and the one timer of the watch, which runs when told. */
function watched() {
  let jumps = 0;
  let run = (): void => undefined;
  const time = { now: 1_000_000, cleared: 0 };
  const stop = watchClock(
    {
      clock: { now: () => time.now },
      timers: {
        setTimeout: (callback) => {
          run = callback;
          return 1;
        },
        clearTimeout: () => (time.cleared += 1),
      },
    },
    () => (jumps += 1),
  );
  const look = (elapsedMs: number): number => {
    time.now += elapsedMs;
    run();
    return jumps;
  };
  return { look, stop, time };
}

describe('the watch on the clock', () => {
  it('is quiet while the clock goes as time does, give or take the lag of a timer', () => {
    const { look } = watched();
    assert.deepEqual([look(15_000), look(15_400), look(45_000), look(14_000)], [0, 0, 0, 0]);
  });

  it('tells once of a clock that is set ahead, and once of one that is set back', () => {
    const { look } = watched();
    assert.deepEqual([look(15_000 + 86_400_000), look(15_000), look(15_000)], [1, 1, 1]);
    assert.deepEqual([look(15_000 - 86_400_000), look(15_000)], [2, 2]);
  });

  it('ends', () => {
    const { stop, time } = watched();
    stop();
    assert.equal(time.cleared, 1);
  });
});
