/** Many short calls: whatever a call takes it gives back. */
import assert from 'node:assert/strict';
import { callMc, callRadio } from '../support/call-pair.js';
import { Scene } from '../support/scene.js';
import { MEDIA_PORTS } from '../support/scene-config.js';
import { until, within } from '../support/waiting.js';

/** More calls than the gateway has pairs of media ports on a side. */
const CALLS = MEDIA_PORTS / 2 + 50;

describe('more calls than there are media ports', function () {
  this.timeout(120_000);
  let scene: Scene;

  before(async () => {
    scene = await Scene.start();
  });

  after(async () => {
    await scene.stop();
  });

  it('are carried one after the other, and leave nothing behind', async () => {
    for (let i = 0; i < CALLS; i += 1) {
      const { mc, radio } = await (i % 2 === 0 ? callRadio : callMc)(scene);
      const [ends, other] = i % 4 < 2 ? [mc, radio] : [radio, mc];
      ends.bye();
      await within('the other side ends', other.ended);
    }
    await until('all channels are gone', async () => (await scene.asterisk.channelCount()) === 0);
    const ended = (): number => scene.gateway.log().split('call.ended').length - 1;
    await until('the log has the end of each', () => ended() >= CALLS);
    await scene.gateway.stop();
    assert.equal(ended(), CALLS);
    await scene.gateway.start();
    assert.equal(scene.gateway.log().includes('restart.'), false, 'nothing was left to end');
  });
});
