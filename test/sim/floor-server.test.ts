import assert from 'node:assert/strict';
import { FLOOR_INDICATOR, type FloorMessage } from '../../src/floor/index.js';
import { FloorServer, type FloorServerOptions } from '../../src/sim/index.js';
import { FakeTimers } from '../sip/support/fake-timers.js';

const [A, B, C] = ['sip:a@x', 'sip:b@x', 'sip:c@x'] as const;

/** A server with participants that keep what it sends, in short words. */
function scene(
  options: Partial<FloorServerOptions> = {},
  queueing = true,
): {
  server: FloorServer;
  timers: FakeTimers;
  log: string[];
  says: (userId: string, type: FloorMessage['type'], indicator?: number) => string[];
} {
  const timers = new FakeTimers();
  const server = new FloorServer(options, timers);
  const log: string[] = [];
  for (const userId of [A, B, C]) {
    const name = userId[4]!;
    const send = (m: FloorMessage): void => {
      const cause = m.rejectCause ? ` ${m.rejectCause.cause}` : '';
      const place = m.queueInfo ? ` ${m.queueInfo.position}` : '';
      const by = m.grantedParty ? ` ${m.grantedParty[4]}` : '';
      const dual = ((m.indicator ?? 0) & FLOOR_INDICATOR.dualFloor) !== 0 ? ' dual' : '';
      log.push(`${name}: ${m.type}${cause}${place}${by}${dual}`);
    };
    server.join({ userId, queueing, send });
  }
  log.splice(0);
  const says = (userId: string, type: FloorMessage['type'], indicator = 0x8000): string[] => {
    server.receive(userId, { type, ackRequired: false, ssrc: 1, indicator, others: [] });
    return log.splice(0);
  };
  return { server, timers, log, says };
}

const { emergencyCall } = FLOOR_INDICATOR;

describe('Simulated floor control server', () => {
  it('grants a free floor and tells the others, and all of them when it is free again', () => {
    const { server, says } = scene();
    assert.deepEqual(says(A, 'request'), ['a: granted', 'b: taken a', 'c: taken a']);
    assert.equal(server.media(A), true);
    assert.equal(server.media(B), false);
    assert.deepEqual(says(A, 'release'), ['a: idle', 'b: idle', 'c: idle']);
    assert.equal(server.media(A), false);
  });

  it('queues, tells the place, and grants in turn', () => {
    const { says } = scene();
    says(A, 'request');
    assert.deepEqual(says(B, 'request'), ['b: queuePositionInfo 1']);
    assert.deepEqual(says(C, 'request'), ['c: queuePositionInfo 2']);
    assert.deepEqual(says(C, 'queuePositionRequest'), ['c: queuePositionInfo 2']);
    assert.deepEqual(says(A, 'release'), ['b: granted', 'a: taken b', 'c: taken b']);
    says(C, 'release');
    assert.deepEqual(says(B, 'release'), ['a: idle', 'b: idle', 'c: idle']);
  });

  it('denies where nobody is queued, where the queue is full, and as a script says', () => {
    const without = scene({ queueLimit: 0 });
    without.says(A, 'request');
    assert.deepEqual(without.says(B, 'request'), ['b: deny 1']);
    const full = scene({ queueLimit: 1 });
    full.says(A, 'request');
    full.says(B, 'request');
    assert.deepEqual(full.says(C, 'request'), ['c: deny 7']);
    const scripted = scene();
    scripted.server.script = ({ userId }) => (userId === A ? { deny: 6, phrase: 'no' } : 'ignore');
    assert.deepEqual(scripted.says(A, 'request'), ['a: deny 6']);
    assert.deepEqual(scripted.says(B, 'request'), []);
  });

  it('pre-empts for an emergency, and gives the floor only when it was given back', () => {
    const { says } = scene({ queueLimit: 0 }, false);
    says(A, 'request');
    assert.deepEqual(says(B, 'request', emergencyCall), ['a: revoke 4']);
    assert.deepEqual(says(A, 'release'), ['b: granted', 'a: taken b', 'c: taken b']);
    assert.deepEqual(says(C, 'request', emergencyCall), ['c: deny 1']);
  });

  it('lets an emergency talk beside the talker where it shares the floor', () => {
    const { server, says } = scene({ dualFloor: true });
    says(A, 'request');
    assert.deepEqual(says(B, 'request', emergencyCall), [
      'b: granted dual',
      'a: taken b dual',
      'c: taken b dual',
    ]);
    assert.deepEqual(server.holders, [A, B]);
    assert.deepEqual(says(B, 'release'), ['a: idle dual', 'b: taken a', 'c: taken a']);
  });

  it('takes the floor from one who is silent, or talks too long, and asks again by T8', () => {
    const { server, timers, log, says } = scene({ duration: 60, t2: 5000 });
    says(A, 'request');
    timers.advance(4000);
    assert.deepEqual(log.splice(0), ['a: revoke 255']);
    says(A, 'release');
    says(A, 'request');
    for (let i = 0; i < 4; i++) {
      timers.advance(1000);
      server.media(A);
    }
    timers.advance(1000);
    assert.deepEqual(log.splice(0), ['a: revoke 2']);
    timers.advance(10_000);
    assert.deepEqual(log.splice(0), ['a: revoke 2', 'a: revoke 2']);
    assert.deepEqual(server.holders, [A]);
    timers.advance(60_000);
    assert.deepEqual(server.holders, []);
  });

  it('repeats a grant until it is acknowledged, and an idle floor as often as it is told to', () => {
    const { timers, log, says } = scene({ ackGrants: true, t1: 60_000, c7: 2 });
    says(A, 'request');
    timers.advance(1000);
    assert.deepEqual(log.splice(0), ['a: granted']);
    says(A, 'ack');
    timers.advance(10_000);
    assert.deepEqual(log, []);
    says(A, 'release');
    timers.advance(10_000);
    assert.deepEqual(log, ['a: idle', 'b: idle', 'c: idle']);
  });

  it('forgets one who leaves, and ends its timers when it is closed', () => {
    const { server, timers, says } = scene();
    says(A, 'request');
    server.leave(A);
    assert.deepEqual(server.holders, []);
    says(B, 'request');
    server.close();
    assert.equal(timers.waiting, 0);
  });
});
