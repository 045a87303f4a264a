/** Push-to-talk across the border: group calls with floor control through a real Asterisk. */
import assert from 'node:assert/strict';
import { fromHex } from '../../src/base/bytes.js';
import { systemClock, systemRandom } from '../../src/base/environment.js';
import { makeIMessage } from '../../src/mikey/index.js';
import { SimFloor } from '../../src/sim/index.js';
import type { McMedia, PartyMedia, SimCall } from '../../src/sim/index.js';
import { SipHeaders } from '../../src/sip/index.js';
import { expectUp, nextCall } from '../support/call-pair.js';
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
import { GroupSide, memberKey, samplesOf, type TestGmk } from '../support/group-side.js';
import { ALICE, MC_ADDRESS, RADIO_1, RADIO_TONE_HZ, sceneEnvironment } from '../support/scene.js';
import type { Scene } from '../support/scene.js';
import { sleep, until, within } from '../support/waiting.js';

const GROUP = 'sip:police@mc-a.example';
const GMS = 'sip:gms@mc-a.example';
const GMK: TestGmk = { id: fromHex('0a000001'), octets: systemRandom(16), rand: systemRandom(16) };
const ALICE_HZ = 700;
const SYLLABLE_FRAMES = 5;

describe('group calls with floor control through a real Asterisk', function () {
  this.timeout(60_000);
  const spk = makeSpk();
  let scene: Scene;

  before(async () => {
    const groups = [{ id: GROUP, pbx: 'police', speaker: RADIO_1.uri, members: [ALICE] }];
    scene = await startFloorScene(spk, {}, {}, { profile: { gms: [GMS], groups } });
    await deliver();
  });

  after(async () => {
    await scene.stop();
    spk.remove();
  });

  afterEach(async () => {
    for (const call of [...scene.mc.agent.calls, ...scene.radio.agent.calls]) call.bye();
    await until('all channels are gone', async () => (await scene.pbx.channelCount()) === 0);
  });

  /** The GMS gives the radio user the group's key. */
  async function deliver(): Promise<void> {
    const { domain, outer } = scene;
    const body = await makeIMessage(
      {
        keyType: 'GMK',
        key: GMK.octets,
        keyId: GMK.id,
        rand: GMK.rand,
        initiatorUri: GMS,
        initiatorCertificate: domain.certificate,
        initiatorKeySet: await domain.keySet(GMS),
        responderUri: RADIO_1.uri,
        responderCertificate: domain.certificateOf(RADIO_1.uri),
        keyParameters: { groups: [GROUP] },
      },
      { clock: systemClock, slow: domain.slow, random: systemRandom },
    );
    const uri = `sip:radio1@${outer.address}:${outer.port}`;
    const headers = new SipHeaders([
      ['From', `<${GMS}>;tag=gms`],
      ['To', `<${uri}>`],
      ['Call-ID', 'gmk-1'],
      ['CSeq', '1 MESSAGE'],
      ['Max-Forwards', '70'],
      ['Content-Type', 'application/mikey'],
    ]);
    const request = { kind: 'request', method: 'MESSAGE', uri, headers, body } as const;
    const transaction = scene.mc.agent.send(request, { ...outer, protocol: 'tcp' });
    const status = new Promise<number>((resolve, reject) => {
      transaction.onFinal = (response) => resolve(response.status);
      transaction.onError = reject;
    });
    assert.equal(await within('the key is taken', status), 200);
  }

  function newSide(): { side: GroupSide; floor: SimFloor } {
    const floor = new SimFloor(
      { address: MC_ADDRESS, key: spk.key },
      { own: ALICE, peer: RADIO_1.uri },
      sceneEnvironment,
    );
    const side = new GroupSide({
      address: MC_ADDRESS,
      hears: [memberKey(GMK, RADIO_1.uri)],
      floor,
      info:
        '<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params>' +
        '<session-type>prearranged</session-type>' +
        `<mcptt-calling-user-id><mcpttURI>${ALICE}</mcpttURI></mcptt-calling-user-id>` +
        `<mcptt-calling-group-id><mcpttURI>${GROUP}</mcpttURI></mcptt-calling-group-id>` +
        '</mcptt-Params></mcpttinfo>',
    });
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
    const mc = await scene.mc.agent.call(
      {
        target: { ...scene.outer, protocol: 'tcp' },
        requestUri: 'sip:mcptt-group@lmr.example',
        from: `sip:controlling@${MC_ADDRESS}`,
        to: 'sip:mcptt-group@lmr.example',
      },
      side as unknown as McMedia,
    );
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
    scene.mc.agent.onInvite = () => side as unknown as McMedia;
    const radio = await scene.radio.call(RADIO_1.pbx, 'police');
    await expectUp(radio);
    await fallSilent(radio, side);
    speak(radio);
    await untilHolder(floor, RADIO_1.uri);
    await until('the radio is heard', () => heard(side, RADIO_TONE_HZ) > 10);
    assert.ok(heard(side, SYLLABLE_HZ) >= SYLLABLE_FRAMES, `${heard(side, SYLLABLE_HZ)} frames`);
    floor.key('emergency');
    await untilHolder(floor, ALICE);
    await sleep(100);
    side.heard.length = 0;
    await side.talk(ALICE, GMK, { toneHz: ALICE_HZ, ms: 400 });
    await until('the emergency is heard', () => framesOf(radio, ALICE_HZ) >= 18);
    assert.equal(heard(side, RADIO_TONE_HZ), 0);
  });
});
