/** Transfers of private calls by REFER through the running gateway and a real Asterisk. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromHex, toHex, utf8 } from '../../src/base/bytes.js';
import { decryptUri } from '../../src/protect/encrypted-uri.js';
import { SpkSet, type Spk } from '../../src/protect/index.js';
import { parseNameAddr, type SipRequest } from '../../src/sip/index.js';
import { SimSignalling, type PartyMedia, type SimCall } from '../../src/sim/index.js';
import {
  callMc,
  callRadio,
  hears,
  isSpared,
  nextCall,
  type CallPair,
} from '../support/call-pair.js';
import {
  ALICE,
  BOB,
  MC_TONE_HZ,
  RADIO_1,
  RADIO_2,
  RADIO_TONE_HZ,
  Scene,
  sceneEnvironment,
} from '../support/scene.js';
import { until, within } from '../support/waiting.js';

/** The PBX refers whoever calls radio 2 to bob, as an operator's dialplan may. */
const REFERRING = `
[segy-to-radio](+)
exten => 1002,1,Answer()
 same => n,Wait(0.3)
 same => n,Transfer(PJSIP/sip:bob@mc-a.example)
 same => n,Set(GLOBAL(TEST_TRANSFER)=\${TRANSFERSTATUS})
 same => n,Wait(20)
`;

/** What docs/transfer.md says an operator sets so that MC users may move radios. */
const MOVING = {
  dialplan: '[segy-transferred]\nexten => 1002,1,Dial(PJSIP/1002@radio)\n',
  append: {
    'pjsip.conf':
      '[segy](+type=endpoint)\nallow_transfer=yes\nset_var=TRANSFER_CONTEXT=segy-transferred',
  },
};

/** Requests of other methods that come in a call, each answered with `status`. */
function collect(call: SimCall<PartyMedia>, status = 200): SipRequest[] {
  const requests: SipRequest[] = [];
  call.onOther = (transaction) => {
    requests.push(transaction.request);
    call.agent.respond(transaction, status, 'OK', call.dialog.localTag);
  };
  return requests;
}

const fragOf = (request: SipRequest): string => Buffer.from(request.body).toString();

/** Nothing of the PBX's or the radios' addresses, names or software is in what the MC side got. */
function expectNothingInner(scene: Scene, request: SipRequest): void {
  const { pbx } = scene;
  const text = [request.uri, ...request.headers.entries().flat(), fragOf(request)].join('\n');
  for (const inner of ['127.0.0.', 'Asterisk', '1001', '1002', String(pbx.sip.port), 'radio1']) {
    assert.ok(!text.includes(inner), `${inner} is in\n${text}`);
  }
}

async function expectSpeech({ mc, radio }: CallPair): Promise<void> {
  const heard = await Promise.all([hears(radio, MC_TONE_HZ), hears(mc, RADIO_TONE_HZ)]);
  assert.deepEqual(heard, [true, true], 'tone at the radio, tone at the MC user');
}

function endCalls(scene: Scene): Promise<void> {
  for (const call of [...scene.mc.agent.calls, ...scene.radio.agent.calls]) call.bye();
  return until('all channels are gone', async () => (await scene.pbx.channelCount()) === 0);
}

describe('transfers with the PBX as it is shipped', function () {
  this.timeout(60_000);
  let scene: Scene;

  before(async () => {
    scene = await Scene.start({ partner: { refer: 'pass' }, asterisk: { dialplan: REFERRING } });
  });
  after(() => scene.stop());
  afterEach(() => endCalls(scene));

  it('pass a REFER of the dialplan to the MC user, who reports its outcome', async () => {
    const call = await scene.mc.call({ from: ALICE, to: RADIO_2.uri });
    const requests = collect(call, 202);
    assert.equal(await within('the call is up', call.up), true);
    await until('a REFER comes', () => requests.length > 0);
    const refer = requests[0]!;
    assert.equal(refer.method, 'REFER');
    assert.equal(refer.headers.get('Refer-To'), `<${BOB}>`);
    expectNothingInner(scene, refer);
    const cseq = Number.parseInt(refer.headers.get('CSeq') ?? '', 10);
    const reported = await call.ask(
      'NOTIFY',
      [
        ['Event', `refer;id=${cseq}`],
        ['Subscription-State', 'terminated;reason=noresource'],
      ],
      { type: 'message/sipfrag;version=2.0', bytes: utf8('SIP/2.0 200 OK\r\n') },
    );
    assert.equal(reported.status, 200);
    await until('Asterisk knows the outcome', async () =>
      (await scene.asterisk.cli('dialplan show globals')).includes('TEST_TRANSFER=SUCCESS'),
    );
  });

  it('tell the dialplan that the MC user refused, and the call goes on', async () => {
    await scene.asterisk.cli('dialplan set global TEST_TRANSFER none');
    const call = await scene.mc.call({ from: ALICE, to: RADIO_2.uri });
    const requests = collect(call, 603);
    assert.equal(await within('the call is up', call.up), true);
    await until('a REFER comes', () => requests.length > 0);
    await until('Asterisk knows the outcome', async () =>
      (await scene.asterisk.cli('dialplan show globals')).includes('TEST_TRANSFER=FAILURE'),
    );
    assert.equal(call.hasEnded(), false);
  });

  it('are refused by the PBX where the MC user refers, and speech goes on', async () => {
    const pair = await callRadio(scene);
    const response = await pair.mc.ask('REFER', [['Refer-To', `<${RADIO_2.uri}>`]]);
    assert.equal(response.status, 603);
    await expectSpeech(pair);
  });

  it('are refused by the gateway for a target elsewhere, and speech goes on', async () => {
    const pair = await callRadio(scene);
    for (const target of [BOB, 'sip:1002@127.0.0.1', 'sip:out@10.9.8.7']) {
      const response = await pair.mc.ask('REFER', [['Refer-To', `<${target}>`]]);
      assert.equal(response.status, 403);
      assert.match(response.headers.get('Warning') ?? '', /SEGY_E_REFER_TARGET/);
    }
    await expectSpeech(pair);
  });
});

describe('transfers under protected signalling', function () {
  this.timeout(60_000);
  const key = randomBytes(16);
  const spkId = '30010203';
  const folder = mkdtempSync(join(tmpdir(), 'segy-transfer-'));
  let scene: Scene;

  before(async () => {
    const keyFile = join(folder, 'spk');
    writeFileSync(keyFile, `${toHex(key)}\n`, { mode: 0o600 });
    const validity = { validFrom: '2020-01-01T00:00:00Z', validTo: '2099-01-01T00:00:00Z' };
    const spks = [{ id: spkId, keyFile, rand: '00'.repeat(16), ...validity }];
    const shared = { spk: { id: fromHex(spkId), key }, confidentiality: true, integrity: true };
    scene = await Scene.start({
      signalling: new SimSignalling(shared, sceneEnvironment),
      partner: { refer: 'pass', protection: { spks } },
      asterisk: { dialplan: REFERRING },
    });
  });
  after(async () => {
    await scene.stop();
    rmSync(folder, { recursive: true });
  });
  afterEach(() => endCalls(scene));

  it('name the MC user to its system encrypted under the SPK, and to nobody else', async () => {
    const call = await scene.mc.call({ from: ALICE, to: RADIO_2.uri });
    const requests = collect(call, 202);
    assert.equal(await within('the call is up', call.up), true);
    await until('a REFER comes', () => requests.length > 0);
    const refer = requests[0]!;
    const { uri } = parseNameAddr(refer.headers.get('Refer-To') ?? '');
    const text = refer.headers.entries().flat().join('\n');
    assert.doesNotMatch(text, /bob|mc-a\.example>/);
    const spk: Spk = {
      ...{ id: fromHex(spkId), keyName: Buffer.from(spkId, 'hex').toString('base64') },
      ...{ key: new Uint8Array(key), rand: new Uint8Array(16), csId: 6 },
      ...{ validFrom: 0, validTo: Infinity, sendFrom: 0 },
    };
    const p0 = parseNameAddr(refer.headers.get('From') ?? '').uri;
    assert.equal(decryptUri(uri, { spks: new SpkSet([spk]), p0, now: Date.now() }), BOB);
  });
});

describe('transfers with a PBX that lets MC users move radios', function () {
  this.timeout(60_000);
  let scene: Scene;

  before(async () => {
    scene = await Scene.start({ partner: { refer: 'pass' }, asterisk: MOVING });
  });
  after(() => scene.stop());
  afterEach(() => endCalls(scene));

  it('move the radio to another one, report that, and leave no media to the MC user', async () => {
    const pair = await callRadio(scene);
    const requests = collect(pair.mc);
    await expectSpeech(pair);
    const taken = nextCall(scene.radio.agent);
    const response = await pair.mc.ask('REFER', [
      ['Refer-To', `<${RADIO_2.uri}>`],
      ['Referred-By', '<sip:alice@mc-a.example>'],
    ]);
    assert.equal(response.status, 202);
    const second = await within('radio 2 is called', taken);
    await until('the transfer is reported', () =>
      requests.some(
        ({ headers }) => headers.get('Subscription-State')?.includes('terminated') === true,
      ),
    );
    for (const request of requests) {
      assert.equal(request.method, 'NOTIFY');
      assert.match(fragOf(request), /^SIP\/2\.0 [1-6][0-9]{2} [A-Za-z ]+\r\n$/);
      expectNothingInner(scene, request);
    }
    pair.mc.bye();
    assert.equal(await hears(second, RADIO_TONE_HZ), true, 'the radios hear each other');
    assert.equal(await hears(pair.radio, RADIO_TONE_HZ), true);
    assert.ok(await isSpared(second, MC_TONE_HZ), 'the MC user is heard by nobody');
    await until('the gateway carries no call', () => scene.mc.agent.calls.length === 0);
    assert.doesNotMatch(scene.gateway.log(), /media\.failed|SEGY_E_INTERNAL/);
  });

  it('join two radios of one MC user by an attended transfer', async () => {
    const one = await callRadio(scene);
    const two = await callRadio(scene, { to: RADIO_2.uri });
    collect(one.mc);
    const { dialog } = two.mc;
    const to = two.mc.remoteTag ?? '';
    const replaces = `${dialog.callId};to-tag=${to};from-tag=${dialog.localTag}`;
    const response = await one.mc.ask('REFER', [
      ['Refer-To', `<${RADIO_2.uri}?Replaces=${encodeURIComponent(replaces)}>`],
    ]);
    assert.equal(response.status, 202);
    await within('the second call of the MC user ends', two.mc.ended);
    one.mc.bye();
    assert.equal(await hears(one.radio, RADIO_TONE_HZ), true, 'the radios hear each other');
    assert.equal(await hears(two.radio, RADIO_TONE_HZ), true);
    assert.ok(await isSpared(two.radio, MC_TONE_HZ), 'the MC user is heard by nobody');
  });

  it('let nobody take the call over by an INVITE, and speech goes on', async () => {
    const pair = await callRadio(scene);
    const { dialog } = pair.mc;
    const replaces = `${dialog.callId};to-tag=${pair.mc.remoteTag ?? ''};from-tag=${dialog.localTag}`;
    const headers: [string, string][] = [['Replaces', replaces]];
    const thief = await scene.mc.call({ from: BOB, to: RADIO_1.uri, headers });
    const { status, warning } = await within('it is refused', thief.ended);
    assert.equal(status, 403);
    assert.match(warning ?? '', /SEGY_E_REFER_REFUSED/);
    await expectSpeech(pair);
  });

  it('refuse an attended transfer into a call that nobody knows', async () => {
    const pair = await callRadio(scene);
    const replaces = encodeURIComponent('guessed;to-tag=a;from-tag=b');
    const response = await pair.mc.ask('REFER', [
      ['Refer-To', `<${RADIO_2.uri}?Replaces=${replaces}>`],
    ]);
    assert.equal(response.status, 481);
    await expectSpeech(pair);
  });
});

describe('transfers by default', function () {
  this.timeout(60_000);
  let scene: Scene;

  before(async () => {
    scene = await Scene.start({ asterisk: MOVING });
  });
  after(() => scene.stop());
  afterEach(() => endCalls(scene));

  it('are refused by the gateway whatever the PBX allows, and speech goes on', async () => {
    for (const pair of [await callRadio(scene), await callMc(scene)]) {
      const response = await pair.mc.ask('REFER', [['Refer-To', `<${RADIO_1.uri}>`]]);
      assert.equal(response.status, 403);
      assert.match(response.headers.get('Warning') ?? '', /SEGY_E_REFER_REFUSED/);
      await expectSpeech(pair);
    }
  });
});
