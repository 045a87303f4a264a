import assert from 'node:assert/strict';
import { OuterSources } from '../../../src/edge/partners/admission.js';
import { PartnerAddresses, PartnerHealth } from '../../../src/edge/index.js';
import { nextHop, partnerTargets, peerHosts } from '../../../src/edge/partners/next-hop.js';
import type { SipSource } from '../../../src/sip/index.js';
import { fakeEnvironment, FakeTimers } from '../../sip/support/fake-timers.js';
import type { Partner } from '../support/fakes.js';
import { Harness } from '../support/harness.js';
import { TEST_ENV } from '../support/peer.js';

const LIMITS = { refreshMs: 60_000, retryMs: 1000, startMs: 500, perHost: 2, former: 4 };

function partnerAt(host: string, more: object = {}): Partner {
  const base = new Harness().partner();
  const addresses = [{ host, port: 5061, transport: 'tls' as const, ...more }];
  return { ...base, name: host, sip: { ...base.sip, addresses } };
}

/** Names with what they stand for; null is a failure, undefined no answer at all. */
function setUp(partners: readonly Partner[], answers: Record<string, string[] | null | undefined>) {
  const timers = new FakeTimers();
  const asked: string[] = [];
  const resolveHost = (host: string): Promise<readonly string[]> => {
    asked.push(host);
    const answer = answers[host];
    if (answer === undefined) return new Promise(() => undefined);
    return answer === null ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(answer);
  };
  const dns = {
    addresses: resolveHost,
    naptr: () => Promise.resolve([]),
    srv: () => Promise.resolve([]),
  };
  const env = fakeEnvironment(timers);
  const addresses = new PartnerAddresses(partners, dns, env, new PartnerHealth(env), LIMITS);
  const tick = async (ms: number): Promise<void> => {
    timers.advance(ms);
    await new Promise((done) => setImmediate(done));
  };
  return { timers, asked, answers, addresses, tick };
}

describe('edge/partner-addresses', () => {
  it('an address stands for itself and is never asked for', async () => {
    const { addresses, asked } = setUp([partnerAt('192.0.2.1'), partnerAt('2001:DB8:0::1')], {});
    await addresses.start();
    assert.deepEqual(addresses.of('192.0.2.1'), ['192.0.2.1']);
    assert.deepEqual(addresses.of('[2001:db8::1]'), ['2001:db8::1']);
    assert.deepEqual(asked, []);
    addresses.stop();
  });

  it('a name that does not resolve keeps no other from being known', async () => {
    const both = [partnerAt('a.example'), partnerAt('b.example')];
    const { addresses } = setUp(both, { 'a.example': null, 'b.example': ['192.0.2.2'] });
    await addresses.start();
    assert.deepEqual(addresses.of('a.example'), []);
    assert.deepEqual(addresses.of('B.example.'), ['192.0.2.2']);
    addresses.stop();
  });

  it('the start waits for a silent resolver only so long', async () => {
    const { addresses, tick } = setUp([partnerAt('a.example')], {});
    const started = addresses.start();
    await tick(LIMITS.startMs);
    await started;
    addresses.stop();
  });

  it('names are asked again on a timer, and sooner and sooner less often after failures', async () => {
    const { addresses, answers, asked, tick } = setUp([partnerAt('a.example')], {
      'a.example': ['192.0.2.1'],
    });
    await addresses.start();
    answers['a.example'] = ['192.0.2.9'];
    await tick(LIMITS.refreshMs);
    assert.deepEqual(addresses.of('a.example'), ['192.0.2.9']);
    answers['a.example'] = null;
    for (const ms of [LIMITS.refreshMs, LIMITS.retryMs, 2 * LIMITS.retryMs]) await tick(ms);
    assert.equal(asked.length, 5);
    assert.deepEqual(addresses.of('a.example'), ['192.0.2.9'], 'what was known stays known');
    addresses.stop();
  });

  it('a partner that was not reached is looked up at once, but not over and over', async () => {
    const partner = partnerAt('a.example');
    const { addresses, asked, tick } = setUp([partner], { 'a.example': ['192.0.2.1'] });
    await addresses.start();
    await tick(LIMITS.retryMs);
    addresses.unreached(partner);
    addresses.unreached(partner);
    await tick(1);
    addresses.unreached(partner);
    assert.equal(asked.length, 2);
    addresses.stop();
  });

  it('of one name only so many addresses are kept', async () => {
    const many = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
    const { addresses } = setUp([partnerAt('a.example')], { 'a.example': many });
    await addresses.start();
    assert.equal(addresses.of('a.example').length, LIMITS.perHost);
    addresses.stop();
  });

  it('an address that DNS takes away is remembered, until DNS names it again', async () => {
    const partner = partnerAt('a.example');
    const { addresses, answers, timers, tick } = setUp([partner], { 'a.example': ['192.0.2.1'] });
    await addresses.start();
    assert.equal(addresses.leftAt('a.example', '192.0.2.1'), undefined);
    answers['a.example'] = ['192.0.2.9'];
    await tick(LIMITS.refreshMs);
    assert.equal(addresses.leftAt('a.example', '192.0.2.1'), timers.now);
    assert.equal(addresses.leftAt('a.example', '192.0.2.9'), undefined);
    answers['a.example'] = ['192.0.2.1'];
    await tick(LIMITS.refreshMs);
    assert.equal(addresses.leftAt('a.example', '192.0.2.1'), undefined);
    addresses.stop();
  });

  it('other partners are looked up, those that stay are not, and those that go are remembered', async () => {
    const [one, other] = [partnerAt('a.example'), partnerAt('b.example')];
    const { addresses, asked } = setUp([one], {
      'a.example': ['192.0.2.1'],
      'b.example': ['192.0.2.2'],
    });
    await addresses.start();
    await addresses.update([one, other]);
    assert.deepEqual(asked, ['a.example', 'b.example']);
    assert.deepEqual(addresses.of('b.example'), ['192.0.2.2']);
    await addresses.update([other]);
    assert.deepEqual(addresses.of('a.example'), []);
    assert.notEqual(addresses.leftAt('a.example', '192.0.2.1'), undefined);
    addresses.stop();
  });

  it('nothing is asked and no timer waits after the stop', async () => {
    const { addresses, timers } = setUp([partnerAt('a.example')], { 'a.example': ['192.0.2.1'] });
    await addresses.start();
    addresses.stop();
    assert.equal(timers.waiting, 0);
  });
});

describe('edge: partners by host name', () => {
  const source = (address: string): SipSource => ({
    ...{ protocol: 'tls', address, port: 9, localAddress: '127.0.1.1', localPort: 5061 },
  });
  const partner = partnerAt('a.example');
  let known: PartnerAddresses;
  before(async () => {
    const found = setUp([partner], { 'a.example': ['192.0.2.1', '2001:db8::1'] });
    known = found.addresses;
    await known.start();
  });
  after(() => known.stop());

  it('a source is known by the addresses of the name, in any spelling', () => {
    const sources = new OuterSources([partner], TEST_ENV, known);
    for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '2001:DB8:0:0::1']) {
      assert.equal(sources.identify(source(address)).kind, 'partner', address);
    }
    assert.equal(sources.identify(source('192.0.2.2')).kind, 'stranger');
  });

  it('every address is tried in turn, and over TLS its certificate must carry the name', () => {
    const target = { protocol: 'tls', port: 5061, serverName: 'a.example' };
    assert.deepEqual(partnerTargets(partner, known), [
      { ...target, address: '192.0.2.1' },
      { ...target, address: '2001:db8::1' },
    ]);
  });

  it('a Contact that names the host or one of its addresses is followed there, another is not', () => {
    const { settings } = {
      settings: { pbx: { address: '127.0.0.1' } },
    } as never as Harness['deps'];
    const hosts = peerHosts('outer', partner, { settings, addresses: known });
    const peer = partnerTargets(partner, known)[1]!;
    const to = (uri: string) => nextHop(peer, hosts, [], uri).address;
    assert.equal(to('sip:x@a.example:5071'), '2001:db8::1', 'where it came from, if that is one');
    assert.equal(to('sip:x@192.0.2.1:5071'), '192.0.2.1');
    assert.equal(to('sip:x@203.0.113.5:5071'), '2001:db8::1');
  });
});
