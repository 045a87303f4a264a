/** Group calls through the running gateway and a real Asterisk. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { concatBytes, toHex } from '../../src/base/bytes.js';
import { gukId } from '../../src/mikey/index.js';
import { findTone } from '../../src/sim/index.js';
import type { McMedia, PartyMedia, SimCall } from '../../src/sim/index.js';
import { expectUp, nextCall, settle } from '../support/call-pair.js';
import { runSegyBeside } from '../support/cli.js';
import {
  breaksIn,
  greatestStep,
  samplesOf,
  type GroupSide,
  type TestGmk,
  untilHeard,
} from '../support/group-side.js';
import { type GroupSystem, groupSystemOf, newGmk } from '../support/group-system.js';
import { ALICE, BOB, RADIO_1, RADIO_TONE_HZ, Scene } from '../support/scene.js';
import { leastOf, sleep, until, within } from '../support/waiting.js';

const GROUP = 'sip:police@mc-a.example';
const GMS = 'sip:gms@mc-a.example';
const CARL = 'sip:carl@mc-a.example';
const HALF_AMPLITUDE = 8192;
const SPURT_MS = 1000;
/** of a talker's first words this much may be missing */
const LEAD_MS = 40;
const FIRST = newGmk(1);
const SECOND = newGmk(2);

describe('group calls', function () {
  this.timeout(60_000);
  let scene: Scene;
  let system: GroupSystem;

  before(async () => {
    scene = await Scene.start({
      partner: {
        gms: [GMS],
        groups: [{ id: GROUP, pbx: 'police', speaker: RADIO_1.uri, members: [ALICE, BOB, CARL] }],
      },
      asterisk: {
        dialplan: [
          '[segy-to-radio](+)',
          'exten => police,1,Log(NOTICE,type=${SEGY_CALL_TYPE} group=${SEGY_GROUP})',
          ' same => n,Dial(PJSIP/police@radio,60)',
          '',
        ].join('\n'),
      },
    });
    system = groupSystemOf(scene, GMS, GROUP);
  });
  after(async () => {
    await scene.stop();
  });

  const sideOf = (caller = ALICE, ...keys: TestGmk[]): GroupSide =>
    system.side(caller, [FIRST, SECOND, ...keys]);

  interface GroupCall {
    readonly side: GroupSide;
    readonly mc: SimCall<McMedia>;
    readonly radio: SimCall<PartyMedia>;
  }

  async function callGroup(): Promise<GroupCall> {
    const side = sideOf();
    const taken = nextCall(scene.radio.agent);
    const mc = await system.call(side);
    await expectUp(mc);
    return { side, mc, radio: await within('the radio takes the call', taken) };
  }

  async function end({ mc, radio }: GroupCall): Promise<void> {
    mc.bye();
    await within('the radio call ends', radio.ended);
  }

  const globals = (): Promise<string> => scene.asterisk.cli('dialplan show globals');

  it('are refused with 488 SEGY_E_NO_GROUP_KEY before a GMK has come', async () => {
    const side = sideOf();
    const mc = await system.call(side);
    const { status, warning } = await within('the call is refused', mc.ended);
    assert.equal(status, 488);
    assert.match(warning ?? '', /SEGY_E_NO_GROUP_KEY/);
  });

  it('have their GMK taken with 200, and again with 200 and no change', async () => {
    const octets = await system.message(FIRST);
    assert.equal((await system.deliver(octets)).status, 200);
    assert.equal((await system.deliver(octets)).status, 200);
  });

  it('carry three talkers in turn to the radio, one with ROC 7, without clicks at the joins', async () => {
    const call = await callGroup();
    const { stream } = call.radio.media;
    await sleep(300);
    stream.clearRecording();
    const talkers = [
      { user: ALICE, toneHz: 300, roc: 0 },
      { user: BOB, toneHz: 400, roc: 7 },
      { user: CARL, toneHz: 500, roc: 0 },
    ];
    for (const { user, toneHz, roc } of talkers) {
      await call.side.talk(user, FIRST, { toneHz, ms: SPURT_MS, roc });
      const talker = new RegExp(`SEGY_TALKER_[0-9.]+=${user.replaceAll('.', '\\.')}`);
      await until(`${user} is the talker`, async () => talker.test(await globals()));
      await untilHeard(user, stream, toneHz, SPURT_MS - LEAD_MS);
      await sleep(300);
    }
    const recording = stream.recording();
    assert.ok(greatestStep(recording) < HALF_AMPLITUDE, `a click of ${greatestStep(recording)}`);
    await until('the dialplan was told', () =>
      scene.asterisk.log().includes('type=group group=sip:police@mc-a.example'),
    );
    await end(call);
    await until('nobody is the talker', async () => !(await globals()).includes('SEGY_TALKER'));
  });

  it('carry the radio to all members under one GMK and its own GUK-ID', async () => {
    const call = await callGroup();
    await until('a second of speech is heard', () => call.side.heard.length > 50);
    const { toneHz } = { toneHz: RADIO_TONE_HZ };
    assert.ok(findTone(samplesOf(call.side.heard), toneHz, 8000).found);
    const mkis = new Set(call.side.heard.map(({ mki }) => mki));
    const own = toHex(concatBytes(FIRST.id, gukId(FIRST.octets, FIRST.id, RADIO_1.uri)));
    assert.deepEqual([...mkis], [own]);
    assert.equal(call.side.refused, 0);
    await end(call);
  });

  it('go on without a loss when the GMK is rolled in mid-speech, and stop when it is revoked', async () => {
    const call = await callGroup();
    const { side, radio } = call;
    const { stream } = radio.media;
    await until('the radio is heard', () => side.heard.length > 20);
    stream.clearRecording();
    const speech = side.talk(ALICE, FIRST, { toneHz: 300, ms: 1500 });
    const lag = (): Promise<number> => leastOf(() => stream.counters.sent - side.heard.length);
    const lagBefore = await lag();
    const heardBefore = side.heard.length;
    assert.equal(await system.give(SECOND, { activation: new Date(Date.now()) }), 200);
    await speech;
    await side.talk(BOB, SECOND, { toneHz: 400, ms: SPURT_MS });
    const missing = (await lag()) - lagBefore;
    assert.ok(Math.abs(missing) <= 3, `${missing} packets missing on their way`);
    assert.equal(breaksIn(side.heard.slice(heardBefore), RADIO_TONE_HZ), 0);
    assert.equal(side.refused, 0);
    const ids = side.heard.map(({ mki }) => mki.slice(0, 8));
    assert.equal(ids.lastIndexOf('0a000001') + 1, ids.indexOf('0a000002'));
    assert.ok(greatestStep(samplesOf(side.heard)) < HALF_AMPLITUDE);
    await untilHeard('Alice', stream, 300, 1500 - LEAD_MS);
    await untilHeard('Bob', stream, 400, SPURT_MS - LEAD_MS);

    assert.equal(await system.give(FIRST, { revoked: true }), 200);
    const state = ['--state', join(scene.folder, 'state')];
    const { calls } = JSON.parse((await runSegyBeside(['calls', ...state, '--json'])).stdout) as {
      calls: { talker: string; keyId: string }[];
    };
    assert.deepEqual([calls[0]?.talker, calls[0]?.keyId], [BOB, '0a000002']);
    const revoked = await runSegyBeside(['keys', 'revoke', '0a000002', ...state]);
    assert.match(revoked.stdout, /GMK 0a000002 of mc-a is revoked for good/);
    const heardAtEnd = await settle('the group', () => side.heard.length);
    const receivedAtEnd = await settle('the radio', () => stream.counters.received);
    await side.talk(BOB, SECOND, { toneHz: 400, ms: 300 });
    assert.ok(side.heard.length - heardAtEnd <= 1, 'the radio is heard after the revocation');
    assert.ok(stream.counters.received - receivedAtEnd <= 1, 'a talker is heard after it');
    await end(call);
  });

  it('of the radio reach the group that the dialplan dials, once it has a GMK again', async () => {
    const third: TestGmk = newGmk(3);
    assert.equal(await system.give(third), 200);
    const side = sideOf(ALICE, third);
    const calls = system.takeCalls(side);
    const radio = await scene.radio.call(RADIO_1.pbx, 'police');
    await expectUp(radio);
    const mc = await within('the MC system takes the call', calls.next);
    assert.match(Buffer.from(mc.invite!.body).toString(), /prearranged.*sip:police@mc-a\.example/);
    assert.doesNotMatch(Buffer.from(mc.invite!.body).toString(), /key-mgmt/);
    await until('the radio is heard', () => side.heard.length > 30);
    assert.ok(findTone(samplesOf(side.heard), RADIO_TONE_HZ, 8000).found);
    const { stream } = radio.media;
    stream.clearRecording();
    await side.talk(CARL, third, { toneHz: 500, ms: SPURT_MS });
    await untilHeard('Carl', stream, 500, SPURT_MS - LEAD_MS);
    calls.end();
    mc.bye();
    await within('the radio call ends', radio.ended);
  });

  it('have their keys again after a restart, the revoked ones as revoked', async () => {
    const kept = newGmk(6);
    assert.equal(await system.give(kept, { activation: new Date() }), 200);
    await scene.gateway.stop();
    await scene.gateway.start();
    assert.equal(await system.give(FIRST), 488);
    const side = sideOf(ALICE, kept);
    const taken = nextCall(scene.radio.agent);
    const mc = await system.call(side);
    await expectUp(mc);
    const radio = await within('the radio takes the call', taken);
    await until('the radio is heard', () => side.heard.length > 20);
    radio.media.stream.clearRecording();
    await side.talk(ALICE, kept, { toneHz: 300, ms: 500 });
    await untilHeard('Alice', radio.media.stream, 300, 500 - LEAD_MS);
    await end({ side, mc, radio });
  });
});
