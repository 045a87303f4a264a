import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { systemTimers, type Environment } from '../../src/base/environment.js';
import { SegyError } from '../../src/base/errors.js';
import type { MediaEngine, MediaEvent } from '../../src/media/index.js';
import { SrtpSender } from '../../src/srtp/index.js';
import { freePortRange } from '../support/ports.js';
import {
  environment,
  OUTER,
  Party,
  startEngine,
  testKey,
  until,
  untilRead,
  voice,
} from './support.js';

const COMMAND_MS = 4_321;

const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof SegyError && error.code === expected;

/** First of four free ports, even. */
async function evenPort(): Promise<number> {
  const port = await freePortRange(6, OUTER);
  return port + (port % 2);
}

describe('media engine, when things go wrong', () => {
  let engine: MediaEngine;
  afterEach(async () => {
    await engine.close();
    Party.closeAll();
  });

  it('refuses a session when the ports are used up, and serves again when one is freed', async () => {
    const base = await evenPort();
    engine = await startEngine({ outer: { address: OUTER, portMin: base - 1, portMax: base + 3 } });
    const first = await engine.allocate();
    await engine.allocate();
    await assert.rejects(engine.allocate(), code('SEGY_E_MEDIA_PORTS'));
    await first.close();
    const again = await engine.allocate();
    assert.equal(again.outer.rtpPort, first.outer.rtpPort);
    assert.equal(again.outer.rtpPort % 2, 0);
    assert.equal(again.outer.rtcpPort, again.outer.rtpPort + 1);
  });

  it('passes over a port that another program holds', async () => {
    const base = await evenPort();
    const other = createSocket('udp4');
    other.bind(base + 1, OUTER);
    await once(other, 'listening');
    engine = await startEngine({ outer: { address: OUTER, portMin: base, portMax: base + 3 } });
    const session = await engine.allocate();
    assert.equal(session.outer.rtpPort, base + 2);
    await assert.rejects(engine.allocate(), code('SEGY_E_MEDIA_PORTS'));
    other.close();
  });

  it('refuses sessions beyond the limit of its workers', async () => {
    engine = await startEngine({ limits: { sessionsPerWorker: 1 } });
    await engine.allocate();
    await assert.rejects(engine.allocate(), code('SEGY_E_MEDIA_PORTS'));
  });

  it('ends a worker that does not answer, with its sessions, and starts another', async () => {
    let expire = false;
    const timers: Environment['timers'] = {
      setTimeout: (callback, ms) => {
        if (!expire || ms !== COMMAND_MS) return systemTimers.setTimeout(callback, ms);
        queueMicrotask(callback);
        return {};
      },
      clearTimeout: (handle) => systemTimers.clearTimeout(handle),
    };
    const limits = { commandMs: COMMAND_MS };
    engine = await startEngine({ limits }, { ...environment, timers });
    const session = await engine.allocate();
    const events: MediaEvent[] = [];
    session.on('event', () => {
      throw new Error('a listener that throws');
    });
    session.on('event', (event) => events.push(event));
    const free = (await engine.stats()).freePorts.outer;
    expire = true;
    for (let i = 0; i < 50 && !session.ended; i++) await session.stats().catch(() => undefined);
    expire = false;
    await until(() => session.ended);
    assert.deepEqual(events, [{ type: 'ended', reason: 'worker' }]);
    assert.equal((await engine.stats()).freePorts.outer, free + 1);
    await assert.rejects(session.disarm(), code('SEGY_E_MEDIA_ENDED'));
    let next: unknown;
    while (!next) next = await engine.allocate().catch(() => new Promise((r) => setTimeout(r, 20)));
    assert.equal((await engine.stats()).workerRestarts, 1);
  });

  it('loses no packet of a talker while garbage floods the same port', async () => {
    engine = await startEngine();
    const session = await engine.allocate();
    const pbx = await Party.open('127.0.0.1');
    const peer = await Party.open('127.0.2.1');
    const attacker = await Party.open('127.0.2.9');
    await session.setRemote('inner', pbx.address);
    await session.setRemote('outer', peer.address);
    await session.arm({ receive: { keys: [testKey(1)] }, send: { key: testKey(2) } });
    const sender = new SrtpSender(testKey(1), { ssrc: 5 });
    const garbage = new SrtpSender(testKey(9), { ssrc: 6 });
    const forged = new SrtpSender({ ...testKey(9), mki: testKey(1).mki }, { ssrc: 7 });
    for (let i = 0; i < 50; i++) {
      peer.send(sender.protect(voice(i), i), session.outer.rtpPort, OUTER);
      for (let n = 0; n < 20; n++) {
        const bad = n % 2 === 0 ? garbage : forged;
        const packet = bad.protect(voice(n), 20 * i + n);
        attacker.send(packet, session.outer.rtpPort, OUTER);
      }
      await untilRead(OUTER, session.outer.rtpPort);
    }
    await until(() => pbx.received.length === 50);
    const stats = await session.stats();
    assert.deepEqual(stats.toInner.dropped, { 'unknown-mki': 500, auth: 500 });
    assert.equal(stats.streams, 1);
    assert.equal(stats.outerRemote?.address, '127.0.2.1');
  });
});
