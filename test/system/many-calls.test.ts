/** Sixty calls at once through the gateway and each real PBX that is there. */
import assert from 'node:assert/strict';
import type { PartyMedia, SimCall } from '../../src/sim/index.js';
import { expectUp } from '../support/call-pair.js';
import { describeOnEachPbx } from '../support/each-pbx.js';
import { ALICE, RADIO_1, Scene } from '../support/scene.js';
import { until, within } from '../support/waiting.js';

const CALLS = 60;
/** of a call's packets in each direction, before it is ended */
const PACKETS = 25;

describeOnEachPbx('sixty calls at once through a real', function (kind) {
  this.timeout(120_000);
  let scene: Scene;

  before(async () => {
    scene = await Scene.start({
      pbx: kind,
      config: { limits: { setupSeconds: 30, outboundChannelMs: 5000 } },
    });
  });
  after(async () => {
    await scene.stop();
  });

  const channels = (): Promise<number> => scene.pbx.channelCount();

  async function expectMedia(calls: readonly SimCall<PartyMedia>[]): Promise<void> {
    await until(
      'every call hears speech',
      () => calls.every(({ media }) => media.stream.counters.received >= PACKETS),
      30_000,
    );
    const failures = calls.map(({ media }) => media.stream.counters.authFailures);
    assert.equal(
      failures.reduce((sum, count) => sum + count, 0),
      0,
    );
  }

  it('from MC are all answered, carry speech both ways, and leave nothing', async () => {
    const atRadio: SimCall<PartyMedia>[] = [];
    scene.radio.agent.onCall = (call) => {
      atRadio.push(call);
      void call.answer();
    };
    const placed = await Promise.all(
      Array.from({ length: CALLS }, () => scene.mc.call({ from: ALICE, to: RADIO_1.uri })),
    );
    await Promise.all(placed.map(expectUp));
    assert.equal(atRadio.length, CALLS);
    await until('each call has two channels', async () => (await channels()) === 2 * CALLS);
    await expectMedia([...placed, ...atRadio]);
    for (const call of placed) call.bye();
    await within('all end', Promise.all(atRadio.map(({ ended }) => ended)));
    await until('the channels are gone', async () => (await channels()) === 0);
  });

  it('from the radio are all answered, carry speech both ways, and leave nothing', async () => {
    const atMc: SimCall<PartyMedia>[] = [];
    scene.mc.agent.onCall = (call) => {
      atMc.push(call);
      void call.answer();
    };
    const placed = await Promise.all(
      Array.from({ length: CALLS }, () => scene.radio.call(RADIO_1.pbx, 'alice')),
    );
    await Promise.all(placed.map(expectUp));
    assert.equal(atMc.length, CALLS);
    await expectMedia([...placed, ...atMc]);
    for (const call of placed) call.bye();
    await within('all end', Promise.all(atMc.map(({ ended }) => ended)));
    await until('the channels are gone', async () => (await channels()) === 0);
  });
});
