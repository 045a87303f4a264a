/** What two hundred calls of every kind show on each side of the gateway. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromHex, toHex, utf8 } from '../../src/base/bytes.js';
import { SimSignalling, type McMedia, type PartyMedia, type SimCall } from '../../src/sim/index.js';
import { PROJECT_ROOT } from '../support/asterisk.js';
import { expectUp } from '../support/call-pair.js';
import { GroupSide } from '../support/group-side.js';
import { groupSystemOf, newGmk } from '../support/group-system.js';
import {
  ALICE,
  BOB,
  EVE,
  MC_ADDRESS,
  RADIO_1,
  RADIO_2,
  Scene,
  sceneEnvironment,
} from '../support/scene.js';
import { sleep, until, within } from '../support/waiting.js';

const CALLS = 200;
const AT_ONCE = 6;
const SHORT_MS = 60;
const SPK_ID = '30010203';
const GROUP = 'sip:police@mc-a.example';
const GMS = 'sip:gms@mc-a.example';
const IDENTITY = `sip:controlling@${MC_ADDRESS}`;
const GROUP_INFO =
  '<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params>' +
  '<session-type>prearranged</session-type>' +
  `<mcptt-calling-user-id type="Normal"><mcpttURI>${ALICE}</mcpttURI></mcptt-calling-user-id>` +
  `<mcptt-calling-group-id type="Normal"><mcpttURI>${GROUP}</mcpttURI></mcptt-calling-group-id>` +
  '</mcptt-Params></mcpttinfo>';

describe(`${CALLS} mixed calls through a real Asterisk`, function () {
  this.timeout(180_000);
  const spk = randomBytes(16);
  const gmk = newGmk(1);
  const keyFile = join(tmpdir(), `segy-spk-${randomBytes(4).toString('hex')}`);
  const shared = { spk: { id: fromHex(SPK_ID), key: spk }, confidentiality: true, integrity: true };
  const signalling = new SimSignalling(shared, sceneEnvironment);
  const keys: Uint8Array[] = [spk, gmk.octets];
  const counts = { up: 0, refused: 0 };
  let scene: Scene;

  before(async () => {
    const artefacts = join(PROJECT_ROOT, 'artefacts');
    mkdirSync(artefacts, { recursive: true });
    writeFileSync(keyFile, `${toHex(spk)}\n`, { mode: 0o600 });
    const entry = { id: SPK_ID, keyFile, rand: '00'.repeat(16) };
    const validity = { validFrom: '2020-01-01T00:00:00Z', validTo: '2099-01-01T00:00:00Z' };
    scene = await Scene.start({
      signalling,
      neighbour: true,
      partner: {
        gms: [GMS],
        refer: 'pass',
        groups: [{ id: GROUP, pbx: 'police', speaker: RADIO_1.uri }],
        protection: { spks: [{ ...entry, ...validity }], ear: { receive: 'implicit' } },
      },
      asterisk: {
        dialplan:
          '[segy-to-radio](+)\nexten => police,1,Dial(PJSIP/police@radio,60)\n' +
          'exten => 1002,1,Answer()\n same => n,Transfer(PJSIP/sip:bob@mc-a.example)\n' +
          ' same => n,Hangup()\n' +
          '[from-radio](+)\nexten => alice,1,Set(CALLERID(name)=)\n' +
          ' same => n,Set(EDGE=${PJSIP_CONTACT(${PJSIP_AOR(segy,contact)},uri)})\n' +
          ' same => n,Dial(PJSIP/segy/sip:alice@${EDGE:4}\\;segy-domain=mc-a.example,120,b(segy-mark^s^1))\n' +
          ' same => n,Hangup(${HANGUPCAUSE})\n',
      },
      capture: join(artefacts, 'mixed'),
    });
    const answer = (call: SimCall<PartyMedia>): void => void call.answer();
    scene.radio.agent.onCall = answer;
    scene.mc.agent.onCall = (call) => {
      void call.answer();
      void call.up.then(() => keep(call));
    };
    assert.equal(await groupSystemOf(scene, GMS, GROUP).give(gmk), 200);
  });

  after(async () => {
    await scene.stop();
    rmSync(keyFile);
  });

  function keep(call: SimCall<McMedia>): void {
    const key = call.media.keys.pck?.key;
    if (key !== undefined) keys.push(key.slice());
  }

  async function talkShortly(call: SimCall<PartyMedia>): Promise<void> {
    await expectUp(call);
    counts.up += 1;
    await sleep(SHORT_MS);
    call.bye();
    await within('the call ends', call.ended);
  }

  async function refused(call: SimCall<PartyMedia>): Promise<void> {
    const { status } = await within('the call is refused', call.ended);
    assert.ok(status !== undefined && status >= 400, `status ${status}`);
    counts.refused += 1;
  }

  /** A group call whose offer is protected as the system protects its private calls. */
  async function callGroup(): Promise<void> {
    const side = new GroupSide({ address: MC_ADDRESS, hears: [], info: GROUP_INFO });
    const offer = side.offer.bind(side);
    side.offer = async () => signalling.seal(await offer(), null, IDENTITY);
    const requestUri = 'sip:mcptt-group@lmr.example';
    const port = scene.taps!.gatewayPort;
    const target = { ...scene.outer, port, protocol: 'tcp' } as const;
    const call = await scene.mc.agent.call(
      { target, requestUri, from: IDENTITY, to: requestUri },
      side as unknown as McMedia,
    );
    await talkShortly(call);
  }

  /** The PBX refers the MC user to another one. */
  async function transferred(): Promise<void> {
    const call = await scene.mc.call({ from: ALICE, to: RADIO_2.uri });
    let refers = 0;
    call.onOther = (transaction) => {
      refers += 1;
      call.agent.respond(transaction, 202, 'Accepted', call.dialog.localTag);
    };
    await expectUp(call);
    keep(call);
    await until('a REFER comes', () => refers === 1);
    const reported = await call.ask(
      'NOTIFY',
      [
        ['Event', 'refer'],
        ['Subscription-State', 'terminated;reason=noresource'],
      ],
      { type: 'message/sipfrag', bytes: utf8(`SIP/2.0 200 OK\r\nContact: <${IDENTITY}>\r\n`) },
    );
    assert.equal(reported.status, 200);
    counts.up += 1;
    await within('the PBX ends the call', call.ended);
  }

  const from = ALICE;
  const to = RADIO_1.uri;
  const kinds: (() => Promise<void>)[] = [
    async () => {
      const call = await scene.mc.call({ from, to });
      await expectUp(call);
      keep(call);
      await talkShortly(call);
    },
    async () => talkShortly(await scene.radio.call(RADIO_1.pbx, 'alice')),
    callGroup,
    async () => refused(await scene.mc.call({ from, to, misbehave: { signer: BOB } })),
    async () => refused(await scene.radio.call(RADIO_1.pbx, 'nobody')),
    async () => talkShortly(await scene.neighbour!.call({ from: EVE, to })),
    async () => refused(await scene.mc.call({ from, to, misbehave: { none: true } })),
    transferred,
  ];

  it('are carried or refused, several at once', async () => {
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < CALLS) {
        const index = next++;
        await kinds[index % kinds.length]!();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    assert.equal(counts.up + counts.refused, CALLS);
    assert.equal(counts.refused, (CALLS / kinds.length) * 3);
    await until('all channels are gone', async () => (await scene.asterisk.channelCount()) === 0);
  });

  it('show outside no address and no name of the inside', () => {
    const outside = scene
      .taps!.outer.capture.packets.map(({ payload }) => payload.toString('latin1'))
      .join('\n');
    assert.match(outside, /EncryptedData/);
    assert.match(outside, /\r\nRefer-To: <sip:[^@]+@mc1-encrypted\./);
    assert.doesNotMatch(outside, /127\.0\.0\.|X-SeGy|Asterisk|100[12]@|from-radio|segy-to-radio/i);
    assert.doesNotMatch(outside, /<mcpttURI>|sip:alice@mc-a|sip:bob@mc-a|sip:radio[12]@lmr/);
  });

  it('show inside no key, nothing encrypted and no address of the partners', () => {
    const { capture } = scene.taps!.inner;
    const signals = capture.packets
      .map(({ payload }) => payload.toString('latin1'))
      .filter((text) => / SIP\/2\.0\r\n|^SIP\/2\.0 /.test(text));
    const inside = signals.join('\n');
    assert.match(inside, /X-SeGy-Caller: sip:alice@mc-a\.example/);
    assert.match(inside, /\r\n\r\nSIP\/2\.0 200 OK\r\n$/m);
    assert.doesNotMatch(inside, /EncryptedData|signed\+xml|signalling-ear|mc1-encrypted|key-mgmt/);
    assert.doesNotMatch(inside, /127\.0\.[12]\.|controlling@|mcptt-private|mcptt-group/);
    assert.ok(keys.length > CALLS / 4, `${keys.length} keys`);
    assert.ok(keys.every((key) => !capture.holds(key) && !scene.taps!.outer.capture.holds(key)));
  });
});
