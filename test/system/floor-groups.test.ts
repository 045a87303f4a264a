/** Push-to-talk across the border: group calls with floor control through a real Asterisk. */
import assert from 'node:assert/strict';
import { SimFloor } from '../../src/sim/index.js';
import type { PartyMedia, SimCall } from '../../src/sim/index.js';
import { expectUp, nextCall, settle } from '../support/call-pair.js';
import {
  framesIn,
  framesOf,
  makeSpk,
  silence,
  speak,
  startFloorScene,
  SYLLABLE_HZ,
  untilHolder,
} from '../support/floor-scene.js';
import { samplesOf, type GroupSide } from '../support/group-side.js';
import { type GroupSystem, groupSystemOf, newGmk } from '../support/group-system.js';
import { ALICE, MC_ADDRESS, RADIO_1, RADIO_TONE_HZ, sceneEnvironment } from '../support/scene.js';
import type { Scene } from '../support/scene.js';
import { sleep, until, within } from '../support/waiting.js';

const GROUP = 'sip:police@mc-a.example';
const GMS = 'sip:gms@mc-a.example';
const GMK = newGmk(1);
const ALICE_HZ = 700;
const SYLLABLE_FRAMES = 5;

describe('group calls with floor control through a real Asterisk', function () {
  this.timeout(60_000);
  const spk = makeSpk();
  let scene: Scene;
  let system: GroupSystem;

  before(async () => {
    const groups = [{ id: GROUP, pbx: 'police', speaker: RADIO_1.uri, members: [ALICE] }];
    scene = await startFloorScene(spk, {}, {}, { profile: { gms: [GMS], groups } });
    system = groupSystemOf(scene, GMS, GROUP);
    assert.equal(await system.give(GMK), 200);
  });

  after(async () => {
    await scene.stop();
    spk.remove();
  });

  afterEach(async () => {
    for (const call of [...scene.mc.agent.calls, ...scene.radio.agent.calls]) call.bye();
    await until('all channels are gone', async () => (await scene.pbx.channelCount()) === 0);
  });

  function newSide(): { side: GroupSide; floor: SimFloor } {
    const floor = new SimFloor(
      { address: MC_ADDRESS, key: spk.key },
      { own: ALICE, peer: RADIO_1.uri },
      sceneEnvironment,
    );
    const side = system.side(ALICE, [GMK], GROUP, floor);
    return { side, floor };
  }

  const heard = (side: GroupSide, toneHz: number): number =>
    framesIn(samplesOf(side.heard), toneHz);

  async function fallSilent(radio: SimCall<PartyMedia>, side: GroupSide): Promise<void> {
    silence(radio);
    await sleep(400);
    radio.media.stream.clearRecording();
    side.heard.length = 0;
  }

  it('carry a member to the radio only with the floor, and the radio queued behind', async () => {
    const { side, floor } = newSide();
    const taken = nextCall(scene.radio.agent);
    const mc = await system.call(side);
    await expectUp(mc);
    const radio = await within('the radio takes the call', taken);
    await fallSilent(radio, side);
    await side.talk(ALICE, GMK, { toneHz: ALICE_HZ, ms: 400 });
    await sleep(100);
    assert.equal(framesOf(radio, ALICE_HZ), 0, 'without the floor');
    floor.key();
    await side.talk(ALICE, GMK, { toneHz: ALICE_HZ, ms: 400 });
    await until('with the floor', () => framesOf(radio, ALICE_HZ) >= 18);
    speak(radio);
    await until('the radio is queued', () => floor.server.queued.includes(RADIO_1.uri));
    assert.equal(heard(side, RADIO_TONE_HZ) + heard(side, SYLLABLE_HZ), 0);
    silence(radio);
    floor.unkey();
    await untilHolder(floor, undefined);
    await sleep(1200);
    speak(radio);
    await untilHolder(floor, RADIO_1.uri);
    await until('the radio is heard', () => heard(side, RADIO_TONE_HZ) > 10);
    assert.ok(heard(side, SYLLABLE_HZ) >= SYLLABLE_FRAMES, `${heard(side, SYLLABLE_HZ)} frames`);
  });

  it('of the radio are granted, revoked in mid-speech, and lost to an emergency', async () => {
    const { side, floor } = newSide();
    system.takeCalls(side);
    const radio = await scene.radio.call(RADIO_1.pbx, 'police');
    await expectUp(radio);
    await fallSilent(radio, side);
    speak(radio);
    await untilHolder(floor, RADIO_1.uri);
    await until('the radio is heard', () => heard(side, RADIO_TONE_HZ) > 10);
    assert.ok(heard(side, SYLLABLE_HZ) >= SYLLABLE_FRAMES, `${heard(side, SYLLABLE_HZ)} frames`);
    floor.key('emergency');
    await untilHolder(floor, ALICE);
    await settle('the group', () => heard(side, RADIO_TONE_HZ));
    side.heard.length = 0;
    await side.talk(ALICE, GMK, { toneHz: ALICE_HZ, ms: 400 });
    await until('the emergency is heard', () => framesOf(radio, ALICE_HZ) >= 18);
    assert.equal(heard(side, RADIO_TONE_HZ), 0);
  });
});
