/** Push-to-talk across the border: private calls with floor control through a real Asterisk. */
import assert from 'node:assert/strict';
import { callMc, callRadio, settle } from '../support/call-pair.js';
import type { CallPair } from '../support/call-pair.js';
import {
  floorEvents,
  floorOf,
  framesOf,
  hush,
  makeSpk,
  silence,
  speak,
  startFloorScene,
  syllableMs,
  untilHolder,
} from '../support/floor-scene.js';
import { ALICE, MC_TONE_HZ, RADIO_1, RADIO_TONE_HZ } from '../support/scene.js';
import type { Scene } from '../support/scene.js';
import { sleep, until } from '../support/waiting.js';

/** The first syllable, all of it, less at most one frame that the clocks may cut. */
const SYLLABLE_HEARD_MS = 100;

const DIALPLAN = [
  '[segy-before](+)',
  'exten => 1001,1,Gosub(segy-keying,s,1(${GLOBAL(TEST_KEYING)}))',
  ' same => n,Return()',
  '[segy-to-radio](+)',
  'exten => 1001,1,Dial(PJSIP/1001@radio,60,${GLOBAL(TEST_OPTIONS)})',
  ' same => n,Hangup(${HANGUPCAUSE})',
  '',
].join('\n');

describe('private calls with floor control through a real Asterisk', function () {
  this.timeout(60_000);
  const spk = makeSpk();
  let scene: Scene;
  let pair: CallPair;

  before(async () => {
    scene = await startFloorScene(spk, {}, { t3: 100 }, { asterisk: { dialplan: DIALPLAN } });
  });

  after(async () => {
    await scene.stop();
    spk.remove();
  });

  afterEach(async () => {
    for (const call of [...scene.mc.agent.calls, ...scene.radio.agent.calls]) call.bye();
    await until('all channels are gone', async () => (await scene.pbx.channelCount()) === 0);
  });

  /** A call whose radio keys by `source`, up and silent. */
  async function call(source: string, options = ''): Promise<void> {
    await scene.asterisk.cli(`dialplan set global TEST_KEYING ${source}`);
    await scene.asterisk.cli(`dialplan set global TEST_OPTIONS ${options}`);
    pair = await callRadio(scene);
    hush(pair);
    await sleep(400);
    hush(pair);
  }

  async function setPtt(value: string): Promise<void> {
    const channels = await scene.asterisk.cli('core show channels concise');
    const channel = /^(PJSIP\/radio-[^!]+)!/m.exec(channels)?.[1] ?? '';
    await scene.asterisk.cli(`dialplan set chanvar ${channel} SEGY_PTT ${value}`);
  }

  const keyings: readonly {
    readonly source: string;
    readonly options?: string;
    readonly press: () => Promise<void>;
    readonly release: () => Promise<void>;
  }[] = [
    {
      source: 'level',
      press: () => Promise.resolve(),
      release: () => Promise.resolve(),
    },
    {
      source: 'events',
      press: () => dial('*'),
      release: () => dial('#'),
    },
    {
      source: 'dtmf',
      options: 'b(segy-listen^s^1)',
      press: () => dial('*'),
      release: () => dial('#'),
    },
    {
      source: 'talk',
      options: 'b(segy-listen^s^1)',
      press: () => Promise.resolve(),
      release: () => Promise.resolve(),
    },
    {
      source: 'variable',
      press: () => setPtt('on'),
      release: () => setPtt('off'),
    },
  ];

  async function dial(digit: string): Promise<void> {
    pair.radio.media.stream.dial(digit);
    await sleep(240);
  }

  for (const { source, options, press, release } of keyings) {
    it(`are keyed by ${source}, and the first syllable is heard`, async () => {
      await call(source, options);
      await press();
      speak(pair.radio);
      await untilHolder(floorOf(pair), RADIO_1.uri);
      await until('speech is heard', () => framesOf(pair.mc, RADIO_TONE_HZ) > 10);
      assert.ok(syllableMs(pair.mc) >= SYLLABLE_HEARD_MS, `${syllableMs(pair.mc)} ms`);
      silence(pair.radio);
      await release();
      await untilHolder(floorOf(pair), undefined);
      assert.equal(pair.mc.media.stream.digits, '', 'no digit of the key is heard');
    });
  }

  it('carry nobody’s speech without the floor', async () => {
    await call('variable');
    speak(pair.radio);
    pair.mc.media.stream.speak(() => MC_TONE_HZ);
    await sleep(700);
    assert.equal(framesOf(pair.mc, RADIO_TONE_HZ), 0);
    assert.equal(framesOf(pair.radio, MC_TONE_HZ), 0);
    floorOf(pair).key();
    await until('the MC user is heard', () => framesOf(pair.radio, MC_TONE_HZ) > 10);
    assert.equal(framesOf(pair.mc, RADIO_TONE_HZ), 0);
  });

  it('tell the radio of a denied request, and drop what it said', async () => {
    await call('variable');
    floorOf(pair).server.script = () => ({ deny: 255, phrase: 'not now' });
    await setPtt('on');
    speak(pair.radio);
    await until('the denial is told', () => floorEvents(scene).at(-1) === 'denied');
    await sleep(300);
    assert.equal(framesOf(pair.mc, RADIO_TONE_HZ), 0);
    assert.equal(syllableMs(pair.mc), 0);
  });

  it('queue the radio behind a talker and grant it the floor after', async () => {
    await call('variable');
    const floor = floorOf(pair);
    floor.key();
    await setPtt('on');
    await until('it is queued', () => floor.server.queued.includes(RADIO_1.uri));
    await until('that is told', () => floorEvents(scene).at(-1) === 'queued');
    floor.unkey();
    await untilHolder(floor, RADIO_1.uri);
    speak(pair.radio);
    await until('speech is heard', () => framesOf(pair.mc, RADIO_TONE_HZ) > 10);
    assert.ok(syllableMs(pair.mc) >= SYLLABLE_HEARD_MS, `${syllableMs(pair.mc)} ms`);
  });

  it('fall silent at once when the floor is revoked in mid-speech', async () => {
    await call('level');
    speak(pair.radio);
    const floor = floorOf(pair);
    await until('speech is heard', () => framesOf(pair.mc, RADIO_TONE_HZ) > 10);
    floor.server.revoke(RADIO_1.uri);
    await until('that is told', () => floorEvents(scene).includes('revoked'));
    await settle('the MC user', () => framesOf(pair.mc, RADIO_TONE_HZ));
    pair.mc.media.stream.clearRecording();
    await sleep(400);
    assert.equal(framesOf(pair.mc, RADIO_TONE_HZ), 0);
    await untilHolder(floor, undefined);
  });

  it('lose the floor to an emergency of the MC user', async () => {
    await call('level');
    speak(pair.radio);
    const floor = floorOf(pair);
    await until('speech is heard', () => framesOf(pair.mc, RADIO_TONE_HZ) > 10);
    floor.key('emergency');
    await untilHolder(floor, ALICE);
    pair.mc.media.stream.speak(() => MC_TONE_HZ);
    await until('the emergency is heard', () => framesOf(pair.radio, MC_TONE_HZ) > 10);
  });

  it('carry the radio’s call to the MC user under the same rules', async () => {
    pair = await callMc(scene);
    hush(pair);
    await sleep(400);
    hush(pair);
    const { peerParameters } = floorOf(pair);
    assert.deepEqual(peerParameters, ['mc_queueing', 'mc_priority=255', 'mc_granted']);
    speak(pair.radio);
    await untilHolder(floorOf(pair), RADIO_1.uri);
    await until('speech is heard', () => framesOf(pair.mc, RADIO_TONE_HZ) > 10);
    assert.ok(syllableMs(pair.mc) >= SYLLABLE_HEARD_MS, `${syllableMs(pair.mc)} ms`);
  });
});
