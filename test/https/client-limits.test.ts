import assert from 'node:assert/strict';
import { ClientLimits, clientKey } from '../../src/https/index.js';
import type { ClientLimitOptions } from '../../src/https/index.js';

const RATE = { requestsPerSecond: 1, burst: 2, handshakesPerSecond: 100, connections: 2 };

function limits(more: Partial<ClientLimitOptions> = {}): {
  limits: ClientLimits;
  at: { ms: number };
} {
  const at = { ms: 0 };
  const options: ClientLimitOptions = {
    anyone: RATE,
    known: new Map([['192.0.2.9', { ...RATE, burst: 50 }]]),
    handshakesPerSecond: 1000,
    connections: 3,
    remembered: 4,
    ...more,
  };
  return { limits: new ClientLimits(options, { now: () => at.ms }), at };
}

describe('https/client-limits', () => {
  it('gives each client its own rate', () => {
    const { limits: l, at } = limits();
    assert.deepEqual(
      [1, 2, 3].map(() => l.request('192.0.2.1')),
      [true, true, false],
    );
    assert.ok(l.request('192.0.2.2'));
    at.ms = 1000;
    assert.ok(l.request('192.0.2.1'));
  });

  it('gives a known address, such as a proxy with many users behind it, what the operator says', () => {
    const { limits: l } = limits();
    assert.ok(Array.from({ length: 25 }, () => l.request('192.0.2.9')).every(Boolean));
    const mapped = Array.from({ length: 26 }, () => l.request('::ffff:192.0.2.9'));
    assert.deepEqual([mapped.slice(0, 25).every(Boolean), mapped.at(-1)], [true, false]);
  });

  it('counts the addresses of one IPv6 /64 together', () => {
    const { limits: l } = limits();
    const got = ['2001:db8::1', '2001:db8:0:0:9::2', '2001:db8::3'].map((each) => l.request(each));
    assert.deepEqual(got, [true, true, false]);
    assert.equal(clientKey('::ffff:192.0.2.1'), '192.0.2.1');
    assert.notEqual(clientKey('2001:db8:0:1::1'), clientKey('2001:db8::1'));
  });

  it('limits connections of one client and of all', () => {
    const { limits: l } = limits();
    const left = l.connect('192.0.2.1');
    assert.ok(left && l.connect('192.0.2.1'));
    assert.equal(l.connect('192.0.2.1'), undefined);
    assert.ok(l.connect('192.0.2.2'));
    assert.equal(l.connect('192.0.2.3'), undefined);
    left();
    assert.ok(l.connect('192.0.2.3'));
  });

  it('limits the handshakes of all strangers together, and leaves the known ones theirs', () => {
    const { limits: l } = limits({ handshakesPerSecond: 1, connections: 100 });
    const got = [1, 2, 3].map((n) => l.connect(`192.0.2.${n}`) !== undefined);
    assert.deepEqual(got, [true, true, false]);
    assert.ok(l.connect('192.0.2.9'));
  });

  it('forgets the longest silent client and none that is connected', () => {
    const { limits: l } = limits({ connections: 10 });
    assert.ok(l.connect('192.0.2.1'));
    l.request('192.0.2.1');
    l.request('192.0.2.1');
    for (let n = 2; n < 50; n++) l.request(`192.0.2.${n}`);
    assert.equal(l.request('192.0.2.1'), false);
    assert.ok(l.request('192.0.2.2'));
  });
});
