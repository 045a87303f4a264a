/** How group keys come to the running gateway: late, for temporary groups, and broken. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { utf8 } from '../../src/base/bytes.js';
import { encodeMikeyText } from '../../src/mikey/index.js';
import { brokenGroupKeys } from '../support/broken-group-keys.js';
import { expectUp, nextCall } from '../support/call-pair.js';
import { runSegyBeside } from '../support/cli.js';
import { untilHeard } from '../support/group-side.js';
import { GroupSystem, newGmk } from '../support/group-system.js';
import { ALICE, BOB, MC_ADDRESS, RADIO_1, RADIO_2, Scene } from '../support/scene.js';
import { sleep, until, within } from '../support/waiting.js';

const POLICE = 'sip:police@mc-a.example';
const FIRE = 'sip:fire@mc-a.example';
const TEMPORARY = 'sip:regrouped@mc-a.example';
const GMS = 'sip:gms@mc-a.example';
const GKTP = 'urn:3gpp:ns:mcpttGKTP:1.0';
const LEAD_MS = 40;

describe('group keys that come to the running gateway', function () {
  this.timeout(90_000);
  let scene: Scene;
  let system: GroupSystem;

  before(async () => {
    scene = await Scene.start({
      partner: {
        gms: [GMS],
        groups: [
          { id: POLICE, pbx: 'police', speaker: RADIO_1.uri, withoutKey: 'wait', members: [ALICE] },
          { id: FIRE, pbx: 'fire', speaker: RADIO_1.uri, whenRegrouped: 'temporary' },
        ],
      },
      asterisk: {
        dialplan: [
          '[segy-to-radio](+)',
          'exten => police,1,Goto(segy-group-single,tg100,1)',
          'exten => fire,1,Log(NOTICE,type=${SEGY_CALL_TYPE} group=${SEGY_GROUP})',
          ' same => n,Goto(segy-group-single,tg200,1)',
          '',
        ].join('\n'),
      },
    });
    const { mc, domain, outer } = scene;
    system = new GroupSystem({ mc, domain, outer, address: MC_ADDRESS, gms: GMS, group: POLICE });
  });
  after(async () => {
    await scene.stop();
  });

  /** Everything about every key but its octets, as the command shows it. */
  async function view(): Promise<string> {
    const args = ['keys', 'list', '--json', '--state', join(scene.folder, 'state')];
    const { status, stdout, stderr } = await runSegyBeside(args);
    assert.equal(status, 0, stderr);
    return stdout;
  }

  it('start the media of a call that waits for them at once, in both directions', async () => {
    const late = newGmk(1);
    const side = system.side(ALICE, [late]);
    const taken = nextCall(scene.radio.agent);
    const mc = await system.call(side);
    await expectUp(mc);
    const radio = await within('the radio takes the call', taken);
    const { stream } = radio.media;
    await side.talk(ALICE, late, { toneHz: 300, ms: 200 });
    assert.equal(stream.counters.received, 0, 'a talker is heard without a key');
    assert.equal(side.heard.length + side.refused, 0, 'the radio is sent without a key');

    stream.clearRecording();
    const answered: number[] = [];
    void system.give(late).then((status) => answered.push(status));
    for (let spoken = 0; spoken < 50; spoken += answered.length) {
      await side.talk(ALICE, late, { toneHz: 300, ms: 20 });
    }
    assert.deepEqual(answered, [200]);
    await untilHeard('what was said after the key was taken', stream, 300, 1000 - LEAD_MS);
    await until('the radio is heard', () => side.heard.length * 20 >= 1000 - LEAD_MS);
    assert.equal(side.refused, 0);
    mc.bye();
    await within('the radio call ends', radio.ended);
  });

  it('carry a call into a temporary group, and the radio’s call into it while it lasts', async () => {
    const temporary = newGmk(2);
    const entry = encodeMikeyText(await system.message(temporary, { groups: [TEMPORARY] }));
    const document =
      `<GMK-GKTPs xmlns="${GKTP}"><on-network-regrouped-GKTPs ` +
      `temporary-MCPTT-group-ID="${TEMPORARY}"><GKTP id="${FIRE}">${entry}</GKTP>` +
      '</on-network-regrouped-GKTPs></GMK-GKTPs>';
    const { status } = await system.deliver(utf8(document), {
      method: 'NOTIFY',
      type: 'application/vnd.3gpp.mcptt-gktp+xml',
    });
    assert.equal(status, 200);

    const side = system.side(BOB, [temporary], TEMPORARY);
    const taken = nextCall(scene.radio.agent);
    const mc = await system.call(side);
    await expectUp(mc);
    const radio = await within('the radio takes the call', taken);
    assert.match(radio.invite?.uri ?? '', /sip:tg200@/);
    await until('the dialplan was told', () =>
      scene.asterisk.log().includes('type=group group=sip:regrouped@mc-a.example'),
    );
    await sleep(200);
    radio.media.stream.clearRecording();
    await side.talk(BOB, temporary, { toneHz: 400, ms: 500 });
    await untilHeard('Bob', radio.media.stream, 400, 500 - LEAD_MS);
    await until('Bob hears the radio', () => side.heard.length > 20);
    assert.equal(side.refused, 0);
    mc.bye();
    await within('the radio call ends', radio.ended);

    const answering = system.side(BOB, [temporary], TEMPORARY);
    const calls = system.takeCalls(answering);
    const back = await scene.radio.call(RADIO_1.pbx, 'fire');
    await expectUp(back);
    const away = await within('the temporary group is called', calls.next);
    calls.end();
    assert.match(Buffer.from(away.invite!.body).toString(), /sip:regrouped@mc-a\.example/);
    await until('the radio is heard', () => answering.heard.length > 20);
    back.bye();
    await within('the group call ends', away.ended);

    assert.equal(await system.give(temporary, { groups: [TEMPORARY], revoked: true }), 200);
    const after = await scene.radio.call(RADIO_1.pbx, 'fire');
    const end = await within('the group itself has no key', after.ended);
    assert.equal(end.status, 488);
  });

  it('of an older activation are heard beside what is held, which is still sent with', async () => {
    const [newer, older] = [newGmk(4), newGmk(5)];
    const hourAgo = new Date(Date.now() - 3_600_000);
    assert.equal(await system.give(newer, { activation: new Date() }), 200);
    assert.equal(await system.give(older, { activation: hourAgo }), 200);
    const side = system.side(ALICE, [newer, older]);
    const taken = nextCall(scene.radio.agent);
    const mc = await system.call(side);
    await expectUp(mc);
    const radio = await within('the radio takes the call', taken);
    await until('the radio is heard', () => side.heard.length > 20);
    assert.deepEqual([...new Set(side.heard.map(({ mki }) => mki.slice(0, 8)))], ['0a000004']);
    radio.media.stream.clearRecording();
    await side.talk(ALICE, older, { toneHz: 300, ms: 500 });
    await side.talk(BOB, newer, { toneHz: 400, ms: 500 });
    for (const toneHz of [300, 400]) {
      await untilHeard(`${toneHz} Hz`, radio.media.stream, toneHz, 500 - LEAD_MS);
    }
    mc.bye();
    await within('the radio call ends', radio.ended);
  });

  it('older than a revocation never undo it, for whichever member they are', async () => {
    const key = newGmk(6);
    const [first, second] = [new Date(Date.now() - 60_000), new Date(Date.now() - 50_000)];
    const forRadio1 = await system.message(key, {}, { at: first });
    const forRadio2 = await system.message(key, {}, { to: RADIO_2.uri, at: second });
    assert.equal((await system.deliver(forRadio1)).status, 200);
    assert.equal(await system.give(key, { revoked: true }), 200);
    const before = await view();
    assert.match(before, /"keyId":"0a000006"[^}]*"state":"revoked"/);
    const refused = await system.deliver(forRadio2);
    assert.equal(refused.status, 488);
    assert.match(refused.headers.get('Warning') ?? '', /SEGY_E_MIKEY_REVOKED/);
    assert.equal((await system.deliver(forRadio1)).status, 200);
    assert.equal(await view(), before);
  });

  it('change nothing when they are broken in one of twenty and more ways, in MESSAGE and NOTIFY', async () => {
    const held = newGmk(3);
    assert.equal(await system.give(held), 200);
    const before = await view();
    const { whole, broken } = await brokenGroupKeys({
      ...{ domain: scene.domain, gms: GMS, user: ALICE, group: POLICE, held },
      ...{ member: RADIO_1.uri, otherMember: RADIO_2.uri },
    });
    assert.ok(new Set(broken.map(({ name }) => name)).size >= 20);
    for (const method of ['MESSAGE', 'NOTIFY'] as const) {
      for (const { name, code, octets } of broken) {
        const body = method === 'MESSAGE' ? octets : utf8(encodeMikeyText(octets));
        const { status, headers } = await system.deliver(body, { method });
        const warning = headers.get('Warning') ?? '';
        assert.equal(status, 488, `${name} in ${method}`);
        assert.equal(/SEGY_E_(\w+)/.exec(warning)?.[1], code, `${name} in ${method}`);
      }
    }
    assert.equal(await view(), before);
    assert.equal((await system.deliver(whole)).status, 200, 'what they were made from is whole');
    assert.notEqual(await view(), before);
  });
});
