import assert from 'node:assert/strict';
import type { FloorConfig } from '../../../src/config/index.js';
import { floorSchema } from '../../../src/config/floor-schema.js';
import { writePrivateCallInfo } from '../../../src/edge/messages/mcptt-info.js';
import type { FloorSetup } from '../../../src/media/index.js';
import type { FakeChannel, FakeMediaSession, Partner } from '../support/fakes.js';
import {
  ALICE,
  bodyText,
  Harness,
  keyMgmt,
  RADIO1,
  sdp,
  type HarnessOptions,
} from '../support/harness.js';
import { until, within } from '../support/peer.js';

const SPK = new Uint8Array(16).fill(7);
const material = () => ({
  suite: 'AEAD_AES_128_GCM' as const,
  masterKey: new Uint8Array(SPK),
  masterSalt: new Uint8Array(12).fill(8),
  mki: new Uint8Array([0x30, 0, 0, 1]),
  rocRate: 0,
});

function withFloor(floor: Partial<FloorConfig> = {}): HarnessOptions {
  const config = { ...floorSchema.parse({ keying: { source: 'variable' } }), ...floor };
  return {
    partner: (partner: Partner) => ({ ...partner, floor: config }),
    floor: { keys: () => ({ send: material(), receive: [material()] }) },
  };
}

/** A description with a floor line behind its audio. */
function floorSdp(
  address: string,
  port: number,
  floor: string | null,
  ...more: readonly string[]
): string {
  const lines = ['m=application 41002 udp MCPTT', ...(floor === null ? [] : [`a=fmtp:${floor}`])];
  return sdp(address, port, ...more) + lines.map((line) => `${line}\r\n`).join('');
}

const OFFER = floorSdp('127.0.2.1', 41000, 'MCPTT mc_queueing;mc_priority=5', keyMgmt());
const mediaLines = (text: string): string[] =>
  text.split('\r\n').filter((line) => line.startsWith('m=') || line.startsWith('a=fmtp'));

describe('edge: calls with floor control', () => {
  let h: Harness;
  afterEach(async () => h.stop());

  const session = (): FakeMediaSession => h.media.sessions[0]!;
  const channel = (): FakeChannel => h.port.channels[0]!;
  const setup = (): FloorSetup => session().floorSetups.at(-1)!;

  it('are declined where the partner’s profile has no floor section', async () => {
    h = await Harness.start();
    const { response } = await h.establishIn({ sdp: OFFER });
    assert.deepEqual(mediaLines(bodyText(response)), [
      'm=audio 40000 RTP/AVP 0',
      'm=application 0 udp MCPTT',
    ]);
    assert.ok(!session().log.some((entry) => entry.includes('floor')));
  });

  it('are answered by the gateway itself, and the PBX sees nothing of it', async () => {
    h = await Harness.start(withFloor());
    const { offered, response } = await h.establishIn({ sdp: OFFER });
    assert.doesNotMatch(bodyText(offered), /MCPTT|application/);
    assert.deepEqual(mediaLines(bodyText(response)), [
      'm=audio 40000 RTP/AVP 0',
      'm=application 40002 udp MCPTT',
      'a=fmtp:MCPTT mc_queueing;mc_priority=5',
    ]);
    const { remote, participant } = setup();
    assert.deepEqual(remote, { address: '127.0.2.1', port: 41002 });
    assert.equal(participant.userId, RADIO1);
    assert.equal(participant.maxPriority, 5);
    assert.deepEqual(session().floorCommands, [
      { type: 'set-up', implicitRequest: false, granted: false },
    ]);
  });

  it('without a floor line in the offer have none in the answer', async () => {
    h = await Harness.start(withFloor());
    const { response } = await h.establishIn();
    assert.deepEqual(mediaLines(bodyText(response)), ['m=audio 40000 RTP/AVP 0']);
    assert.deepEqual(session().floorSetups, []);
    assert.deepEqual(session().floorCommands, []);
  });

  it('are refused when the floor line names an address that nothing may be sent to', async () => {
    h = await Harness.start(withFloor());
    const bad = OFFER.replace('m=application 41002 udp MCPTT', '$&\r\nc=IN IP4 224.0.0.1');
    const { sent } = h.fromMc({ sdp: bad });
    const tx = await h.pbx.expect('INVITE');
    h.pbx.answer(tx, 200, { sdp: sdp('127.0.0.1', 12000) });
    await sent.expect(488);
  });

  it('from the radio are offered with our highest priority', async () => {
    h = await Harness.start(withFloor());
    const { request, sent } = h.fromPbx();
    const tx = await h.mc.expect('INVITE');
    assert.match(
      bodyText(tx.request),
      /m=application 40002 udp MCPTT\r\na=fmtp:MCPTT mc_queueing;mc_priority=255;mc_granted\r\n/,
    );
    const answer = floorSdp('127.0.2.1', 41000, 'MCPTT mc_priority=20;mc_granted');
    h.mc.answer(tx, 200, { sdp: answer });
    h.ack(h.pbx, request, await sent.expect(200));
    assert.equal(setup().participant.maxPriority, 20);
    assert.equal(setup().participant.queueing, false);
    assert.deepEqual(session().floorCommands, [
      { type: 'set-up', implicitRequest: false, granted: false },
    ]);
  });

  it('from a radio that keys already ask for the floor by the INVITE', async () => {
    h = await Harness.start(withFloor());
    const { request, sent } = h.fromPbx({ headers: [['X-SeGy-PTT', 'on']] });
    const tx = await h.mc.expect('INVITE');
    assert.match(bodyText(tx.request), /;mc_implicit_request/);
    h.mc.answer(tx, 200, {
      sdp: floorSdp('127.0.2.1', 41000, 'MCPTT mc_granted;mc_implicit_request'),
    });
    h.ack(h.pbx, request, await sent.expect(200));
    assert.deepEqual(session().floorCommands, [
      { type: 'set-up', implicitRequest: true, granted: true },
      { type: 'key', on: true },
    ]);
  });

  it('go on without floor control, and give its port back, when the partner declines it', async () => {
    h = await Harness.start(withFloor());
    await h.establishOut();
    assert.deepEqual(session().floorSetups, []);
    assert.ok(session().log.includes('close floor'));
  });

  it('follow the floor line to another port in a re-INVITE, and end with it at port 0', async () => {
    h = await Harness.start(withFloor());
    const { callerDialog } = await h.establishIn({ sdp: OFFER });
    let cseq = 101;
    const reinvite = async (port: number): Promise<string> => {
      cseq += 1;
      const text = OFFER.replace('m=application 41002', `m=application ${port}`);
      const again = h.mc.send(within('INVITE', cseq, callerDialog, { sdp: text }), h.outerAt);
      const tx = await h.pbx.expect('INVITE');
      h.pbx.answer(tx, 200, { sdp: sdp('127.0.0.1', 12000) });
      const response = await again.expect(200);
      h.mc.endpoint.sendAck(within('ACK', cseq, callerDialog), h.outerAt);
      await h.pbx.acks.next('the ACK');
      return bodyText(response);
    };
    assert.match(await reinvite(41010), /m=application 40002 udp MCPTT/);
    assert.equal(setup().remote.port, 41010);
    assert.match(await reinvite(0), /m=application 0 udp MCPTT/);
    assert.equal(session().floorSetups.at(-1), null);
  });

  it('take the key of the radio by the source that the dialplan chose', async () => {
    h = await Harness.start(withFloor());
    h.port.auto = false;
    const { sent } = h.fromMc({ sdp: OFFER });
    const tx = await h.pbx.expect('INVITE');
    h.port.handOver({ SEGY_PTT_SOURCE: 'dtmf' });
    h.pbx.answer(tx, 200, { sdp: sdp('127.0.0.1', 12000) });
    await sent.expect(200);
    const commands = (): unknown[] => session().floorCommands.slice(1);
    channel().onSignal?.({ kind: 'variable', name: 'SEGY_PTT', value: 'on' });
    channel().onSignal?.({ kind: 'talk', talking: true });
    assert.deepEqual(commands(), []);
    channel().onSignal?.({ kind: 'digit', digit: '*' });
    channel().onSignal?.({ kind: 'digit', digit: '5' });
    channel().onSignal?.({ kind: 'digit', digit: '#' });
    assert.deepEqual(commands(), [
      { type: 'key', on: true },
      { type: 'key', on: false },
    ]);
  });

  it('take SEGY_PTT and SEGY_PRIORITY while they last, and no other value', async () => {
    h = await Harness.start(withFloor());
    await h.establishIn({ sdp: OFFER });
    for (const [name, value] of [
      ['SEGY_PTT', 'on'],
      ['SEGY_PTT', 'maybe'],
      ['SEGY_OTHER', 'on'],
      ['SEGY_PRIORITY', 'emergency'],
      ['SEGY_PRIORITY', 'urgent'],
      ['SEGY_PTT', 'off'],
    ] as const) {
      channel().onSignal?.({ kind: 'variable', name, value });
    }
    assert.deepEqual(session().floorCommands.slice(1), [
      { type: 'key', on: true },
      { type: 'level', level: 'emergency' },
      { type: 'key', on: false },
    ]);
  });

  it('tell the PBX what becomes of the floor, and never an identity that it may not get', async () => {
    h = await Harness.start(withFloor());
    await h.establishIn({ sdp: OFFER });
    const talker = (userId: string) => ({
      type: 'floor' as const,
      news: {
        event: 'taken' as const,
        talkers: [{ userId, functionalAlias: null, ssrc: null }],
        level: 'normal' as const,
      },
    });
    session().emit(talker(ALICE));
    session().emit(talker('sip:a&b;c@mc-a.example'));
    session().emit({
      type: 'floor',
      news: { event: 'denied', reason: 'queue-full', cause: 7, phrase: 'no;room' },
    });
    const { id } = session();
    const taken = { SEGY_FLOOR: 'taken', SEGY_FLOOR_LEVEL: 'normal', SEGY_SESSION: id };
    assert.deepEqual(
      channel().told.map(({ variables }) => variables),
      [
        { ...taken, SEGY_TALKER: ALICE },
        { ...taken, SEGY_TALKER: '' },
        {
          SEGY_FLOOR: 'denied',
          SEGY_TALKER: '',
          SEGY_FLOOR_REASON: 'queue-full',
          SEGY_SESSION: id,
        },
      ],
    );
  });

  it('of an emergency say so to the dialplan, the INVITE and the participant', async () => {
    h = await Harness.start(withFloor());
    const info = writePrivateCallInfo(RADIO1, ALICE, 'emergency');
    const { offered } = await h.establishIn({ sdp: OFFER, info });
    assert.equal(offered.headers.get('X-SeGy-Priority'), 'emergency');
    assert.equal(channel().variables.SEGY_PRIORITY, 'emergency');
    assert.deepEqual(session().floorCommands[0], { type: 'level', level: 'emergency' });
  });

  it('of the radio’s emergency carry its indication to the partner', async () => {
    h = await Harness.start(withFloor());
    h.fromPbx({ headers: [['X-SeGy-Priority', 'imminent-peril']] });
    const tx = await h.mc.expect('INVITE');
    assert.match(
      bodyText(tx.request),
      /<imminentperil-ind type="Normal"><mcpttBoolean>true<\/mcpttBoolean><\/imminentperil-ind>/,
    );
    assert.doesNotMatch(bodyText(tx.request), /emergency-ind/);
    h.mc.answer(tx, 486);
    await until(() => h.media.sessions[0]?.closed === true);
  });
});
