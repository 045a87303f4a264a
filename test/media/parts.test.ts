import assert from 'node:assert/strict';
import { systemRandom } from '../../src/base/environment.js';
import { SegyError } from '../../src/base/errors.js';
import { createSendingMemory } from '../../src/media/index.js';
import { Legs } from '../../src/media/legs.js';
import { DEFAULT_MEDIA_LIMITS } from '../../src/media/options.js';
import { PortPool } from '../../src/media/port-pool.js';
import { Protection } from '../../src/media/protection.js';
import { keyBuffers } from '../../src/media/protocol.js';
import { Reception } from '../../src/media/reception.js';
import { drawSsrc } from '../../src/media/sending-memory.js';
import { copyKeyMaterial } from '../../src/srtp/index.js';
import { testKey } from './support.js';

const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof SegyError && error.code === expected;

describe('port pool', () => {
  it('gives each even port once, and a freed one last', () => {
    const range = { address: '127.0.0.1', portMin: 5_001, portMax: 5_010 };
    const pool = new PortPool(range, 'outer', systemRandom);
    const taken = [pool.take(), pool.take(), pool.take()];
    pool.release(taken[0] ?? 0);
    const all = [...taken, pool.take(), pool.take(), pool.take()];
    assert.deepEqual(all.slice(0, 4).sort(), [5_002, 5_004, 5_006, 5_008]);
    assert.deepEqual(all.slice(4), [taken[0], undefined]);
  });

  it('refuses a range without a pair', () => {
    const range = { address: '127.0.0.1', portMin: 5_001, portMax: 5_002 };
    assert.throws(() => new PortPool(range, 'outer', systemRandom), code('SEGY_E_ARGUMENT'));
  });
});

describe('sending memory', () => {
  it('gives no SSRC twice under one key, and any under another', () => {
    const memory = createSendingMemory();
    const [a, b] = [testKey(1), testKey(2)];
    const claims = [memory.claim(a, 1), memory.claim(a, 1), memory.claim(b, 1)];
    assert.deepEqual(claims, [true, false, true]);
  });

  it('draws again until an SSRC is unused', async () => {
    const draws = [7, 7, 8];
    const random = (): Uint8Array => new Uint8Array([0, 0, 0, draws.shift() ?? 9]);
    const memory = createSendingMemory();
    const key = testKey(1);
    assert.equal(await drawSsrc(memory, key, random), 7);
    assert.equal(await drawSsrc(memory, key, random), 8);
  });

  it('gives up when every draw is used', async () => {
    const memory = { claim: () => false };
    await assert.rejects(drawSsrc(memory, testKey(1), systemRandom), code('SEGY_E_MEDIA'));
  });
});

describe('protection of a session', () => {
  const hooks = {
    clock: { now: () => 0 },
    random: systemRandom,
    isKnownSource: () => false,
    waitedInVain: () => undefined,
  };
  const receive = { keys: [testKey(1)] };
  const make = (): Protection => new Protection(DEFAULT_MEDIA_LIMITS, hooks);

  it('refuses clear media in one direction alone', () => {
    assert.throws(() => make().arm(receive, { clear: true }), code('SEGY_E_ARGUMENT'));
  });

  it('refuses keys in the middle of a clear session, and before it is armed', () => {
    const protection = make();
    assert.throws(() => protection.rekey([testKey(1)], null), code('SEGY_E_MEDIA'));
    protection.arm({ clear: true }, { clear: true });
    assert.throws(() => protection.rekey([testKey(1)], null), code('SEGY_E_MEDIA'));
  });

  it('wipes what it held at disarm: its sender seals nothing and its receiver holds no key', () => {
    const protection = make();
    protection.arm(receive, { key: testKey(2), ssrc: 1 });
    const { receiver, sender } = protection;
    protection.disarm();
    assert.equal(receiver?.contextCount, 0);
    assert.throws(
      () => sender?.protect(new Uint8Array(12).fill(0x80), 1),
      code('SEGY_E_SRTP_INDEX'),
    );
    assert.deepEqual([protection.receiver, protection.sender], [null, null]);
  });
});

describe('key octets between threads', () => {
  it('travel in buffers of their own that leave no copy behind', () => {
    const key = copyKeyMaterial(testKey(1));
    const command = {
      type: 'arm',
      receive: { keys: [key] },
      send: { key: copyKeyMaterial(testKey(2)), ssrc: 1 },
      clockRates: {},
    } as const;
    structuredClone(command, { transfer: keyBuffers(command) });
    assert.deepEqual([key.masterKey.length, key.masterSalt.length], [0, 0]);
  });
});

describe('outer remotes', () => {
  it('sends where SDP says until a packet authenticates, and again after SDP says otherwise', () => {
    const legs = new Legs(4);
    legs.setRemote('main', { address: '127.0.2.1', port: 5_000 });
    const leg = legs.attribute(1, '127.0.2.7', 7_000);
    assert.ok(leg);
    legs.learn(leg, '127.0.2.7', 7_000, 1);
    assert.equal(legs.destination?.port, 7_000);
    legs.setRemote('main', { address: '127.0.2.1', port: 5_000 });
    assert.equal(legs.destination.port, 7_000);
    legs.setRemote('main', { address: '127.0.2.1', port: 6_000 });
    assert.equal(legs.destination.port, 6_000);
  });

  it('forgets a leg that has ended', () => {
    const legs = new Legs(4);
    legs.setRemote('a', { address: '127.0.2.1', port: 5_000 });
    legs.setRemote('b', { address: '127.0.2.2', port: 6_000 });
    legs.drop('b');
    assert.equal(legs.destination?.port, 5_000);
  });

  it('does not guess which leg an unmatched packet belongs to', () => {
    const legs = new Legs(4);
    legs.setRemote('a', { address: '127.0.2.1', port: 5_000 });
    legs.setRemote('b', { address: '127.0.2.2', port: 6_000 });
    assert.equal(legs.attribute(9, '127.0.2.3', 1), null);
  });

  it('refuses more legs than allowed', () => {
    const legs = new Legs(1);
    legs.setRemote('a', null);
    assert.throws(() => legs.setRemote('b', null), code('SEGY_E_MEDIA'));
  });
});

describe('reception statistics', () => {
  it('counts loss and the fraction since the last report, over a wrap (RFC 3550 appendix A.3)', () => {
    const reception = new Reception();
    for (const i of [65_534, 65_535, 65_537, 65_538]) {
      reception.update(1, i & 0xffff, i * 160, 8_000, i * 20);
    }
    const report = reception.report(0);
    assert.equal(report?.cumulativeLost, 1);
    assert.equal(report.fractionLost, 51);
    assert.equal(report.highestSequence, 65_538);
    assert.equal(report.jitter, 0);
    assert.equal(reception.report(0)?.fractionLost, 0);
  });

  it('gives the middle of the last sender report and the time since', () => {
    const reception = new Reception();
    reception.update(1, 1, 160, 8_000, 0);
    reception.senderReport(1, 0x1234_5678, 0x9abc_def0, 1_000);
    const report = reception.report(1_500);
    assert.equal(report?.lastSr, 0x5678_9abc);
    assert.equal(report.delaySinceLastSr, 32_768);
  });
});
