/** What a call comes to when the control link, the PBX or the gateway itself is lost. */
import assert from 'node:assert/strict';
import { callMc, callRadio, expectUp, hears, nextCall } from '../support/call-pair.js';
import { describeOnEachPbx, extension, needsOwnPbx } from '../support/each-pbx.js';
import { ALICE, MC_TONE_HZ, RADIO_1, RADIO_TONE_HZ, Scene } from '../support/scene.js';
import { sleep, until, within } from '../support/waiting.js';

describeOnEachPbx('a call and the loss of what carries it, on', function (kind) {
  this.timeout(90_000);
  let scene: Scene;

  before(async () => {
    scene = await Scene.start({
      pbx: kind,
      freeswitch: {
        extensions: { 'from-segy': extension('1002', ['answer', ''], ['sleep', '60000']) },
      },
      asterisk: {
        dialplan: [
          '[from-segy](+)',
          // a dialplan that answers and never hands over
          'exten => 1002,1,Answer()',
          ' same => n,Wait(60)',
          '',
        ].join('\n'),
      },
    });
  });

  after(async () => {
    await scene.stop();
  });

  it('is refused with 480 when the dialplan answers without handing over, and the PBX leg ends', async function () {
    needsOwnPbx(this, scene.pbx);
    const mc = await scene.mc.call({ from: ALICE, to: 'sip:radio2@lmr.example' });
    const end = await within('the call ends', mc.ended);
    assert.equal(end.status, 480);
    assert.match(end.warning ?? '', /SEGY_E_PBX_NO_CHANNEL/);
    assert.equal(mc.media.stream.counters.received, 0);
    await until('the PBX leg is gone', async () => (await scene.pbx.channelCount()) === 0);
  });

  it('lives on while the control link is lost; new calls get 503 until it is back', async () => {
    const pair = await callRadio(scene);
    scene.link.cut();
    await until('new calls get 503', async () => {
      const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
      const end = await within('the call ends', mc.ended);
      return end.status === 503;
    });
    const heard = await Promise.all([hears(pair.radio, MC_TONE_HZ), hears(pair.mc, RADIO_TONE_HZ)]);
    assert.deepEqual(heard, [true, true]);
    await scene.link.mend();
    await until(
      'calls are taken again',
      async () => {
        const taken = nextCall(scene.radio.agent);
        const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
        if (!(await within('the call is answered or refused', mc.up))) return false;
        mc.bye();
        await within('the radio call ends', (await taken).ended);
        return true;
      },
      30_000,
    );
    assert.equal(await hears(pair.radio, MC_TONE_HZ), true, 'the first call still carries speech');
    pair.mc.bye();
    await within('the radio call ends', pair.radio.ended);
  });

  it('ends towards MC when its channel is hung up in the PBX', async () => {
    const pair = await callRadio(scene);
    await scene.pbx.hangUpAll();
    await within('the MC call ends', pair.mc.ended);
    await within('the radio call ends', pair.radio.ended);
  });

  it('falls silent when the gateway is killed; at its return the PBX channels end and MC gets BYE', async () => {
    const inbound = await callRadio(scene);
    const outbound = await callMc(scene);
    await sleep(300);
    await scene.gateway.kill();
    await sleep(100);
    const received = inbound.mc.media.stream.counters.received;
    await sleep(300);
    assert.equal(inbound.mc.media.stream.counters.received, received, 'media stops');
    assert.ok((await scene.pbx.channelCount()) > 0, 'the PBX still holds its channels');
    await scene.gateway.start();
    for (const { mc, radio } of [inbound, outbound]) {
      assert.equal((await within('MC gets BYE', mc.ended)).by, 'peer');
      await within('the radio call ends', radio.ended);
    }
    await until('the channels are gone', async () => (await scene.pbx.channelCount()) === 0);
  });

  it('is carried again after that, by the same gateway', async () => {
    const pair = await callRadio(scene);
    await expectUp(pair.mc);
    assert.equal(await hears(pair.radio, MC_TONE_HZ), true);
    pair.mc.bye();
    await within('the radio call ends', pair.radio.ended);
  });

  it('ends with BYE on both sides when the gateway is stopped in order', async () => {
    const pairs = [await callRadio(scene), await callMc(scene)];
    await scene.gateway.stop();
    for (const { mc, radio } of pairs) {
      assert.equal((await within('MC gets BYE', mc.ended)).by, 'peer');
      assert.equal((await within('the radio gets BYE', radio.ended)).by, 'peer');
    }
    await until('the channels are gone', async () => (await scene.pbx.channelCount()) === 0);
    await scene.gateway.start();
  });

  it('ends towards MC when the PBX is killed, and is taken again when it is back', async function () {
    needsOwnPbx(this, scene.pbx);
    const pair = await callRadio(scene);
    await scene.pbx.kill();
    pair.mc.bye();
    await within('the MC call ends', pair.mc.ended);
    const refused = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const end = await within('the new call ends', refused.ended);
    assert.equal(end.status, 503);
    assert.match(end.headers?.get('Retry-After') ?? '', /^\d+$/);
    await scene.pbx.run();
    await until(
      'calls are taken again',
      async () => {
        const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
        const up = await within('the call is answered or refused', mc.up, 40_000);
        mc.bye();
        return up;
      },
      60_000,
    );
  });

  it('is refused with 503 when the MC system cannot be reached', async () => {
    await scene.mc.close();
    const radio = await scene.radio.call(RADIO_1.pbx, 'alice');
    const end = await within('the call ends', radio.ended);
    assert.equal(end.status, 503);
    await until('the channels are gone', async () => (await scene.pbx.channelCount()) === 0);
  });
});
