/** Group calls through the running gateway and a real Asterisk. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { concatBytes, fromHex, toHex } from '../../src/base/bytes.js';
import { systemClock, systemRandom } from '../../src/base/environment.js';
import { gukId, makeIMessage } from '../../src/mikey/index.js';
import type { NewKeyParameters } from '../../src/mikey/index.js';
import { findTone } from '../../src/sim/index.js';
import type { McMedia, PartyMedia, SimCall } from '../../src/sim/index.js';
import { SipHeaders, type SipResponse } from '../../src/sip/index.js';
import { expectUp, nextCall } from '../support/call-pair.js';
import { runSegyBeside } from '../support/cli.js';
import {
  greatestStep,
  GroupSide,
  memberKey,
  samplesOf,
  type TestGmk,
} from '../support/group-side.js';
import { ALICE, BOB, MC_ADDRESS, RADIO_1, RADIO_TONE_HZ, Scene } from '../support/scene.js';
import { sleep, until, within } from '../support/waiting.js';

const GROUP = 'sip:police@mc-a.example';
const FIRE = 'sip:fire@mc-a.example';
const GMS = 'sip:gms@mc-a.example';
const CARL = 'sip:carl@mc-a.example';
const HALF_AMPLITUDE = 8192;
const SPURT_MS = 1000;
const gmk = (n: number): TestGmk => ({
  id: fromHex(`0a00000${n}`),
  octets: systemRandom(16),
  rand: systemRandom(16),
});
const FIRST = gmk(1);
const SECOND = gmk(2);

describe('group calls', function () {
  this.timeout(60_000);
  let scene: Scene;
  let sequence = 0;

  before(async () => {
    scene = await Scene.start({
      partner: {
        gms: [GMS],
        groups: [
          { id: GROUP, pbx: 'police', speaker: RADIO_1.uri, members: [ALICE, BOB, CARL] },
          { id: FIRE, pbx: 'fire', speaker: RADIO_1.uri },
        ],
      },
      asterisk: {
        append: { 'confbridge.conf': '[general]\n#include segy_confbridge.conf\n' },
        dialplan: [
          '[segy-to-radio](+)',
          'exten => police,1,Log(NOTICE,type=${SEGY_CALL_TYPE} group=${SEGY_GROUP})',
          ' same => n,GotoIf($["${SEGY_CALLER}" = "sip:bob@mc-a.example"]?bridge)',
          ' same => n,Dial(PJSIP/police@radio,60)',
          ' same => n(bridge),Gosub(segy-group-bridge,s,1(joint,fire))',
          '',
        ].join('\n'),
      },
    });
  });
  after(async () => {
    await scene.stop();
  });

  /** An I_MESSAGE of the GMS for the radio user. */
  async function message(key: TestGmk, keyParameters: NewKeyParameters): Promise<Uint8Array> {
    const { domain } = scene;
    return makeIMessage(
      {
        keyType: 'GMK',
        key: key.octets,
        keyId: key.id,
        rand: key.rand,
        initiatorUri: GMS,
        initiatorCertificate: domain.certificate,
        initiatorKeySet: await domain.keySet(GMS),
        responderUri: RADIO_1.uri,
        responderCertificate: domain.certificateOf(RADIO_1.uri),
        keyParameters: { groups: [GROUP], ...keyParameters },
      },
      { clock: systemClock, slow: domain.slow, random: systemRandom },
    );
  }

  function deliver(body: Uint8Array): Promise<SipResponse> {
    sequence += 1;
    const uri = `sip:radio1@${scene.outer.address}:${scene.outer.port}`;
    const headers = new SipHeaders([
      ['From', `<${GMS}>;tag=gms${sequence}`],
      ['To', `<${uri}>`],
      ['Call-ID', `gmk-${sequence}`],
      ['CSeq', `${sequence} MESSAGE`],
      ['Max-Forwards', '70'],
      ['Content-Type', 'application/mikey'],
    ]);
    const request = { kind: 'request', method: 'MESSAGE', uri, headers, body } as const;
    const transaction = scene.mc.agent.send(request, { ...scene.outer, protocol: 'tcp' });
    return within(
      'the MESSAGE is answered',
      new Promise<SipResponse>((resolve, reject) => {
        transaction.onFinal = resolve;
        transaction.onError = reject;
      }),
    );
  }
  const give = async (key: TestGmk, parameters: NewKeyParameters = {}): Promise<number> =>
    (await deliver(await message(key, parameters))).status;

  const sideOf = (caller = ALICE, ...keys: TestGmk[]): GroupSide =>
    new GroupSide({
      address: MC_ADDRESS,
      hears: [FIRST, SECOND, ...keys].map((key) => memberKey(key, RADIO_1.uri)),
      info:
        '<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params>' +
        '<session-type>prearranged</session-type>' +
        `<mcptt-calling-user-id><mcpttURI>${caller}</mcpttURI></mcptt-calling-user-id>` +
        `<mcptt-calling-group-id><mcpttURI>${GROUP}</mcpttURI></mcptt-calling-group-id>` +
        '</mcptt-Params></mcpttinfo>',
    });

  interface GroupCall {
    readonly side: GroupSide;
    readonly mc: SimCall<McMedia>;
    readonly radio: SimCall<PartyMedia>;
  }

  function placeCall(side: GroupSide): Promise<SimCall<McMedia>> {
    return scene.mc.agent.call(
      {
        target: { ...scene.outer, protocol: 'tcp' },
        requestUri: 'sip:mcptt-group@lmr.example',
        from: `sip:controlling@${MC_ADDRESS}`,
        to: 'sip:mcptt-group@lmr.example',
      },
      side as unknown as McMedia,
    );
  }

  async function callGroup(): Promise<GroupCall> {
    const side = sideOf();
    const taken = nextCall(scene.radio.agent);
    const mc = await placeCall(side);
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
    const mc = await placeCall(side);
    const { status, warning } = await within('the call is refused', mc.ended);
    assert.equal(status, 488);
    assert.match(warning ?? '', /SEGY_E_NO_GROUP_KEY/);
  });

  it('have their GMK taken with 200, and again with 200 and no change', async () => {
    const octets = await message(FIRST, {});
    assert.equal((await deliver(octets)).status, 200);
    assert.equal((await deliver(octets)).status, 200);
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
      assert.match(
        await globals(),
        new RegExp(`SEGY_TALKER_[0-9.]+=${user.replaceAll('.', '\\.')}`),
      );
      await sleep(300);
    }
    await sleep(200);
    const recording = stream.recording();
    for (const { user, toneHz } of talkers) {
      const { milliseconds } = findTone(recording, toneHz, 8000);
      assert.ok(milliseconds >= SPURT_MS - 100, `${user}: ${milliseconds} ms of ${SPURT_MS}`);
    }
    assert.ok(greatestStep(recording) < HALF_AMPLITUDE, `a click of ${greatestStep(recording)}`);
    assert.match(scene.asterisk.log(), /type=group group=sip:police@mc-a\.example/);
    await end(call);
    assert.doesNotMatch(await globals(), /SEGY_TALKER/);
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
    await sleep(400);
    const sentBefore = stream.counters.sent;
    const heardBefore = side.heard.length;
    assert.equal(await give(SECOND, { activation: new Date(Date.now()) }), 200);
    await speech;
    await side.talk(BOB, SECOND, { toneHz: 400, ms: SPURT_MS });
    await sleep(100);
    const missing = stream.counters.sent - sentBefore - (side.heard.length - heardBefore);
    assert.ok(Math.abs(missing) <= 3, `${missing} packets missing on their way`);
    assert.equal(side.refused, 0);
    const ids = side.heard.map(({ mki }) => mki.slice(0, 8));
    assert.equal(ids.lastIndexOf('0a000001') + 1, ids.indexOf('0a000002'));
    assert.ok(greatestStep(samplesOf(side.heard)) < HALF_AMPLITUDE);
    const recording = stream.recording();
    assert.ok(findTone(recording, 300, 8000).milliseconds >= 1400);
    assert.ok(findTone(recording, 400, 8000).milliseconds >= SPURT_MS - 100);

    assert.equal(await give(FIRST, { revoked: true }), 200);
    const state = ['--state', join(scene.folder, 'state')];
    const { calls } = JSON.parse((await runSegyBeside(['calls', ...state, '--json'])).stdout) as {
      calls: { talker: string; keyId: string }[];
    };
    assert.deepEqual([calls[0]?.talker, calls[0]?.keyId], [BOB, '0a000002']);
    const revoked = await runSegyBeside(['keys', 'revoke', '0a000002', ...state]);
    assert.match(revoked.stdout, /GMK 0a000002 of mc-a is revoked for good/);
    const heardAtEnd = side.heard.length;
    const receivedAtEnd = stream.counters.received;
    await side.talk(BOB, SECOND, { toneHz: 400, ms: 300 });
    assert.ok(side.heard.length - heardAtEnd <= 1, 'the radio is heard after the revocation');
    assert.ok(stream.counters.received - receivedAtEnd <= 1, 'a talker is heard after it');
    await end(call);
  });

  it('of the radio reach the group that the dialplan dials, once it has a GMK again', async () => {
    const third: TestGmk = gmk(3);
    assert.equal(await give(third), 200);
    const side = new GroupSide({
      address: MC_ADDRESS,
      info: '',
      hears: [memberKey(third, RADIO_1.uri)],
    });
    const before = scene.mc.agent.onInvite;
    scene.mc.agent.onInvite = () => side as unknown as McMedia;
    const taken = nextCall(scene.mc.agent);
    const radio = await scene.radio.call(RADIO_1.pbx, 'police');
    await expectUp(radio);
    const mc = await within('the MC system takes the call', taken);
    assert.match(Buffer.from(mc.invite!.body).toString(), /prearranged.*sip:police@mc-a\.example/);
    assert.doesNotMatch(Buffer.from(mc.invite!.body).toString(), /key-mgmt/);
    await until('the radio is heard', () => side.heard.length > 30);
    assert.ok(findTone(samplesOf(side.heard), RADIO_TONE_HZ, 8000).found);
    const { stream } = radio.media;
    stream.clearRecording();
    await side.talk(CARL, third, { toneHz: 500, ms: SPURT_MS });
    assert.ok(findTone(stream.recording(), 500, 8000).milliseconds >= SPURT_MS - 150);
    if (before) scene.mc.agent.onInvite = before;
    mc.bye();
    await within('the radio call ends', radio.ended);
  });

  it('have their keys again after a restart, the revoked ones as revoked', async () => {
    const kept = gmk(6);
    assert.equal(await give(kept, { activation: new Date() }), 200);
    await scene.gateway.stop();
    await scene.gateway.start();
    assert.equal(await give(FIRST), 488);
    const side = sideOf(ALICE, kept);
    const taken = nextCall(scene.radio.agent);
    const mc = await placeCall(side);
    await expectUp(mc);
    const radio = await within('the radio takes the call', taken);
    await until('the radio is heard', () => side.heard.length > 20);
    radio.media.stream.clearRecording();
    await side.talk(ALICE, kept, { toneHz: 300, ms: 500 });
    assert.ok(findTone(radio.media.stream.recording(), 300, 8000).milliseconds >= 350);
    await end({ side, mc, radio });
  });

  it('of two groups meet in one conference, which opens one call for the other', async () => {
    const [police, fire] = [gmk(4), gmk(5)];
    assert.equal(await give(police, { activation: new Date() }), 200);
    assert.equal(await give(fire, { groups: [FIRE] }), 200);
    const away = new GroupSide({
      address: MC_ADDRESS,
      info: '',
      hears: [memberKey(fire, RADIO_1.uri)],
    });
    const before = scene.mc.agent.onInvite;
    scene.mc.agent.onInvite = () => away as unknown as McMedia;
    const taken = nextCall(scene.mc.agent);
    const side = sideOf(BOB, police);
    const mc = await placeCall(side);
    await expectUp(mc);
    const other = await within('the other group is called', taken);
    assert.match(Buffer.from(other.invite!.body).toString(), /sip:fire@mc-a\.example/);
    await within('the other call is up', other.up);
    await sleep(500);
    away.heard.length = 0;
    await side.talk(ALICE, police, { toneHz: 300, ms: SPURT_MS });
    await sleep(200);
    assert.ok(findTone(samplesOf(away.heard), 300, 8000).milliseconds >= SPURT_MS - 250);
    side.heard.length = 0;
    await away.talk(CARL, fire, { toneHz: 500, ms: SPURT_MS });
    await sleep(200);
    assert.ok(findTone(samplesOf(side.heard), 500, 8000).milliseconds >= SPURT_MS - 250);
    if (before) scene.mc.agent.onInvite = before;
    mc.bye();
    await within('the other call ends with it', other.ended);
  });
});
