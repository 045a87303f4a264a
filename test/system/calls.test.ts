/** Private calls through the built gateway and each real PBX that is there. */
import assert from 'node:assert/strict';
import { findTone } from '../../src/sim/index.js';
import type { PartyMedia, SimCall } from '../../src/sim/index.js';
import { callMc, callRadio, expectUp, hears, isSpared, nextCall } from '../support/call-pair.js';
import type { CallPair } from '../support/call-pair.js';
import { describeOnEachPbx, extension, needsModule, needsOwnPbx } from '../support/each-pbx.js';
import { ALICE, MC_TONE_HZ, RADIO_1, RADIO_TONE_HZ, Scene } from '../support/scene.js';
import { sleep, until, within } from '../support/waiting.js';

/** Both sides hear the other's tone, and nothing failed to authenticate. */
async function expectSpeech({ mc, radio }: CallPair): Promise<void> {
  const heard = await Promise.all([hears(radio, MC_TONE_HZ), hears(mc, RADIO_TONE_HZ)]);
  assert.deepEqual(heard, [true, true], 'tone at the radio, tone at the MC user');
  const { authFailures, dropped } = mc.media.stream.counters;
  assert.deepEqual({ authFailures, dropped }, { authFailures: 0, dropped: 0 });
}

async function expectEnded(call: SimCall<PartyMedia>, by: string): Promise<void> {
  const end = await within('the call ends', call.ended);
  assert.equal(end.by, by);
}

describeOnEachPbx('private calls through a real', function (kind) {
  this.timeout(60_000);
  let scene: Scene;

  before(async () => {
    scene = await Scene.start({
      pbx: kind,
      asterisk: { dialplan: '[segy-to-radio](+)\nexten => 1002,1,Hangup(1)\n' },
      freeswitch: { extensions: { 'segy-to-radio': extension('1002', ['respond', '404']) } },
    });
  });

  after(async () => {
    await scene.stop();
  });

  afterEach(async () => {
    for (const call of [...scene.mc.agent.calls, ...scene.radio.agent.calls]) call.bye();
    await until('all channels are gone', async () => (await scene.pbx.channelCount()) === 0);
  });

  it('carry speech both ways when the MC user calls, and end when the MC user hangs up', async () => {
    const pair = await callRadio(scene);
    await expectSpeech(pair);
    pair.mc.bye();
    await expectEnded(pair.radio, 'peer');
  });

  it('carry speech both ways when the radio user calls, and end when the radio user hangs up', async () => {
    const pair = await callMc(scene);
    await expectSpeech(pair);
    pair.radio.bye();
    await expectEnded(pair.mc, 'peer');
  });

  it('end when the radio user that was called hangs up', async () => {
    const pair = await callRadio(scene);
    pair.radio.bye();
    await expectEnded(pair.mc, 'peer');
  });

  it('end when the MC user that was called hangs up', async () => {
    const pair = await callMc(scene);
    pair.mc.bye();
    await expectEnded(pair.radio, 'peer');
  });

  it('follow the media of the MC user to another port', async () => {
    const pair = await callRadio(scene);
    await expectSpeech(pair);
    const port = pair.mc.media.stream.localPort;
    await pair.mc.media.stream.move();
    assert.notEqual(pair.mc.media.stream.localPort, port);
    await sleep(100);
    await expectSpeech(pair);
    pair.mc.bye();
    await expectEnded(pair.radio, 'peer');
  });

  it('carry dialled digits as telephone-events both ways', async () => {
    const pair = await callRadio(scene);
    await until('audio is heard', () => pair.radio.media.stream.counters.received > 5);
    pair.mc.media.stream.dial('5');
    pair.radio.media.stream.dial('#');
    await until('digits are heard', () =>
      [pair.radio, pair.mc].every(({ media }) => media.stream.digits.length > 0),
    );
    await sleep(300);
    assert.equal(pair.radio.media.stream.digits, '5');
    assert.equal(pair.mc.media.stream.digits, '#');
    pair.mc.bye();
    await expectEnded(pair.radio, 'peer');
  });

  it('carry RTCP of their own on both sides', async () => {
    const pair = await callRadio(scene);
    await until('RTCP is heard', () => pair.mc.media.stream.counters.rtcpReceived > 0);
    assert.equal(pair.mc.media.stream.counters.rtcpAuthFailures, 0);
    pair.mc.bye();
    await expectEnded(pair.radio, 'peer');
  });

  for (const [name, place] of [
    ['the MC user', callRadio],
    ['the radio user', callMc],
  ] as const) {
    it(`carry AMR-WB octet for octet when ${name} calls`, async function () {
      await needsModule(this, scene.pbx, 'mod_amrwb');
      scene.mc.codec = 'AMR-WB';
      scene.radio.codec = 'AMR-WB';
      try {
        const { mc, radio } = await place(scene);
        for (const call of [mc, radio]) {
          await until('frames are heard', () => call.media.stream.counters.received > 20);
          const { foreignPayload } = call.media.stream;
          assert.equal(foreignPayload, undefined, call === mc ? 'MC user' : 'radio user');
        }
        mc.bye();
        await expectEnded(radio, 'peer');
      } finally {
        scene.mc.codec = 'PCMU';
        scene.radio.codec = 'PCMU';
      }
    });
  }

  it('fall silent on hold by re-INVITE and carry speech again after it, under the same key', async () => {
    const pair = await callRadio(scene);
    await expectSpeech(pair);
    const keyId = pair.mc.media.keys.pck?.keyId;
    pair.mc.media.direction = 'inactive';
    assert.equal(await pair.mc.reinvite(), 200);
    await sleep(200);
    assert.ok(await isSpared(pair.mc, RADIO_TONE_HZ));
    pair.mc.media.direction = 'sendrecv';
    assert.equal(await pair.mc.reinvite(), 200);
    await sleep(100);
    await expectSpeech(pair);
    assert.equal(pair.mc.media.keys.pck?.keyId, keyId);
    pair.mc.bye();
    await expectEnded(pair.radio, 'peer');
  });

  it('are put on hold by the radio side too', async () => {
    const pair = await callMc(scene);
    await expectSpeech(pair);
    pair.radio.media.direction = 'inactive';
    assert.equal(await pair.radio.reinvite(), 200);
    await sleep(200);
    pair.radio.media.direction = 'sendrecv';
    assert.equal(await pair.radio.reinvite(), 200);
    await sleep(100);
    await expectSpeech(pair);
    pair.radio.bye();
    await expectEnded(pair.mc, 'peer');
  });

  it('go on under a new PCK that the MC user makes in a re-INVITE', async () => {
    const pair = await callRadio(scene);
    await expectSpeech(pair);
    pair.mc.media.keys.renew();
    assert.equal(await pair.mc.reinvite(), 200);
    await sleep(100);
    await expectSpeech(pair);
    pair.mc.bye();
    await expectEnded(pair.radio, 'peer');
  });

  it('swap key roles when the MC user answers with a new PCK in a re-INVITE of its own', async () => {
    const pair = await callMc(scene);
    await expectSpeech(pair);
    pair.mc.media.keys.renew();
    assert.equal(await pair.mc.reinvite(), 200);
    await sleep(100);
    await expectSpeech(pair);
    pair.mc.bye();
    await expectEnded(pair.radio, 'peer');
  });

  it('take a session refresh by UPDATE', async () => {
    const pair = await callRadio(scene);
    assert.equal(await pair.mc.refresh(), 200);
    await expectSpeech(pair);
    pair.mc.bye();
    await expectEnded(pair.radio, 'peer');
  });

  it('take a session refresh by re-INVITE with the same key', async () => {
    const pair = await callRadio(scene);
    assert.equal(await pair.mc.reinvite([['Session-Expires', '1800;refresher=uac']]), 200);
    await expectSpeech(pair);
    pair.mc.bye();
    await expectEnded(pair.radio, 'peer');
  });

  it('are cancelled by the MC user while the radio rings', async () => {
    const taken = nextCall(scene.radio.agent, false);
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const radio = await within('the radio is called', taken);
    radio.ring();
    await until('the MC user hears it ring', () => mc.state === 'ringing');
    mc.cancel();
    await expectEnded(mc, 'cancelled');
    await expectEnded(radio, 'cancelled');
  });

  it('are cancelled by the radio user while the MC user is called', async () => {
    const taken = nextCall(scene.mc.agent, false);
    const radio = await scene.radio.call(RADIO_1.pbx, 'alice');
    const mc = await within('the MC user is called', taken);
    mc.ring();
    await until('the radio user hears it ring', () => radio.state === 'ringing');
    radio.cancel();
    await expectEnded(radio, 'cancelled');
    await expectEnded(mc, 'cancelled');
  });

  it('are refused with the 404 of the dialplan', async function () {
    needsOwnPbx(this, scene.pbx);
    const mc = await scene.mc.call({ from: ALICE, to: 'sip:radio2@lmr.example' });
    const end = await within('the call ends', mc.ended);
    assert.equal(end.status, 404);
  });

  it('take keys with hidden identities', async () => {
    const pair = await callRadio(scene, { hideIdentities: true });
    await expectSpeech(pair);
    pair.mc.bye();
    await expectEnded(pair.radio, 'peer');
  });

  it('keep eight calls at a time apart: each radio call hears its own tone alone', async () => {
    const tones = [600, 800, 1000, 1200, 1400, 1600, 1800, 2000];
    const incoming: SimCall<PartyMedia>[] = [];
    scene.radio.agent.onCall = (call) => {
      incoming.push(call);
      void call.answer();
    };
    const placed = await Promise.all(
      tones.map((toneHz) => scene.mc.call({ from: ALICE, to: RADIO_1.uri, toneHz })),
    );
    await Promise.all(placed.map(expectUp));
    const heardOf = ({ media: { stream } }: SimCall<PartyMedia>): number[] =>
      tones.filter((tone) => findTone(stream.recording(), tone, 8000).milliseconds > 0);
    await until(
      'each hears a tone',
      () => incoming.length === tones.length && incoming.every((call) => heardOf(call).length > 0),
    );
    await sleep(1000);
    const heard = incoming.map(heardOf);
    assert.deepEqual(
      heard.flat().sort((a, b) => a - b),
      tones,
    );
    assert.ok(heard.every((own) => own.length === 1));
    for (const call of placed) call.bye();
    await Promise.all(incoming.map((call) => expectEnded(call, 'peer')));
  });

  it('carry the early media of the radio side before it answers', async () => {
    const taken = nextCall(scene.radio.agent, false);
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const radio = await within('the radio is called', taken);
    await radio.progress();
    await until('the MC user hears progress', () => mc.state === 'ringing');
    assert.equal(await hears(mc, RADIO_TONE_HZ), true);
    await radio.answer();
    await expectUp(mc);
    await expectSpeech({ mc, radio });
    mc.bye();
    await expectEnded(radio, 'peer');
  });

  it('carry the early media of the MC side before it answers', async () => {
    const taken = nextCall(scene.mc.agent, false);
    const radio = await scene.radio.call(RADIO_1.pbx, 'alice');
    const mc = await within('the MC user is called', taken);
    await mc.progress();
    await until('the radio user hears progress', () => radio.state === 'ringing');
    assert.equal(await hears(radio, MC_TONE_HZ), true);
    await mc.answer();
    await expectUp(radio);
    await expectSpeech({ mc, radio });
    radio.bye();
    await expectEnded(mc, 'peer');
  });

  it('are refused as busy when the radio user is busy', async () => {
    const taken = nextCall(scene.radio.agent, false);
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    (await within('the radio is called', taken)).refuse(486);
    assert.equal((await within('the call ends', mc.ended)).status, 486);
  });

  it('are refused as busy when the MC user is busy', async () => {
    const taken = nextCall(scene.mc.agent, false);
    const radio = await scene.radio.call(RADIO_1.pbx, 'alice');
    (await within('the MC user is called', taken)).refuse(486);
    assert.equal((await within('the call ends', radio.ended)).status, 486);
  });

  it('are refused with 403 when the calling radio user is not represented', async () => {
    const radio = await scene.radio.call('4711', 'alice');
    assert.equal((await within('the call ends', radio.ended)).status, 403);
  });
});
