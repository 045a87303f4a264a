import assert from 'node:assert/strict';
import { systemClock } from '../../../src/base/environment.js';
import { PartnerAddresses, PartnerHealth, PartnerProbes } from '../../../src/edge/index.js';
import type { Partner } from '../support/fakes.js';
import { Harness, ok, sdp } from '../support/harness.js';
import { Peer, TEST_ENV, until, within } from '../support/peer.js';

const SDP = sdp('127.0.2.1', 41000);

/** Answers OPTIONS and, as a live MC system, INVITE; notes where the calls came. */
function serve(peer: Peer, calls: string[]): void {
  peer.endpoint.onRequest = (transaction) => {
    const { method } = transaction.request;
    if (method === 'INVITE') {
      calls.push(peer.name);
      peer.answer(transaction, 200, { sdp: SDP });
    } else ok(transaction);
  };
}

describe('edge: a partner with several addresses', () => {
  let h: Harness | undefined;
  let probes: PartnerProbes | undefined;
  const peers: Peer[] = [];
  afterEach(async () => {
    probes?.stop();
    await h?.stop();
    for (const peer of peers.splice(0)) await peer.endpoint.close();
  });

  async function start(change: (partner: Partner) => Partner = (same) => same) {
    for (const [index, name] of ['one', 'two', 'three'].entries()) {
      const peer = new Peer(`127.0.2.${11 + index}`, name);
      await peer.listen();
      peers.push(peer);
    }
    h = new Harness();
    await h.mc.listen();
    const health = new PartnerHealth(TEST_ENV);
    const dns = {
      addresses: () => Promise.reject(new Error('no names')),
      naptr: () => Promise.resolve([]),
      srv: () => Promise.resolve([]),
    };
    const addresses = new PartnerAddresses([], dns, TEST_ENV, health);
    h.addresses.ranked = (partner, targets) => addresses.ranked(partner, targets);
    h.addresses.answered = (partner, target) => addresses.answered(partner, target);
    h.addresses.unreached = (partner, target) => addresses.unreached(partner, target);
    await h.begin({
      partner: (p) =>
        change({
          ...p,
          sip: {
            ...p.sip,
            addresses: peers.map(({ address, port }) => ({
              ...{ host: address, port, transport: 'udp' },
            })),
          },
        }),
    });
    probes = new PartnerProbes({
      env: TEST_ENV,
      endpoint: h.deps.outer,
      health,
      addresses: h.addresses,
      identity: 'sip:segy@lmr.example',
    });
    return { harness: h, probes };
  }

  it('goes on setting up calls within 2 s while two of three fall silent, one after the other', async () => {
    const { harness, probes } = await start();
    const calls: string[] = [];
    for (const peer of peers) serve(peer, calls);
    const [partner] = harness.deps.partners;
    probes.update([
      { ...partner!, sip: { ...partner!.sip, probe: { ...partner!.sip.probe, enabled: true } } },
    ]);
    const setUpTimes: number[] = [];
    const call = async (): Promise<void> => {
      const begun = systemClock.now();
      await harness.fromPbx().sent.expect(200);
      setUpTimes.push(systemClock.now() - begun);
    };
    await call();
    // a host that is gone answers nothing at all, not even an error
    for (const silent of peers.slice(0, 2)) {
      silent.endpoint.onAdmission = () => false;
      for (let i = 0; i < 3; i++) await call();
    }
    assert.deepEqual(calls, ['one', 'two', 'two', 'two', 'three', 'three', 'three']);
    assert.ok(Math.max(...setUpTimes) < 2000, setUpTimes.join());
    assert.ok(setUpTimes[2]! < 500 && setUpTimes[6]! < 500, 'a dead one is skipped at once');
    assert.deepEqual(
      probes
        .view()[0]!
        .ways.map(({ state }) => state)
        .sort(),
      ['down', 'down', 'up'],
    );
  });

  it('takes the next address after a 503, and passes the 503 of the last', async () => {
    const { harness } = await start();
    const calls: string[] = [];
    const [one, two, three] = peers;
    one!.endpoint.onRequest = (transaction) => one!.answer(transaction, 503);
    serve(two!, calls);
    await harness.fromPbx().sent.expect(200);
    assert.deepEqual(calls, ['two']);
    for (const peer of [two!, three!]) {
      peer.endpoint.onRequest = (transaction) => peer.answer(transaction, 503);
    }
    await harness.fromPbx().sent.expect(503);
  });
});

describe('edge: the address of a partner changes while a call lasts', () => {
  it('the call goes on from the old address, and nothing new begins there', async () => {
    const h = await Harness.start({
      partner: (p) => ({
        ...p,
        sip: { ...p.sip, addresses: [{ ...p.sip.addresses[0]!, host: 'is-proxy.mc-a.example' }] },
      }),
    });
    h.addresses.names.set('is-proxy.mc-a.example', ['127.0.2.1']);
    const call = await h.establishIn();
    h.addresses.names.set('is-proxy.mc-a.example', ['127.0.2.77']);
    h.addresses.left.set('127.0.2.1', systemClock.now());
    await h.mc
      .send(within('BYE', 90, { ...call.callerDialog, callId: 'another@x' }), h.outerAt)
      .expect(403);
    await h.fromMc().sent.expect(403);
    const update = h.mc.send(within('INFO', 102, call.callerDialog), h.outerAt);
    ok(await h.pbx.expect('INFO'));
    await update.expect(200);
    await h.mc.send(within('BYE', 103, call.callerDialog), h.outerAt).expect(200);
    ok(await h.pbx.expect('BYE'));
    await until(() => h.edge.calls().length === 0);
    const after = h.fromMc();
    await after.sent.expect(403);
    await h.stop();
  });
});
