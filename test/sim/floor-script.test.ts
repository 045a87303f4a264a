import assert from 'node:assert/strict';
import { silentLog, silentMetrics, systemClock, systemRandom } from '../../src/base/environment.js';
import { parseFloorScript, playFloorScript, SimFloor } from '../../src/sim/index.js';
import { FakeTimers } from '../sip/support/fake-timers.js';

describe('sim/floor-script', () => {
  it('reads steps of seconds and actions', () => {
    assert.deepEqual(parseFloorScript('0.5:key, 2:unkey'), [
      { atMs: 500, action: 'key' },
      { atMs: 2000, action: 'unkey' },
    ]);
  });

  it('refuses what is no step', () => {
    for (const text of ['', 'key', '1:dance', '-1:key', '1:key,', '1:toString']) {
      assert.throws(() => parseFloorScript(text), { code: 'SEGY_E_USAGE' }, text);
    }
  });

  it('does each step at its time, and none after it was ended', () => {
    const timers = new FakeTimers();
    const env = { clock: systemClock, timers, random: systemRandom, log: silentLog };
    const floor = new SimFloor(
      { address: '127.0.0.1', key: null },
      { own: 'sip:a@x', peer: 'sip:b@x' },
      { ...env, metrics: silentMetrics },
    );
    floor.take({ address: '127.0.0.1', port: 9, parameters: ['mc_queueing'] });
    floor.start();
    const end = playFloorScript(parseFloorScript('1:key,2:unkey,3:key'), floor, timers);
    timers.advance(1000);
    assert.deepEqual(floor.server.holders, ['sip:a@x']);
    timers.advance(1000);
    assert.deepEqual(floor.server.holders, []);
    end();
    timers.advance(1500);
    assert.deepEqual(floor.server.holders, []);
    floor.close();
  });
});
