/** Calls whose every leg between MC system, gateway and PBX is IPv6. */
import assert from 'node:assert/strict';
import { callMc, callRadio, hears } from '../support/call-pair.js';
import { needsIpv6 } from '../support/ipv6.js';
import { MC_TONE_HZ, RADIO_TONE_HZ, Scene } from '../support/scene.js';
import { within } from '../support/waiting.js';

describe('calls over IPv6', function () {
  this.timeout(60_000);
  let scene: Scene | undefined;

  afterEach(async () => {
    await scene?.stop();
  });

  for (const protocol of ['tls', 'udp'] as const) {
    it(`run both ways and are heard both ways, with ${protocol} outside`, async function () {
      needsIpv6(this);
      scene = await Scene.start({ ipv6: true, protocol });
      for (const place of [callRadio, callMc]) {
        const { mc, radio } = await place(scene);
        const heard = await Promise.all([hears(radio, MC_TONE_HZ), hears(mc, RADIO_TONE_HZ)]);
        assert.deepEqual(heard, [true, true]);
        assert.equal(await mc.reinvite(), 200);
        radio.bye();
        assert.equal((await within('the MC call ends', mc.ended)).by, 'peer');
      }
    });
  }
});
