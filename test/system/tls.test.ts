/** SIP over TLS with certificates on both sides, through the running gateway. */
import assert from 'node:assert/strict';
import { callMc, callRadio, hears } from '../support/call-pair.js';
import { ALICE, MC_TONE_HZ, RADIO_1, RADIO_TONE_HZ, Scene } from '../support/scene.js';
import { within } from '../support/waiting.js';

describe('a partner over TLS', function () {
  this.timeout(60_000);
  let scene: Scene | undefined;

  afterEach(async () => {
    await scene?.stop();
  });

  it('calls, is called, and may hang up either way', async () => {
    scene = await Scene.start({ protocol: 'tls' });
    for (const place of [callRadio, callMc]) {
      const { mc, radio } = await place(scene);
      const heard = await Promise.all([hears(radio, MC_TONE_HZ), hears(mc, RADIO_TONE_HZ)]);
      assert.deepEqual(heard, [true, true]);
      assert.equal(await mc.reinvite(), 200);
      radio.bye();
      assert.equal((await within('the MC call ends', mc.ended)).by, 'peer');
    }
  });

  it('is refused with 403 when its certificate names somebody else, from the right address', async () => {
    scene = await Scene.start({ protocol: 'tls', mcTlsName: 'is-proxy.other.example' });
    const call = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const end = await within('the call ends', call.ended);
    assert.equal(end.status, 403);
    assert.equal(await scene.asterisk.channelCount(), 0);
  });
});
