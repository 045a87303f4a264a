import assert from 'node:assert/strict';
import { Harness, ok, sdp, warningOf } from '../support/harness.js';
import { until, within } from '../support/peer.js';

describe('edge: draining', () => {
  let h: Harness;
  beforeEach(async () => {
    h = await Harness.start();
  });
  afterEach(() => h.stop());

  it('is over at once without calls', async () => {
    await h.edge.drain();
  });

  it('lets the call that is up go on, refuses new ones on both sides, and is over with the last', async () => {
    const call = await h.establishIn();
    let drained = false;
    const done = h.edge.drain().then(() => {
      drained = true;
    });
    for (const refused of [h.fromMc(), h.fromPbx()]) {
      const response = await refused.sent.expect(503);
      assert.equal(warningOf(response), 'SEGY_E_DRAINING');
      assert.match(response.headers.get('Retry-After') ?? '', /^\d+$/);
    }
    const options = h.mcInvite({ sdp: null, info: null });
    const probe = { ...options, method: 'OPTIONS' };
    probe.headers.set('CSeq', '1 OPTIONS');
    await h.mc.send(probe, h.outerAt).expect(503);
    const reinvite = h.mc.send(within('INFO', 110, call.callerDialog), h.outerAt);
    ok(await h.pbx.expect('INFO'));
    await reinvite.expect(200);
    assert.equal(drained, false);
    const bye = h.mc.send(within('BYE', 111, call.callerDialog), h.outerAt);
    await bye.expect(200);
    ok(await h.pbx.expect('BYE'));
    await done;
  });

  it('waits for a call that is being set up', async () => {
    const { request, sent } = h.fromMc();
    const ringing = await h.pbx.expect('INVITE');
    let drained = false;
    void h.edge.drain().then(() => {
      drained = true;
    });
    h.pbx.answer(ringing, 200, { sdp: sdp('127.0.0.1', 12000) });
    h.ack(h.mc, request, await sent.expect(200));
    await h.pbx.acks.next('the ACK');
    assert.equal(drained, false);
    h.port.channels[0]!.end();
    ok(await h.mc.expect('BYE'));
    ok(await h.pbx.expect('BYE'));
    await until(() => drained);
  });
});

describe('edge: other partners after a reload', () => {
  let h: Harness;
  beforeEach(async () => {
    h = await Harness.start();
  });
  afterEach(() => h.stop());

  it('a partner that is gone may end its call and begin nothing', async () => {
    const call = await h.establishIn();
    h.edge.update([]);
    await h.fromMc().sent.expect(403);
    const info = h.mc.send(within('INFO', 102, call.callerDialog), h.outerAt);
    ok(await h.pbx.expect('INFO'));
    await info.expect(200);
    await h.mc.send(within('BYE', 103, call.callerDialog), h.outerAt).expect(200);
    ok(await h.pbx.expect('BYE'));
    await until(() => h.edge.calls().length === 0);
    await h.fromMc().sent.expect(403);
  });

  it('a call that is up goes on under a changed profile, and the next one has the new profile', async () => {
    const [partner] = h.deps.partners;
    const call = await h.establishOut();
    const changed = { ...partner!, media: { policy: 'allow-clear' as const } };
    h.edge.update([changed]);
    const info = h.mc.send(within('INFO', 102, call.calleeDialog), h.outerAt);
    ok(await h.pbx.expect('INFO'));
    await info.expect(200);
    h.fromMc({ sdp: sdp('127.0.2.1', 41000) });
    await h.pbx.expect('INVITE');
    assert.equal(h.edge.calls().length, 2);
    assert.equal(h.port.channels.at(-1)!.variables.SEGY_STATUS, 'CLEAR');
  });

  it('a partner that is new may call at once', async () => {
    const [partner] = h.deps.partners;
    h.edge.update([]);
    await h.fromMc().sent.expect(403);
    h.edge.update([partner!]);
    await h.establishIn();
  });
});
