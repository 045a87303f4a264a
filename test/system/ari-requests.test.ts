/**
 * How often Asterisk is asked for one call. Each ARI request is a connection of its own, and the set-up
 * of the call waits for it.
 */
import assert from 'node:assert/strict';
import { callMc, callRadio } from '../support/call-pair.js';
import type { CallPair } from '../support/call-pair.js';
import { Capture } from '../support/pcap.js';
import { Scene } from '../support/scene.js';
import { until } from '../support/waiting.js';

const REQUEST_LINE = /^(GET|POST|PUT|DELETE) (\/ari\/\S*) HTTP\/1\.1\r\n/;
/** What the dialplan is told of a private call. */
const PRIVATE_CALL = [
  'SEGY_CALLED',
  'SEGY_CALLER',
  'SEGY_CALL_TYPE',
  'SEGY_KEY_ID',
  'SEGY_PARTNER',
  'SEGY_PRIORITY',
  'SEGY_SESSION',
  'SEGY_STATUS',
];

describe('for a private call Asterisk is asked', function () {
  this.timeout(60_000);
  const control = new Capture();
  let scene: Scene;

  before(async () => {
    scene = await Scene.start({ control });
  });
  after(async () => {
    await scene.stop();
  });

  /** What was asked from before the call to its end, without the channel's identifier. */
  const askedDuring = async (call: () => Promise<CallPair>): Promise<string[]> => {
    const from = control.packets.length;
    const { radio } = await call();
    radio.bye();
    await until('all channels are gone', async () => (await scene.pbx.channelCount()) === 0);
    return control.packets
      .slice(from)
      .map(({ payload }) => REQUEST_LINE.exec(payload.toString('latin1')))
      .filter((match) => match !== null)
      .map(([, method = '', target = '']) => {
        const { pathname, searchParams } = new URL(target, 'http://pbx');
        const path = pathname.replace(/^\/ari\/channels\/[^/]+/, 'channel');
        return [method, path, ...searchParams.getAll('variable')].join(' ');
      });
  };

  it('one thing when it dialled: to set a variable, which it refuses outside Stasis', async () => {
    // where the event of the channel is late, the list of channels is asked for once
    const asked = (await askedDuring(() => callMc(scene))).filter(
      (it) => it !== 'GET /ari/channels',
    );
    assert.deepEqual(asked, ['POST channel/variable SEGY_STATUS']);
  });

  it('for the session, to set each variable once and to go on, when the gateway dialled', async () => {
    const asked = await askedDuring(() => callRadio(scene));
    assert.equal(asked.shift(), 'GET channel/variable PJSIP_HEADER(read,X-SeGy-Session)');
    assert.equal(asked.pop(), 'POST channel/continue');
    const set = PRIVATE_CALL.map((name) => `POST channel/variable ${name}`);
    assert.deepEqual(asked.sort(), set);
  });
});
