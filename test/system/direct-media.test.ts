/** A PBX that is set up wrong: it tells the gateway to send media past it. */
import assert from 'node:assert/strict';
import { ALICE, RADIO_1, Scene } from '../support/scene.js';
import { until, within } from '../support/waiting.js';

describe('a PBX that names a media address that is not its own', function () {
  this.timeout(60_000);
  let scene: Scene;

  before(async () => {
    scene = await Scene.start({
      asterisk: { append: { 'pjsip.conf': '[segy](+type=endpoint)\nmedia_address=127.0.0.9\n' } },
    });
  });

  after(async () => {
    await scene.stop();
  });

  it('has its call refused with 488, an alarm in the log, and no channel left', async () => {
    const call = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const end = await within('the call ends', call.ended);
    assert.equal(end.status, 488, end.warning);
    assert.match(end.warning ?? '', /SEGY_E_MEDIA_ADDRESS/);
    await until('the alarm is logged', () =>
      /(WARN|ERROR) .*SEGY_E_MEDIA_ADDRESS/.test(scene.gateway.log()),
    );
    await until('the channels are gone', async () => (await scene.asterisk.channelCount()) === 0);
  });

  it('has its own call refused with 488 too', async () => {
    const call = await scene.radio.call(RADIO_1.pbx, 'alice');
    const end = await within('the call ends', call.ended);
    assert.equal(call.times.answered, undefined);
    assert.equal(end.by, 'refused');
    assert.equal(scene.mc.agent.calls.length, 0);
  });
});
