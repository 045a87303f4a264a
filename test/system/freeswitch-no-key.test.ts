/**
 * What reaches FreeSWITCH of calls under keys: SIP, SDP, RTP and the event socket, its events, its log and
 * what it says of its channels. On the fake event socket always, and on a real one where there is one.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { McMedia, PartyMedia, SimCall } from '../../src/sim/index.js';
import { PROJECT_ROOT } from '../support/asterisk.js';
import { expectUp, hears, nextCall } from '../support/call-pair.js';
import { describeOnFreeSwitch, needsOwnPbx } from '../support/each-pbx.js';
import { eslCommand } from '../support/esl-command.js';
import { EslWatch } from '../support/esl-watch.js';
import { FakePbx } from '../support/fake-pbx.js';
import type { TestGmk } from '../support/group-side.js';
import { type GroupSystem, groupSystemOf, newGmk } from '../support/group-system.js';
import { findFreeSwitch, startFreeSwitch } from '../support/freeswitch.js';
import type { PbxInstance } from '../support/pbx-instance.js';
import { Capture, type Peer } from '../support/pcap.js';
import { ALICE, MC_TONE_HZ, RADIO_1, RADIO_TONE_HZ, Scene } from '../support/scene.js';
import { UsedSecrets } from '../support/used-secrets.js';
import { until, within } from '../support/waiting.js';

const GROUP = 'sip:police@mc-a.example';
const GMS = 'sip:gms@mc-a.example';
/** The name of the group is that of a radio user whom the shipped dialplan and the trunk take. */
const GROUP_AT_PBX = 'police';
const HERE = { address: '127.0.0.1', port: 0 };
/** Words of key management; error codes such as SEGY_E_MIKEY_SIGNATURE are none. */
const KEY_MANAGEMENT = /\bmikey\b|key-mgmt|a=crypto/i;

/** Each direction of the connections in `capture` as one packet, so that nothing hides at a cut. */
function joined(capture: Capture): Capture {
  const whole = new Map<string, Buffer[]>();
  for (const { from, to, payload } of capture.packets) {
    const way = `${from.address}:${from.port} ${to.address}:${to.port}`;
    whole.set(way, [...(whole.get(way) ?? []), payload]);
  }
  const result = new Capture();
  for (const pieces of whole.values()) result.add(HERE, HERE, Buffer.concat(pieces));
  return result;
}

function noKeyReaches(name: string, makePbx: (edge: Peer) => Promise<PbxInstance>): void {
  let scene: Scene;
  let watch: EslWatch;
  const control = new Capture();
  const dumps = new Capture();
  const secrets = new UsedSecrets();
  const seen = new Map<string, Capture>();
  let keyId: Uint8Array = new Uint8Array();

  /** The radio side takes the next call, through the dialplan of the fake where it is one. */
  function taken(): Promise<SimCall<PartyMedia>> {
    const { pbx, radio } = scene;
    if (!(pbx instanceof FakePbx)) return nextCall(radio.agent);
    return nextCall(radio.agent, false).then((call) => {
      pbx.park(call, () => void call.answer());
      return call;
    });
  }

  async function dumpChannels(): Promise<void> {
    const ask = (command: string): Promise<string> =>
      eslCommand(scene.pbx.control, scene.pbx.password, command);
    const { rows = [] } = JSON.parse(await ask('show channels as json')) as {
      rows?: { uuid: string }[];
    };
    assert.ok(rows.length > 0, 'there are channels');
    for (const { uuid } of rows) {
      dumps.add(HERE, HERE, Buffer.from(await ask(`uuid_dump ${uuid} json`)));
    }
  }

  async function talkAndEnd(mc: SimCall<McMedia>, radio: SimCall<PartyMedia>): Promise<void> {
    secrets.addPck(mc);
    const heard = await Promise.all([hears(radio, MC_TONE_HZ), hears(mc, RADIO_TONE_HZ)]);
    assert.deepEqual(heard, [true, true]);
    await dumpChannels();
    mc.media.keys.renew();
    assert.equal(await mc.reinvite(), 200);
    secrets.addPck(mc);
    mc.bye();
    await within('the radio call ends', radio.ended);
  }

  async function callFromMc(hideIdentities: boolean): Promise<void> {
    const radio = taken();
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri, hideIdentities });
    await expectUp(mc);
    keyId = mc.media.keys.pck?.keyId ?? keyId;
    await talkAndEnd(mc, await within('the radio takes the call', radio));
  }

  async function callFromRadio(): Promise<void> {
    const mc = nextCall(scene.mc.agent);
    const radio = await scene.radio.call(RADIO_1.pbx, 'alice');
    if (scene.pbx instanceof FakePbx) scene.pbx.dialled(radio);
    await expectUp(radio);
    await talkAndEnd(await within('the MC user takes the call', mc), radio);
  }

  async function groupCall(): Promise<void> {
    const system = groupSystemOf(scene, GMS, GROUP);
    const gmk = newGmk(1);
    assert.equal(await system.give(gmk), 200);
    secrets.addGmk(gmk, [ALICE, RADIO_1.uri]);
    const side = system.side(ALICE, [gmk]);
    const radio = taken();
    const call = await system.call(side);
    await expectUp(call);
    const atRadio = await within('the radio takes the call', radio);
    const speech = side.talk(ALICE, gmk, { toneHz: 300, ms: 600 });
    assert.equal(await hears(atRadio, 300), true);
    await speech;
    await until('the radio is heard', () => side.heard.length > 20);
    await dumpChannels();
    call.bye();
    await within('the radio call ends', atRadio.ended);
    await callGroupFromRadio(system, gmk);
  }

  async function callGroupFromRadio(system: GroupSystem, gmk: TestGmk): Promise<void> {
    const side = system.side(ALICE, [gmk]);
    const calls = system.takeCalls(side);
    const radio = await scene.radio.call(RADIO_1.pbx, GROUP_AT_PBX);
    if (scene.pbx instanceof FakePbx) scene.pbx.dialled(radio);
    await expectUp(radio);
    const call = await within('the MC system takes the call', calls.next);
    await until('the radio is heard', () => side.heard.length > 20);
    await dumpChannels();
    calls.end();
    call.bye();
    await within('the radio call ends', radio.ended);
  }

  before(async function () {
    this.timeout(120_000);
    const artefacts = join(PROJECT_ROOT, 'artefacts');
    mkdirSync(artefacts, { recursive: true });
    scene = await Scene.start({
      pbx: makePbx,
      capture: join(artefacts, `${name}-no-key`),
      control,
      partner: { gms: [GMS], groups: [{ id: GROUP, pbx: GROUP_AT_PBX, speaker: RADIO_1.uri }] },
    });
    const { control: socket, password } = scene.pbx;
    watch = await EslWatch.open(socket, password);
    await eslCommand(socket, password, 'sofia global siptrace on');
    await callFromMc(false);
    await callFromMc(true);
    await callFromRadio();
    await groupCall();
    await until('the channels are gone', async () => (await scene.pbx.channelCount()) === 0);
    watch.close();
    await scene.gateway.stop();
    await secrets.addDomain(scene.folder, RADIO_1.uri);
    const log = new Capture();
    log.add(HERE, HERE, Buffer.from(scene.pbx.log()));
    seen.set('the event socket of the gateway', joined(control));
    seen.set('the events and log of another client', watch.heard);
    seen.set('uuid_dump', dumps);
    seen.set('the log', log);
    seen.set('SIP and RTP', scene.taps!.inner.capture);
  });
  after(async () => {
    await scene.stop();
  });

  it('every place holds what it should of the calls', () => {
    assert.ok(secrets.byName.size > 40, `${secrets.byName.size} secrets`);
    assert.ok(dumps.packets.length >= 5);
    assert.ok(scene.pbx.log().length > 1000);
    assert.equal(seen.get('the event socket of the gateway')?.holds(keyId), true);
    assert.equal(seen.get('uuid_dump')?.holds(Buffer.from('SEGY_STATUS')), true);
    assert.equal(
      seen.get('the events and log of another client')?.holds(Buffer.from('CHANNEL_')),
      true,
    );
    assert.equal(seen.get('SIP and RTP')?.holds(Buffer.from('m=audio')), true);
    assert.ok(
      scene.taps!.outer.capture.packets.some(({ payload }) =>
        KEY_MANAGEMENT.test(payload.toString('latin1')),
      ),
    );
  });

  it('nowhere is an octet string of any key, as it is, as hexadecimal or as base64', () => {
    const found = [...seen].flatMap(([where, capture]) =>
      secrets.foundIn(capture).map((secret) => `${secret} in ${where}`),
    );
    assert.deepEqual(found, []);
  });

  it('nowhere is a word of key management', () => {
    const found = [...seen].filter(([, { packets }]) =>
      packets.some(({ payload }) => KEY_MANAGEMENT.test(payload.toString('latin1'))),
    );
    assert.deepEqual(
      found.map(([where]) => where),
      [],
    );
  });
}

describe('on the way to a fake FreeSWITCH', function () {
  this.timeout(60_000);
  noKeyReaches('fake-freeswitch', (edge) => FakePbx.start(edge));
});

describeOnFreeSwitch('on the way to a real FreeSWITCH', function () {
  this.timeout(60_000);
  before(function () {
    needsOwnPbx(this, { isOwn: 'program' in findFreeSwitch() });
  });
  noKeyReaches('freeswitch', (edge) => startFreeSwitch({ edge }));
});
