import assert from 'node:assert/strict';
import { SegyError } from '../../../src/base/errors.js';
import { PartnerHealth, PartnerProbes } from '../../../src/edge/index.js';
import { partnerTargets } from '../../../src/edge/partners/next-hop.js';
import { createResponse, type ClientTransaction, type SipRequest } from '../../../src/sip/index.js';
import { fakeEnvironment, FakeTimers } from '../../sip/support/fake-timers.js';
import { FakeAddresses, type Partner } from '../support/fakes.js';
import { Harness } from '../support/harness.js';

interface Asked {
  readonly at: number;
  readonly address: string;
  readonly request: SipRequest;
  readonly transaction: ClientTransaction;
}

function setUp(probe: Partial<Partner['sip']['probe']> = {}) {
  const timers = new FakeTimers();
  const events: string[] = [];
  const gauges: Record<string, number> = {};
  const note = (event: string): void => void events.push(event);
  const env = {
    ...fakeEnvironment(timers),
    log: { debug: note, info: note, warn: note, error: note },
    metrics: {
      count: () => undefined,
      gauge: (name: string, value: number, { partner = '', way = '' } = {}) => {
        gauges[`${name} ${partner} ${way}`.trim()] = value;
      },
    },
  };
  const asked: Asked[] = [];
  const endpoint = {
    request: (request: SipRequest, { address }: { address: string }): ClientTransaction => {
      const transaction: ClientTransaction = { request, cancel: () => undefined };
      asked.push({ at: timers.now, address, request, transaction });
      return transaction;
    },
  };
  const health = new PartnerHealth(env);
  const addresses = new FakeAddresses();
  addresses.ranked = (partner, targets) => health.ranked(partner, targets);
  const probes = new PartnerProbes({
    ...{ env, endpoint, health, addresses },
    identity: 'sip:segy@192.0.2.1',
  });
  const base = new Harness().partner();
  const partner: Partner = {
    ...base,
    sip: {
      ...base.sip,
      addresses: ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((host) => ({
        ...{ host, port: 5061, transport: 'tls' },
      })),
      probe: { ...base.sip.probe, enabled: true, intervalSeconds: 10, ...probe },
    },
  };
  /** Answers every question since the last time: 200 but for `dead` ones, who refuse. */
  let done = 0;
  const answer = (...dead: string[]): void => {
    for (const { address, request, transaction } of asked.slice(done)) {
      if (dead.includes(address)) {
        transaction.onError?.(new SegyError('SEGY_E_SIP_TRANSPORT', 'refused'));
      } else transaction.onFinal?.(createResponse(request, 405));
    }
    done = asked.length;
  };
  const order = () => partnerTargets(partner, addresses).map(({ address }) => address.slice(-1));
  return { timers, events, gauges, asked, probes, health, partner, answer, order };
}

describe('edge/partner-probes', () => {
  it('asks every address with OPTIONS at its interval, and any answer shows that it lives', () => {
    const s = setUp();
    s.probes.update([s.partner]);
    s.timers.advance(500);
    assert.equal(s.asked.length, 3);
    assert.equal(s.asked[0]!.request.method, 'OPTIONS');
    s.answer();
    assert.equal(s.gauges['segy_partner_up mc-a'], 1);
    assert.equal(s.gauges['segy_partner_address_up mc-a tls 192.0.2.1:5061'], 1);
    const [view] = s.probes.view();
    assert.equal(view!.state, 'up');
    assert.deepEqual(
      view!.ways.map(({ state }) => state),
      ['up', 'up', 'up'],
    );
    s.timers.advance(12_000);
    assert.equal(new Set(s.asked.slice(3).map(({ address }) => address)).size, 3);
    s.probes.stop();
    assert.equal(s.timers.waiting, 0);
  });

  it('a dead address goes to the end of the order at once and back when it answers again', () => {
    const s = setUp();
    s.probes.update([s.partner]);
    s.timers.advance(500);
    s.answer('192.0.2.1');
    assert.deepEqual(s.order(), ['2', '3', '1']);
    s.timers.advance(2500);
    s.answer();
    assert.deepEqual(s.order(), ['1', '2', '3']);
    assert.deepEqual(s.events.sort(), ['partner.address.down', 'partner.address.up', 'partner.up']);
    s.probes.stop();
  });

  it('a dead address is asked sooner, then less and less often', () => {
    const s = setUp({ retrySeconds: 2, maxRetrySeconds: 8, intervalSeconds: 1000 });
    s.probes.update([s.partner]);
    const times: number[] = [];
    for (let i = 0; i < 4000 && times.length < 6; i++) {
      s.timers.advance(10);
      s.answer('192.0.2.1');
      times.splice(0, 99, ...s.asked.filter((a) => a.address === '192.0.2.1').map((a) => a.at));
    }
    const pauses = times.slice(1).map((at, i) => (at - times[i]!) / 1000);
    for (const [i, wanted] of [2, 4, 8, 8].entries()) {
      assert.ok(pauses[i]! > 0.75 * wanted && pauses[i]! < 1.25 * wanted, pauses.join());
    }
    s.probes.stop();
  });

  it('silence and 503 are no life; a late answer is', () => {
    const s = setUp({ timeoutMs: 700 });
    s.probes.update([s.partner]);
    s.timers.advance(500);
    const [first, second, third] = s.asked;
    second!.transaction.onFinal?.(createResponse(second!.request, 503));
    third!.transaction.onFinal?.(createResponse(third!.request, 200));
    s.timers.advance(700);
    const at = (asked: Asked) =>
      s.probes.view()[0]!.ways.find(({ address }) => address === asked.address)!.state;
    assert.deepEqual([at(first!), at(second!), at(third!)], ['down', 'down', 'up']);
    first!.transaction.onFinal?.(createResponse(first!.request, 200));
    assert.equal(at(first!), 'up');
    s.probes.stop();
  });

  it('the partner is down when its last address is, and up again with the first', () => {
    const s = setUp();
    s.probes.update([s.partner]);
    s.timers.advance(500);
    s.answer('192.0.2.1', '192.0.2.2', '192.0.2.3');
    assert.equal(s.gauges['segy_partner_up mc-a'], 0);
    assert.ok(s.events.includes('partner.down'));
    assert.equal(s.order().length, 3, 'a call still tries them');
    s.timers.advance(2500);
    s.answer('192.0.2.1', '192.0.2.2');
    assert.equal(s.gauges['segy_partner_up mc-a'], 1);
    s.probes.stop();
  });

  it('what a call finds dead is probed soon', () => {
    const s = setUp({ intervalSeconds: 3000 });
    s.probes.update([s.partner]);
    s.timers.advance(500);
    s.answer();
    s.health.failed(s.partner, { protocol: 'tls', address: '192.0.2.1', port: 5061 }, 'silent');
    assert.deepEqual(s.order(), ['2', '3', '1']);
    s.timers.advance(2500);
    assert.equal(s.asked.length, 4);
    s.answer();
    assert.deepEqual(s.order(), ['1', '2', '3']);
    s.probes.stop();
  });

  it('without probes a dead address rests for a while and is then tried by a call', () => {
    const s = setUp({ enabled: false });
    s.probes.update([s.partner]);
    s.timers.advance(60_000);
    assert.equal(s.asked.length, 0);
    s.health.failed(s.partner, { protocol: 'tls', address: '192.0.2.1', port: 5061 }, 'silent');
    assert.deepEqual(s.order(), ['2', '3', '1']);
    s.timers.advance(30_000);
    assert.deepEqual(s.order(), ['1', '2', '3']);
  });

  it('addresses that go are forgotten, new ones are asked', () => {
    const s = setUp();
    s.probes.update([s.partner]);
    s.timers.advance(500);
    s.answer();
    const { addresses } = s.partner.sip;
    const moved = [addresses[0]!, { ...addresses[1]!, host: '192.0.2.9' }];
    s.probes.update([{ ...s.partner, sip: { ...s.partner.sip, addresses: moved } }]);
    s.timers.advance(500);
    assert.equal(s.asked.at(-1)!.address, '192.0.2.9');
    s.timers.advance(12_000);
    const later = s.asked.filter(({ at }) => at > 1_001_000).map(({ address }) => address);
    assert.ok(later.includes('192.0.2.1') && !later.includes('192.0.2.3'), later.join());
    s.probes.stop();
  });
});
