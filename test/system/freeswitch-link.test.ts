/** `segy run` with `pbx.type: freeswitch`, on a fake event socket and a simulated SIP side of the PBX. */
import assert from 'node:assert/strict';
import { expectUp, hears, nextCall } from '../support/call-pair.js';
import { FakePbx } from '../support/fake-pbx.js';
import { ALICE, MC_TONE_HZ, RADIO_1, RADIO_TONE_HZ, Scene } from '../support/scene.js';
import { until, within } from '../support/waiting.js';

describe('segy run with FreeSWITCH in its configuration', function () {
  this.timeout(60_000);
  let pbx: FakePbx;
  let scene: Scene;

  before(async () => {
    pbx = await FakePbx.start();
    scene = await Scene.start({ pbx, config: { limits: { setupSeconds: 2 } } });
  });

  after(async () => {
    await scene.stop();
  });

  afterEach(async () => {
    for (const call of [...scene.mc.agent.calls, ...scene.radio.agent.calls]) call.bye();
    await pbx.hangUpAll();
  });

  it('starts, logs in at the event socket and reports its link', () => {
    assert.match(scene.gateway.log(), /pbx\.link\.up/);
    assert.equal(pbx.fake.connections, 1);
  });

  it('completes a call from MC that is parked with the Call-ID of its INVITE', async () => {
    const taken = nextCall(scene.radio.agent, false);
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const radio = await within('the INVITE arrives', taken);
    let goesOn: readonly string[] = [];
    const channel = pbx.park(radio, (...where) => {
      goesOn = where;
      channel.callState = 'ACTIVE';
      void radio.answer();
    });
    await expectUp(mc);
    assert.deepEqual(goesOn, ['1001', 'segy-checked']);
    const { variables } = channel;
    assert.equal(variables.get('SEGY_STATUS'), 'SECURE');
    assert.equal(variables.get('SEGY_CALLER'), ALICE);
    assert.equal(variables.get('SEGY_CALLED'), RADIO_1.uri);
    const heard = await Promise.all([hears(radio, MC_TONE_HZ), hears(mc, RADIO_TONE_HZ)]);
    assert.deepEqual(heard, [true, true]);
    mc.bye();
    await within('the PBX gets BYE', radio.ended);
  });

  it('ends the call towards MC when its channel ends', async () => {
    const taken = nextCall(scene.radio.agent, false);
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const radio = await within('the INVITE arrives', taken);
    const channel = pbx.park(radio, () => void radio.answer());
    await expectUp(mc);
    pbx.fake.hangUp(channel.uuid, 'NORMAL_CLEARING');
    await within('the MC call ends', mc.ended);
  });

  it('lets no call through whose channel is another one', async () => {
    const taken = nextCall(scene.radio.agent, false);
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const radio = await within('the INVITE arrives', taken);
    let wentOn = false;
    const { variables, uuid } = pbx.fake.addChannel({
      direction: 'inbound',
      name: 'sofia/segy/alice@127.0.0.2',
      callId: `not-${radio.dialog.callId}`,
      callState: 'RINGING',
      ended: () => undefined,
      transferred: () => (wentOn = true),
    });
    variables.set('SEGY_CONTEXT', 'segy-checked').set('current_application', 'park');
    const stranger = pbx.fake.channels.get(uuid);
    assert.ok(stranger);
    pbx.fake.emit('CHANNEL_PARK', stranger);
    await radio.answer();
    const end = await within('the call ends', mc.ended);
    assert.equal(end.status, 480);
    assert.match(end.warning ?? '', /SEGY_E_PBX_NO_CHANNEL/);
    assert.equal(mc.media.stream.counters.received, 0);
    assert.equal(wentOn, false);
    assert.equal(variables.has('SEGY_STATUS'), false);
  });

  it('goes on with its calls while the event socket is lost, and links up again', async () => {
    const taken = nextCall(scene.radio.agent, false);
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const radio = await within('the INVITE arrives', taken);
    pbx.park(radio, () => void radio.answer());
    await expectUp(mc);
    const before = scene.gateway.log().length;
    scene.link.cut();
    await until('the link is lost', () => pbx.fake.connections === 0);
    await scene.link.mend();
    await until(
      'the link is back',
      () => scene.gateway.log().slice(before).includes('pbx.link.up'),
      15_000,
    );
    assert.equal(await hears(radio, MC_TONE_HZ), true);
    mc.bye();
    await within('the PBX gets BYE', radio.ended);
  });
});
