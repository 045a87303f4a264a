import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { silentLog, systemClock, systemRandom, systemTimers } from '../../src/base/environment.js';
import { silentMetrics } from '../../src/base/environment.js';
import { createMediaEngine } from '../../src/media/index.js';
import { putThisThreadAt } from '../../src/media/priority.js';

/** Field 19 of stat, counted after the command's name, which may hold spaces. */
function nicesOfThisProcess(): number[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}

describe('priority of media threads', () => {
  it('asks for the calling thread alone', () => {
    const asked: number[][] = [];
    const system = {
      threadSelf: () => '71/task/74',
      setPriority: (thread: number, nice: number) => void asked.push([thread, nice]),
    };
    assert.equal(putThisThreadAt(-10, system), true);
    assert.deepEqual(asked, [[74, -10]]);
  });

  it('goes on without it where the system refuses or does not tell the thread', () => {
    const refuses = {
      threadSelf: () => '71/task/74',
      setPriority: () => {
        throw new Error('EACCES');
      },
    };
    assert.equal(putThisThreadAt(-10, refuses), false);
    assert.equal(putThisThreadAt(-10, { ...refuses, threadSelf: () => 'self' }), false);
  });

  it('puts the worker of an engine, and no other thread, at the niceness given', async () => {
    const before = nicesOfThisProcess();
    const engine = await createMediaEngine(
      {
        workers: 1,
        nice: 7, // a higher niceness needs no right
        outer: { address: '127.0.0.1', portMin: 21_000, portMax: 21_099 },
        inner: { address: '127.0.0.1', portMin: 21_100, portMax: 21_199 },
      },
      {
        ...{ clock: systemClock, timers: systemTimers, random: systemRandom },
        ...{ log: silentLog, metrics: silentMetrics },
      },
    );
    assert.equal(nicesOfThisProcess().filter((nice) => nice === 7).length, 1);
    assert.deepEqual(
      before.filter((nice) => nice === 7),
      [],
    );
    await engine.close();
  });
});
