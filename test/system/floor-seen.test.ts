/** Floor control as the radio side, the operator and Wireshark see it, through a real Asterisk. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { callRadio, expectUp, nextCall } from '../support/call-pair.js';
import {
  floorEvents,
  floorOf,
  framesOf,
  hush,
  makeSpk,
  silence,
  speak,
  startFloorScene,
  untilHolder,
} from '../support/floor-scene.js';
import { Capture } from '../support/pcap.js';
import { MAIN } from '../support/cli.js';
import { ALICE, MC_ADDRESS, MC_TONE_HZ, RADIO_1, RADIO_TONE_HZ } from '../support/scene.js';
import type { Scene } from '../support/scene.js';
import { skipBecause } from '../support/skip.js';
import { sleep, until, within } from '../support/waiting.js';

const TALK_LIMIT_SECONDS = 1;
const FLOOR_PORT = 5002;
const DIALPLAN = [
  '[from-radio](+)',
  'exten => emergency,1,Set(__SEGY_PRIORITY=emergency)',
  ' same => n,Set(__SEGY_PTT=on)',
  ' same => n,Goto(to-segy,alice,1)',
  '',
].join('\n');

describe('floor control as others see it through a real Asterisk', function () {
  this.timeout(60_000);
  const spk = makeSpk();
  let scene: Scene;

  before(async () => {
    const floor = {
      talkLimitSeconds: TALK_LIMIT_SECONDS,
      tellDigits: { granted: '11', taken: '2' },
    };
    scene = await startFloorScene(spk, floor, {}, { asterisk: { dialplan: DIALPLAN } });
  });

  after(async () => {
    await scene.stop();
    spk.remove();
  });

  afterEach(async () => {
    for (const call of [...scene.mc.agent.calls, ...scene.radio.agent.calls]) call.bye();
    await until('all channels are gone', async () => (await scene.pbx.channelCount()) === 0);
  });

  const globals = (): Promise<string> => scene.asterisk.cli('dialplan show globals');

  it('gives the floor back when the radio has talked as long as it may', async () => {
    const pair = await callRadio(scene);
    hush(pair);
    await sleep(300);
    speak(pair.radio);
    await untilHolder(floorOf(pair), RADIO_1.uri);
    await untilHolder(floorOf(pair), undefined);
    await until('that is told', () => floorEvents(scene).includes('released'));
    await sleep(100);
    const longest = (TALK_LIMIT_SECONDS * 1000 + 500) / 20;
    const frames = framesOf(pair.mc, RADIO_TONE_HZ);
    assert.ok(frames > 25 && frames < longest, `${frames} frames`);
  });

  it('tells the dialplan who talks, and what became of the floor', async () => {
    const pair = await callRadio(scene);
    hush(pair);
    const floor = floorOf(pair);
    floor.key();
    await until('the talker is told', async () =>
      /SEGY_TALKER_\S+=sip:alice@mc-a\.example/.test(await globals()),
    );
    await until('the state is told', async () => /SEGY_FLOOR_[0-9.]+=taken/.test(await globals()));
    floor.unkey();
    await until('the end is told', async () => /SEGY_FLOOR_[0-9.]+=idle/.test(await globals()));
    pair.mc.bye();
    await within('the radio call ends', pair.radio.ended);
    await until('nothing is left', async () => !(await globals()).includes('SEGY_FLOOR'));
  });

  it('tells the radio by digits, between the words of the MC user', async () => {
    const pair = await callRadio(scene);
    hush(pair);
    await sleep(300);
    speak(pair.radio);
    await untilHolder(floorOf(pair), RADIO_1.uri);
    await until('it hears of its grant', () => pair.radio.media.stream.digits === '11');
    await untilHolder(floorOf(pair), undefined);
    silence(pair.radio);
    floorOf(pair).key();
    pair.mc.media.stream.speak(() => MC_TONE_HZ);
    await until('it hears of the talker', () => pair.radio.media.stream.digits === '112');
    await until('it hears the talker', () => framesOf(pair.radio, MC_TONE_HZ) > 10);
  });

  it('takes the floor from the MC user for an emergency call of the radio', async () => {
    const taken = nextCall(scene.mc.agent, false);
    const radio = await scene.radio.call(RADIO_1.pbx, 'emergency');
    const mc = await within('the MC user is called', taken);
    const floor = floorOf({ mc });
    assert.match(Buffer.from(mc.invite?.body ?? []).toString(), /<emergency-ind type="Normal">/);
    assert.ok(mc.invite !== undefined);
    await mc.answer();
    await expectUp(radio);
    assert.ok(floor.peerParameters.includes('mc_implicit_request'));
    hush({ mc, radio });
    await sleep(1500);
    await untilHolder(floor, undefined);
    floor.key();
    await untilHolder(floor, ALICE);
    speak(radio);
    await untilHolder(floor, RADIO_1.uri);
    silence(radio);
  });

  it('is tried by segy sim with a script', async () => {
    const taken = nextCall(scene.radio.agent);
    const { outer, folder } = scene;
    const run = promisify(execFile)(process.execPath, [
      ...[MAIN, 'sim', 'call', '--json', '--domain', join(folder, 'mc-a')],
      ...['--gateway', `${outer.address}:${outer.port}/tcp`, '--listen', MC_ADDRESS],
      ...['--request-uri', 'sip:mcptt-private@lmr.example'],
      ...['--from', ALICE, '--to', RADIO_1.uri, '--duration', '2.5'],
      ...['--floor-key', spk.argument, '--floor-script', '0.2:key,1:unkey'],
    ]).catch((error: unknown) => error as { stdout: string });
    const radio = await within('the radio is called', taken);
    silence(radio);
    await until('the MC user is heard', () => framesOf(radio, MC_TONE_HZ) > 10);
    await sleep(1200);
    speak(radio);
    const { stdout } = await run;
    const { floor } = JSON.parse(stdout) as { floor: { received: string[]; told: string[] } };
    assert.ok(floor.received.includes('request'), floor.received.join());
    assert.ok(floor.told.includes('granted'), floor.told.join());
  });

  it('is in Wireshark what it is meant to be', async function () {
    if (spawnSync('tshark', ['--version']).status !== 0) skipBecause(this, 'tshark is missing');
    const folder = mkdtempSync(join(tmpdir(), 'segy-floor-'));
    const file = join(folder, 'floor.pcap');
    const capture = new Capture(file);
    const at = (last: number) => ({ address: `10.0.0.${last}`, port: FLOOR_PORT });
    const pair = await callRadio(scene);
    hush(pair);
    const floor = floorOf(pair);
    const take = floor.line.onDatagram;
    floor.line.onDatagram = (clear) => {
      capture.add(at(1), at(2), clear);
      take?.(clear);
    };
    await sleep(300);
    speak(pair.radio);
    await untilHolder(floor, RADIO_1.uri);
    await untilHolder(floor, undefined);
    const fields = ['rtcp.app.name', '_ws.col.Info', 'rtcp.app_data.mcptt.user_id'];
    const run = spawnSync(
      'tshark',
      [
        ...['-r', file, '-d', `udp.port==${FLOOR_PORT},rtcp`, '-T', 'fields'],
        ...fields.flatMap((field) => ['-e', field]),
      ],
      { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8' } },
    );
    rmSync(folder, { recursive: true });
    const rows = run.stdout.trim().split('\n');
    assert.match(
      rows[0] ?? '',
      /^MCPT\t\(MCPT\) Floor Request - Normal call\tsip:radio1@lmr\.example$/,
    );
    assert.match(rows.at(-1) ?? '', /^MCPT\t\(MCPT\) Floor Release/);
    assert.equal(floor.line.refused, 0);
  });
});
