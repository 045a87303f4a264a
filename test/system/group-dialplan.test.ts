/**
 * The talkgroup examples of dialplan/asterisk/segy_groups.conf and dialplan/freeswitch/segy_groups.xml, each
 * in use in the real PBX, where it is there.
 */
import assert from 'node:assert/strict';
import { findTone } from '../../src/sim/index.js';
import type { McMedia, PartyMedia, SimCall } from '../../src/sim/index.js';
import { expectUp, nextCall } from '../support/call-pair.js';
import { describeOnEachPbx, extension, needsModule, needsOwnPbx } from '../support/each-pbx.js';
import { findFreeSwitch } from '../support/freeswitch.js';
import { samplesOf, type GroupSide, untilHeard } from '../support/group-side.js';
import { GroupSystem, newGmk } from '../support/group-system.js';
import {
  ALICE,
  BOB,
  EVE,
  MC_ADDRESS,
  NEIGHBOUR_ADDRESS,
  RADIO_1,
  RADIO_TONE_HZ,
  Scene,
} from '../support/scene.js';
import { skipBecause } from '../support/skip.js';
import { toneAmount } from '../support/tone-amount.js';
import { sleep, until, within } from '../support/waiting.js';

const [POLICE, FIRE, RESCUE, NORTH] = ['police', 'fire', 'rescue', 'north'].map(
  (name) => `sip:${name}@mc-a.example`,
) as [string, string, string, string];
const POLIZEI = 'sip:polizei@mc-b.example';
const GMS_A = 'sip:gms@mc-a.example';
const GMS_B = 'sip:gms@mc-b.example';
/** what in Asterisk reads and runs the dialplan and the conference's profiles */
const READERS =
  / (pbx|pbx_config|extconf|config|conf_config_parser|app_(dial|confbridge|stack|stasis|originate))\.c:|segy_\w+\.conf/;
const SPURT_MS = 1000;
const LEAD_MS = 40;
/** as the comments of the example say */
const FREESWITCH_ROUTES = {
  'segy-to-radio': [
    extension('police', ['transfer', 'tg100 XML segy-group-single']),
    extension('(fire|rescue)', ['transfer', 'tg200 XML segy-group-shared']),
    extension(
      'north',
      ['set', 'segy_other_group=polizei'],
      ['transfer', 'joint XML segy-group-bridge'],
    ),
    extension(
      'polizei',
      ['set', 'segy_other_group=north'],
      ['transfer', 'joint XML segy-group-bridge'],
    ),
  ].join('\n'),
  'from-radio': [
    extension('tg100', ['transfer', 'police XML segy-group-dial']),
    extension('tg300', ['transfer', 'joint XML segy-group-guest']),
  ].join('\n'),
};

describeOnEachPbx('the talkgroup examples of the dialplan of a real', function (kind) {
  this.timeout(60_000);
  let scene: Scene;
  let here: GroupSystem;
  let there: GroupSystem;
  const gmk = newGmk(1);
  const gmkThere = newGmk(2);

  before(async function () {
    if (kind === 'freeswitch') needsOwnPbx(this, { isOwn: 'program' in findFreeSwitch() });
    const group = (id: string): Record<string, unknown> => ({
      id,
      pbx: /sip:([a-z]+)/.exec(id)![1],
      speaker: RADIO_1.uri,
    });
    scene = await Scene.start({
      pbx: kind,
      freeswitch: { extensions: FREESWITCH_ROUTES },
      partner: { gms: [GMS_A], groups: [POLICE, FIRE, RESCUE, NORTH].map(group) },
      neighbour: { gms: [GMS_B], groups: [group(POLIZEI)] },
      asterisk: {
        append: { 'confbridge.conf': '[general]\n#include segy_confbridge.conf\n' },
        // as the comments of the example say
        dialplan: [
          '[segy-to-radio](+)',
          'exten => police,1,Goto(segy-group-single,tg100,1)',
          'exten => fire,1,Goto(segy-group-shared,tg200,1)',
          'exten => rescue,1,Goto(segy-group-shared,tg200,1)',
          'exten => north,1,Gosub(segy-group-bridge,s,1(joint,polizei))',
          'exten => polizei,1,Gosub(segy-group-bridge,s,1(joint,north))',
          '[from-radio](+)',
          'exten => tg100,1,Goto(segy-group-dial,police,1)',
          'exten => tg300,1,Goto(segy-group-guest,joint,1)',
          '',
        ].join('\n'),
      },
    });
    const { mc, domain, neighbour, neighbourDomain, outer } = scene;
    here = new GroupSystem({ mc, domain, outer, address: MC_ADDRESS, gms: GMS_A, group: POLICE });
    there = new GroupSystem({
      ...{ mc: neighbour!, domain: neighbourDomain!, outer },
      ...{ address: NEIGHBOUR_ADDRESS, gms: GMS_B, group: POLIZEI },
    });
    assert.equal(await here.give(gmk, { groups: [POLICE, FIRE, RESCUE, NORTH] }), 200);
    assert.equal(await there.give(gmkThere), 200);
  });
  after(async () => {
    await scene.stop();
  });

  async function open(system: GroupSystem, side: GroupSide): Promise<SimCall<McMedia>> {
    const call = await system.call(side);
    await expectUp(call);
    return call;
  }

  const called = ({ invite }: SimCall<PartyMedia>): string =>
    /sip:([^@]+)@/.exec(invite?.uri ?? '')?.[1] ?? '';

  it('carry one group to its talkgroup of the trunk, and the talkgroup to the group', async () => {
    const taken = nextCall(scene.radio.agent);
    const side = here.side(ALICE, [gmk]);
    const mc = await open(here, side);
    const radio = await within('the radio takes the call', taken);
    assert.equal(called(radio), 'tg100');
    await sleep(200);
    radio.media.stream.clearRecording();
    await side.talk(ALICE, gmk, { toneHz: 300, ms: SPURT_MS });
    await untilHeard('the group', radio.media.stream, 300, SPURT_MS - LEAD_MS);
    mc.bye();
    await within('the radio call ends', radio.ended);

    const answering = here.side(ALICE, [gmk]);
    const calls = here.takeCalls(answering);
    const back = await scene.radio.call(RADIO_1.pbx, 'tg100');
    await expectUp(back);
    const away = await within('the group is called', calls.next);
    calls.end();
    assert.match(Buffer.from(away.invite!.body).toString(), /sip:police@mc-a\.example/);
    await until('the radio is heard', () => answering.heard.length > 30);
    assert.ok(findTone(samplesOf(answering.heard), RADIO_TONE_HZ, 8000).found);
    back.bye();
    await within('the group call ends', away.ended);
  });

  it('give the talkgroup of several groups to the first that calls; the others get 486', async function () {
    await needsModule(this, scene.pbx, 'mod_hash');
    const taken = nextCall(scene.radio.agent);
    const mc = await open(here, here.side(ALICE, [gmk], FIRE));
    const radio = await within('the radio takes the call', taken);
    assert.equal(called(radio), 'tg200');
    const second = await here.call(here.side(BOB, [gmk], RESCUE));
    assert.equal((await within('the second group is refused', second.ended)).status, 486);
    mc.bye();
    await within('the radio call ends', radio.ended);
    await until('the talkgroup is free', async () => (await scene.pbx.channelCount()) === 0);

    const takenAgain = nextCall(scene.radio.agent);
    const third = await open(here, here.side(BOB, [gmk], RESCUE));
    const free = await within('the radio takes the other group', takenAgain);
    assert.equal(called(free), 'tg200');
    third.bye();
    await within('the radio call ends', free.ended);
  });

  it('join the groups of two MC systems: a talker of either is heard in the other and by the radio', async function () {
    await needsModule(this, scene.pbx, 'mod_conference');
    const away = there.side(EVE, [gmkThere]);
    const calls = there.takeCalls(away);
    const side = here.side(ALICE, [gmk], NORTH);
    const mc = await open(here, side);
    const other = await within('the other system is called', calls.next);
    calls.end();
    assert.match(Buffer.from(other.invite!.body).toString(), /sip:polizei@mc-b\.example/);
    await within('the other call is up', other.up);
    const radio = await scene.radio.call(RADIO_1.pbx, 'tg300');
    await expectUp(radio);
    radio.media.stream.stop();
    await sleep(500);

    for (const [talker, listener, user, key, toneHz] of [
      [side, away, ALICE, gmk, 300],
      [away, side, EVE, gmkThere, 500],
    ] as const) {
      listener.heard.length = 0;
      radio.media.stream.clearRecording();
      const heard = (): number[] =>
        [samplesOf(listener.heard), radio.media.stream.recording()].map((samples) =>
          toneAmount(samples, toneHz),
        );
      await talker.talk(user, key, { toneHz, ms: SPURT_MS });
      await until(
        `the other system and the radio hear ${user} whole`,
        () => heard().every((ms) => ms >= SPURT_MS - LEAD_MS),
        5_000,
      ).catch((cause: unknown) => {
        throw new Error(`they hear ${heard().join(' and ')} ms`, { cause });
      });
      await sleep(100);
      assert.ok(Math.max(...heard()) <= SPURT_MS, `they hear ${heard().join(' and ')} ms`);
    }
    assert.equal(side.refused + away.refused, 0);
    mc.bye();
    if (kind === 'freeswitch') {
      // there it lasts while two are in it, whoever they are
      await sleep(500);
      assert.equal(other.state, 'up');
      radio.bye();
    }
    await within('the other call ends with it', other.ended);
    await within('the radio call ends with it', radio.ended);
  });

  it('are read and run by it without a warning', function () {
    if (kind !== 'asterisk')
      skipBecause(this, 'which of its warnings are about the dialplan is known of Asterisk');
    const complaints = scene.asterisk
      .log()
      .split('\n')
      .filter((line) => /WARNING|ERROR/.test(line) && READERS.test(line));
    assert.deepEqual(complaints, []);
  });
});
