import assert from 'node:assert/strict';
import { InnerSource, OuterSources } from '../../../src/edge/partners/admission.js';
import { SourceLog } from '../../../src/base/source-log.js';
import type { SipSource } from '../../../src/sip/index.js';
import { FakeAddresses } from '../support/fakes.js';
import { Harness } from '../support/harness.js';
import { TEST_ENV } from '../support/peer.js';

function at(address: string, more: Partial<SipSource> = {}): SipSource {
  return {
    protocol: 'udp',
    address,
    port: 5060,
    localAddress: '127.0.1.1',
    localPort: 5060,
    ...more,
  };
}

const partner = (sip: object, limits: object = {}) => {
  const base = new Harness().partner();
  return { ...base, sip: { ...base.sip, ...sip }, limits: { ...base.limits, ...limits } };
};
const NO_NAMES = new FakeAddresses();
const ADDRESS = { host: '192.0.2.1', port: 5060, transport: 'udp' as const };

function clocked(start = 0) {
  const clock = { time: start, now: () => clock.time };
  return { clock, env: { ...TEST_ENV, clock } };
}

describe('edge/admission', () => {
  it('knows a partner by its address, from any port, also IPv4-mapped', () => {
    const sources = new OuterSources(
      [partner({ addresses: [ADDRESS], sources: ['192.0.2.7'] })],
      TEST_ENV,
      NO_NAMES,
    );
    for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.7']) {
      assert.equal(sources.identify(at(address, { port: 9 })).kind, 'partner');
    }
    assert.equal(sources.identify(at('192.0.2.2')).kind, 'stranger');
  });

  it('does not take UDP from the address of a partner that speaks only TLS', () => {
    const tls = partner({ addresses: [{ ...ADDRESS, transport: 'tls' }] });
    const sources = new OuterSources([tls], TEST_ENV, NO_NAMES);
    assert.equal(sources.identify(at('192.0.2.1')).kind, 'stranger');
    assert.equal(sources.identify(at('192.0.2.1', { protocol: 'tls' })).kind, 'partner');
  });

  it('takes TLS by the certificate’s name alone where names are configured', () => {
    const named = partner({
      addresses: [{ ...ADDRESS, transport: 'tls' }],
      tlsNames: ['sip.mc-a.example'],
    });
    const sources = new OuterSources([named], TEST_ENV, NO_NAMES);
    const tls = (authorized: boolean, name: string) =>
      at('203.0.113.9', { protocol: 'tls', tls: { authorized, subjectAltNames: [`DNS:${name}`] } });
    assert.equal(sources.identify(tls(true, 'SIP.mc-a.example')).kind, 'partner');
    assert.equal(sources.identify(tls(false, 'sip.mc-a.example')).kind, 'stranger');
    assert.equal(sources.identify(tls(true, 'sip.mc-b.example')).kind, 'stranger');
    assert.equal(sources.identify(at('192.0.2.1', { protocol: 'tls' })).kind, 'stranger');
  });

  it('lets only a few messages of strangers be parsed, whatever their address', () => {
    const { clock, env } = clocked();
    const sources = new OuterSources([partner({ addresses: [ADDRESS] })], env, NO_NAMES);
    const admitted = Array.from({ length: 50 }, (_, i) => sources.admit(at(`198.51.100.${i}`)));
    assert.equal(admitted.filter(Boolean).length, 10);
    assert.equal(sources.admit(at('192.0.2.1')), true);
    clock.time = 1000;
    assert.equal(sources.admit(at('198.51.100.1')), true);
  });

  it('takes requests of each partner at its own rate', () => {
    const { clock, env } = clocked();
    const slow = partner({ addresses: [ADDRESS] }, { requestsPerSecond: 1, burst: 2 });
    const sources = new OuterSources([slow], env, NO_NAMES);
    assert.deepEqual(
      [1, 2, 3].map(() => sources.takeRequest(slow)),
      [true, true, false],
    );
    clock.time = 1000;
    assert.deepEqual(
      [1, 2].map(() => sources.takeRequest(slow)),
      [true, false],
    );
  });

  it('takes the inner side from the PBX address only', () => {
    const source = new InnerSource('127.0.0.1');
    assert.equal(source.admit(at('127.0.0.1')), true);
    assert.equal(source.admit(at('127.0.0.3')), false);
  });
});

describe('edge/source-log', () => {
  it('logs a kind from a source once a window and counts every one', () => {
    const { clock, env } = clocked();
    const logged: unknown[] = [];
    let counted = 0;
    const log = new SourceLog({
      ...env,
      log: { ...env.log, warn: (_event, fields) => logged.push(fields?.repeated ?? 'first') },
      metrics: { count: () => (counted += 1), gauge: () => undefined },
    });
    for (let i = 0; i < 5; i += 1)
      log.refused({ code: 'SEGY_E_SIP_SYNTAX', side: 'outer', source: '192.0.2.1', message: 'x' });
    log.refused({ code: 'SEGY_E_SIP_SYNTAX', side: 'outer', source: '192.0.2.2', message: 'x' });
    clock.time = 60_000;
    log.refused({ code: 'SEGY_E_SIP_SYNTAX', side: 'outer', source: '192.0.2.1', message: 'x' });
    assert.deepEqual(logged, ['first', 'first', 4]);
    assert.equal(counted, 7);
  });

  it('remembers a bounded number of sources', () => {
    const { env } = clocked();
    const log = new SourceLog(env, { windowMs: 1000, maxSources: 10, told: 20 });
    for (let i = 0; i < 1000; i += 1)
      log.refused({ code: 'SEGY_E_RATE', side: 'outer', source: `source-${i}`, message: 'x' });
    let logged = 0;
    const again = new SourceLog(
      { ...env, log: { ...env.log, warn: () => (logged += 1) } },
      { windowMs: 1000, maxSources: 2, told: 20 },
    );
    for (const source of ['a', 'b', 'c', 'a'])
      again.refused({ code: 'SEGY_E_RATE', side: 'outer', source, message: 'x' });
    assert.equal(logged, 4);
  });
});
