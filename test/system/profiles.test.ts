/** Settings of a partner's profile that change what travels, through the running gateway. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from '../support/asterisk.js';
import { callMc, callRadio, hears, nextCall } from '../support/call-pair.js';
import type { CallPair } from '../support/call-pair.js';
import { ALICE, MC_TONE_HZ, RADIO_1, RADIO_TONE_HZ, Scene } from '../support/scene.js';
import { until, within } from '../support/waiting.js';

const execute = promisify(execFile);

async function expectSpeech({ mc, radio }: CallPair): Promise<void> {
  const heard = await Promise.all([hears(radio, MC_TONE_HZ), hears(mc, RADIO_TONE_HZ)]);
  assert.deepEqual(heard, [true, true], 'tone at the radio, tone at the MC user');
}

describe('a partner with a profile of its own', function () {
  this.timeout(60_000);
  let scene: Scene;

  before(async () => {
    scene = await Scene.start({
      protocol: 'udp',
      partner: {
        media: { policy: 'allow-clear' },
        outgoing: { hideIdentities: true, keyMgmtLevel: 'session', answerMode: 'Manual' },
      },
      asterisk: {
        dialplan: [
          '[segy-to-radio](+)',
          'exten => 1001,1,Log(NOTICE,status=${SEGY_STATUS} caller=${SEGY_CALLER})',
          ' same => n,Dial(PJSIP/1001@radio,60)',
          '',
        ].join('\n'),
      },
    });
  });

  after(async () => {
    await scene.stop();
  });

  it('may call without a key where that is allowed, and the dialplan is told CLEAR', async () => {
    const pair = await callRadio(scene, { misbehave: { none: true } });
    await expectSpeech(pair);
    await until('the dialplan was told', () =>
      scene.asterisk.log().includes('status=CLEAR caller=sip:alice@mc-a.example'),
    );
    pair.mc.bye();
    await within('the radio call ends', pair.radio.ended);
  });

  it('is told SECURE to the dialplan when it calls with a key', async () => {
    const pair = await callRadio(scene);
    await expectSpeech(pair);
    await until('the dialplan was told', () =>
      scene.asterisk.log().includes('status=SECURE caller=sip:alice@mc-a.example'),
    );
    pair.mc.bye();
    await within('the radio call ends', pair.radio.ended);
  });

  it('gets hidden identities, the key at session level and Answer-Mode as its profile says', async () => {
    const pair = await callMc(scene);
    await expectSpeech(pair);
    const { invite } = pair.mc;
    assert.equal(invite?.headers.get('Answer-Mode'), 'Manual');
    const body = Buffer.from(invite.body).toString('latin1');
    assert.ok(body.indexOf('a=key-mgmt:mikey ') < body.indexOf('m=audio'));
    const message = Buffer.from(pair.mc.media.keys.pck?.message ?? []);
    assert.equal(message.includes(RADIO_1.uri), false);
    assert.equal(message.includes(ALICE), false);
    pair.mc.bye();
    await within('the radio call ends', pair.radio.ended);
  });

  it('is called with the ICSI, the feature tags and Accept-Contact of a private call', async () => {
    const pair = await callMc(scene);
    const { headers } = pair.mc.invite!;
    assert.match(headers.get('Contact') ?? '', /\+g\.3gpp\.mcptt/);
    assert.match(headers.get('P-Asserted-Service') ?? '', /3gpp-service\.ims\.icsi\.mcptt$/);
    assert.equal(headers.getAll('Accept-Contact').length, 2);
    assert.equal(pair.mc.invite!.uri, 'sip:mcptt-private@mc-a.example');
    pair.mc.bye();
    await within('the radio call ends', pair.radio.ended);
  });

  it('may be simulated by `segy sim call`', async () => {
    const taken = nextCall(scene.radio.agent);
    const { stdout } = await execute(process.execPath, [
      join(PROJECT_ROOT, 'dist/src/cli/main.js'),
      ...['sim', 'call', '--domain', join(scene.folder, 'mc-a'), '--json', '--duration', '1'],
      ...['--gateway', `${scene.outer.address}:${scene.outer.port}/tcp`],
      ...['--from', ALICE, '--to', RADIO_1.uri],
    ]);
    const report = JSON.parse(stdout) as { answered: boolean; tone: { found: boolean } };
    assert.equal(report.answered, true);
    assert.equal(report.tone.found, true);
    await within('the radio call ends', (await taken).ended);
  });
});
