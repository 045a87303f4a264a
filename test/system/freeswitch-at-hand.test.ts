/**
 * Will the FreeSWITCH at hand do for the other tests? In a minute, and in words that say what is missing.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkFreeSwitch } from '../../src/cli/check-freeswitch.js';
import { createEslPort } from '../../src/pbx/index.js';
import { quietEnvironment } from '../support/quiet-environment.js';
import { describeOnFreeSwitch, needsModule } from '../support/each-pbx.js';
import { startFreeSwitch, type FreeSwitch } from '../support/freeswitch.js';
import { openSides, type RigSides } from '../support/real-rig.js';
import { until, within } from '../support/waiting.js';

const OLDEST = [1, 10] as const;
const MODULES = [
  'mod_commands',
  'mod_dptools',
  'mod_dialplan_xml',
  'mod_sofia',
  'mod_event_socket',
];
/** of the tests: sixty calls at once, two channels to each */
const CHANNELS = 120;
const ANSWER_MS = 5000;
const COMPLAINT = /\[(WARNING|ERR|CRIT|ALERT)\]/;

describeOnFreeSwitch('the FreeSWITCH at hand', function () {
  this.timeout(90_000);
  let pbx: FreeSwitch;
  let sides: RigSides | undefined;

  before(async () => {
    pbx = await startFreeSwitch();
    sides = await openSides(pbx);
  });
  after(async () => {
    await sides?.close();
  });

  afterEach(function () {
    if (this.currentTest?.state !== 'failed') return;
    const said = pbx
      .log()
      .split('\n')
      .filter((line) => COMPLAINT.test(line));
    process.stdout.write(
      ['what FreeSWITCH complained of last:', ...said.slice(-20), ''].join('\n'),
    );
  });

  const opened = (): RigSides => sides ?? assert.fail('both sides are open');
  const link = (): { host: string; port: number; password: string } => ({
    host: pbx.control.address,
    port: pbx.control.port,
    password: pbx.password,
  });

  it('says that it is version 1.10 or newer', () => {
    const [, major, minor] = /Version (\d+)\.(\d+)/.exec(pbx.version) ?? [];
    assert.ok(major !== undefined && minor !== undefined, `a version is in ${pbx.version}`);
    const isNew = Number(major) * 1000 + Number(minor) >= OLDEST[0] * 1000 + OLDEST[1];
    assert.ok(isNew, `${pbx.version} is older than ${OLDEST.join('.')}`);
  });

  it('has the modules without which no test runs', async () => {
    const missing: string[] = [];
    for (const name of MODULES) if (!(await pbx.hasModule(name))) missing.push(name);
    assert.deepEqual(missing, [], 'modules that are not loaded');
  });

  for (const [name, use] of [
    ['mod_amr', 'AMR of radios and MC users'],
    ['mod_amrwb', '"carry AMR-WB octet for octet"'],
    ['mod_hash', 'a talkgroup that several groups share'],
    ['mod_conference', 'groups that meet'],
  ] as const) {
    it(`has ${name}, for ${use}`, async function () {
      await needsModule(this, pbx, name);
    });
  }

  it('lists its channels', async () => {
    assert.match(await pbx.api('show channels as json'), /"row_count"/, 'started with -nosql?');
    assert.equal(await pbx.channelCount(), 0, 'channels of other calls, which the tests would end');
  });

  it('takes sixty calls at once', async () => {
    const status = await pbx.api('status');
    const [, perSecond] = /per Sec out of max (\d+)/i.exec(status) ?? [];
    const [, inAll] = /(\d+) session\(s\) max/i.exec(status) ?? [];
    const low = `below ${CHANNELS} in switch.conf.xml`;
    assert.ok(
      Number(perSecond ?? CHANNELS) >= CHANNELS,
      `sessions-per-second is ${perSecond}: ${low}`,
    );
    assert.ok(Number(inAll ?? CHANNELS) >= CHANNELS, `max-sessions is ${inAll}: ${low}`);
  });

  it('has nothing in it that segy config check calls wrong', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'segy-at-hand-'));
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, pbx.password, { mode: 0o600 });
    const { host, port } = link();
    const wrong: string[] = [];
    try {
      await checkFreeSwitch(
        {
          pbx: { esl: { host, port, passwordFile }, sip: { ...pbx.sip, transport: 'udp' } },
          inner: {
            address: pbx.edge.address,
            sipPort: pbx.edge.port,
            transports: ['udp', 'tcp'],
            mediaPorts: [30_000, 39_999],
            allowedMediaAddresses: [pbx.sip.address],
            allowNonLoopback: false,
            mcBodies: false,
          },
        },
        (_path, message, cure) => wrong.push(`${message}; ${cure}`),
        () => undefined,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
    assert.deepEqual(wrong, []);
  });

  it('parks a call of the gateway, lets it go on to the radio with no header of it, and ends it', async () => {
    const port = createEslPort(link(), quietEnvironment);
    await port.start();
    try {
      await until('the adapter logs in, subscribes and reads the channel list', () => port.linked);
      const callId = `at-hand-${process.pid}-${Date.now()}`;
      const call = opened().edge.invite('radio7', callId, { 'X-SeGy-Session': 'at-hand' });
      const channel = await Promise.race([
        port
          .inboundChannel({ callId, sessionId: 'at-hand', timeoutMs: ANSWER_MS })
          .catch((cause: unknown) => {
            throw new Error('an INVITE to profile segy is not parked in from-segy', { cause });
          }),
        call.final.then((status) => {
          throw new Error(`the call was answered with ${status}, and not parked in from-segy`);
        }),
      ]);
      await channel.setVariables({ SEGY_STATUS: 'SECURE', SEGY_CALLER: 'sip:alice@mc-a.example' });
      assert.equal(await channel.getVariable('SEGY_STATUS'), 'SECURE');
      await channel.proceed();
      const atRadio = await within(
        'segy-to-radio dials the trunk',
        opened().radio.nextInvite(),
        ANSWER_MS,
      );
      assert.match(atRadio.requestUri, /^sip:radio7@/);
      assert.equal(atRadio.header('X-SeGy-Session'), '', 'X-SeGy-Session at the radio');
      atRadio.respond(200);
      assert.equal(await within('MC is answered', call.final, ANSWER_MS), 200);
      call.end();
      await within('the radio gets BYE', atRadio.ended, ANSWER_MS);
      await until('the adapter is told of the end', () => channel.gone, ANSWER_MS);
    } finally {
      await port.stop();
    }
  });

  it('names its channel by the Call-ID of a call to MC, and passes on the status of a refusal', async () => {
    const call = opened().radio.invite('alice.mc', `at-hand-out-${process.pid}-${Date.now()}`);
    const atEdge = await Promise.race([
      within('to-segy dials the gateway', opened().edge.nextInvite(), ANSWER_MS),
      call.final.then((status) => {
        throw new Error(`the call was answered with ${status}, and not sent to the gateway`);
      }),
    ]);
    assert.match(atEdge.requestUri, /^sip:alice\.mc@/);
    const exists = await pbx.api(`uuid_exists ${atEdge.callId}`);
    assert.equal(exists.trim(), 'true', 'outbound-use-uuid-as-callid in the profile segy');
    assert.match(atEdge.header('From'), /sip:alice@/, 'the calling number in From');
    atEdge.respond(403);
    assert.equal(await within('the radio is answered', call.final, ANSWER_MS), 403);
    await until('no channel is left', async () => (await pbx.channelCount()) === 0, ANSWER_MS);
  });
});
