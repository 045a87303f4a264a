/** A talkgroup that lives on the radio side, keyed by our own GMS, through a real Asterisk. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { systemClock } from '../../src/base/environment.js';
import { openIMessage } from '../../src/mikey/index.js';
import { DEFAULT_TOLERANCES, DEFAULT_WINDOW } from '../../src/mikey/index.js';
import { findTone } from '../../src/sim/index.js';
import type { McMedia, SimCall } from '../../src/sim/index.js';
import { createResponse, findPart, parseBody } from '../../src/sip/index.js';
import type { SipRequest } from '../../src/sip/index.js';
import { expectUp, nextCall } from '../support/call-pair.js';
import { runSegyBeside } from '../support/cli.js';
import {
  GroupSide,
  memberKey,
  samplesOf,
  type TestGmk,
  untilHeard,
} from '../support/group-side.js';
import { ALICE, BOB, MC_ADDRESS, RADIO_1, RADIO_TONE_HZ, Scene } from '../support/scene.js';
import { sleep, until, within } from '../support/waiting.js';

const GMS = 'sip:gms@lmr.example';
const TALKGROUP = 'sip:tg1@lmr.example';

describe('a talkgroup of the radio side', function () {
  this.timeout(60_000);
  let scene: Scene;
  const messages: SipRequest[] = [];

  before(async () => {
    scene = await Scene.start({
      config: { gms: { uri: GMS, keys: { activationSeconds: 2, overlapSeconds: 1 } } },
      asterisk: {
        dialplan: ['[segy-to-radio](+)', 'exten => tg1,1,Dial(PJSIP/tg1@radio,60)', ''].join('\n'),
      },
    });
    scene.mc.agent.onOther = (transaction) => {
      // the gateway also asks by OPTIONS whether the partner is there
      if (transaction.request.method === 'MESSAGE') messages.push(transaction.request);
      transaction.respond(createResponse(transaction.request, 200));
    };
  });
  after(async () => {
    await scene.stop();
  });

  /** Beside this process, which has to answer the MESSAGEs that the command sets off. */
  async function segy(...args: readonly string[]): Promise<Record<string, unknown>> {
    const result = await runSegyBeside([
      ...args,
      '--config',
      join(scene.folder, 'segy.yaml'),
      '--json',
    ]);
    assert.equal(result.status, 0, result.stderr + result.stdout);
    return JSON.parse(result.stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  }

  /** The GMK that a MESSAGE brings, opened by the member's own domain. */
  async function opened(
    request: SipRequest,
    user: string,
  ): Promise<TestGmk & { revoked: boolean }> {
    const { domain } = scene;
    const body = parseBody(request.headers.get('Content-Type') ?? '', request.body);
    const message = findPart(body, 'application/mikey')?.body ?? new Uint8Array();
    const key = await openIMessage(message, {
      clock: systemClock,
      slow: domain.slow,
      verifier: domain.verifier,
      tolerances: DEFAULT_TOLERANCES,
      from: GMS,
      keyTypes: ['GMK'],
      allowEnded: true,
      window: DEFAULT_WINDOW,
      findCertificate: (kmsUri) => domain.find(kmsUri),
      allowInitiatorKms: () => true,
      initiatorDomainAllowed: () => true,
      findKeySets: async () => [await domain.keySet(user)],
      replay: { seen: () => 'new', enter: () => Promise.resolve() },
      beforeKeyUse: () => Promise.resolve(),
    });
    assert.deepEqual(key.keyParameters?.groups, [TALKGROUP]);
    assert.equal(key.keyParameters.sharedWithGateway, true);
    const { revoked } = key.keyParameters;
    return { id: key.keyId.slice(), octets: key.key.slice(), rand: key.rand.slice(), revoked };
  }

  const messagesTo = (user: string): SipRequest[] =>
    messages.filter((request) => Buffer.from(request.body).includes(`>${user}<`));

  const sideOf = (caller: string, gmk: TestGmk): GroupSide =>
    new GroupSide({
      address: MC_ADDRESS,
      hears: [memberKey(gmk, RADIO_1.uri)],
      info:
        '<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params>' +
        '<session-type>prearranged</session-type>' +
        `<mcptt-request-uri><mcpttURI>${TALKGROUP}</mcpttURI></mcptt-request-uri>` +
        `<mcptt-calling-user-id><mcpttURI>${caller}</mcpttURI></mcptt-calling-user-id>` +
        '</mcptt-Params></mcpttinfo>',
    });

  function placeCall(side: GroupSide): Promise<SimCall<McMedia>> {
    return scene.mc.agent.call(
      {
        target: { ...scene.outer, protocol: 'tcp' },
        requestUri: TALKGROUP,
        from: `sip:controlling@${MC_ADDRESS}`,
        to: TALKGROUP,
      },
      side as unknown as McMedia,
    );
  }

  it('is made by a command in the running gateway, and its members get the GMK by MESSAGE', async () => {
    const made = await segy(
      ...['group', 'create', TALKGROUP, '--name', 'Fire', '--speaker', RADIO_1.uri],
      ...['--member', ALICE, '--member', BOB],
    );
    assert.equal(made.members, 2);
    await until('both members have it', () => messages.length === 2);
    const [alice] = messagesTo(ALICE);
    const [bob] = messagesTo(BOB);
    const [one, two] = [await opened(alice!, ALICE), await opened(bob!, BOB)];
    assert.deepEqual(one, two);
  });

  it('carries a member to the radio and the radio to it, under that GMK', async () => {
    const gmk = await opened(messagesTo(ALICE)[0]!, ALICE);
    const side = sideOf(ALICE, gmk);
    const taken = nextCall(scene.radio.agent);
    const mc = await placeCall(side);
    await expectUp(mc);
    const radio = await within('the radio takes the call', taken);
    await sleep(300);
    radio.media.stream.clearRecording();
    await side.talk(ALICE, gmk, { toneHz: 600, ms: 1500 });
    await untilHeard('Alice', radio.media.stream, 600, 1400);
    assert.ok(findTone(samplesOf(side.heard), RADIO_TONE_HZ, 8000).found, 'Alice hears the radio');
    assert.equal(side.refused, 0);
    mc.bye();
    await within('the radio call ends', radio.ended);
  });

  it('takes no call of somebody who is no member: 403 SEGY_E_NOT_GROUP_MEMBER', async () => {
    const gmk = await opened(messagesTo(ALICE)[0]!, ALICE);
    const mc = await placeCall(sideOf('sip:mallory@mc-a.example', gmk));
    const { status, warning } = await within('the call is refused', mc.ended);
    assert.equal(status, 403);
    assert.match(warning ?? '', /SEGY_E_NOT_GROUP_MEMBER/);
  });

  it('is rolled by command: every member gets the new key', async () => {
    const before = messages.length;
    const made = await segy('group', 'rekey', 'tg1', '--no-wait');
    assert.equal((made.keys as string[]).length, 1);
    await until('both members have it', () => messages.length >= before + 2);
  });

  it('gives a removed member nothing more', async () => {
    messages.length = 0;
    await segy('group', 'members', 'remove', 'tg1', BOB);
    await until('Alice has the next key', () => messagesTo(ALICE).length > 0);
    await sleep(500);
    assert.deepEqual(messagesTo(BOB), []);
  });
});
