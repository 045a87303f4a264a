/** SIPp, a SIP client that has no part of the gateway in it, subscribes to groups that are homed here. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSegyBeside } from '../support/cli.js';
import { FakePbx } from '../support/fake-pbx.js';
import type { Peer } from '../support/pcap.js';
import { freePort } from '../support/ports.js';
import { ALICE, BOB, MC_ADDRESS, RADIO_1, Scene } from '../support/scene.js';
import { runSipp } from '../support/sipp.js';
import { until, within } from '../support/waiting.js';

const GMS = 'sip:gms@lmr.example';
const TALKGROUP = 'sip:tg1@lmr.example';
const UMA = 'sip:uma@mc-u.example';
const FIXTURES = fileURLToPath(new URL('../../../test/fixtures/sipp/', import.meta.url));

describe('SIPp at the notifier of our groups', function () {
  this.timeout(60_000);
  let scene: Scene;
  let tcp: Peer;
  let udp: Peer;

  before(async () => {
    udp = { address: '127.0.2.3', port: await freePort('127.0.2.3') };
    scene = await Scene.start({
      pbx: await FakePbx.start(),
      config: { gms: { uri: GMS, xcapRoot: 'https://gms.lmr.example/xcap-root' } },
      more: [
        {
          name: 'mc-u',
          users: [UMA],
          sip: udp,
          protocol: 'udp',
          profile: { distribution: { form: 'gktp' } },
        },
      ],
    });
    tcp = { address: MC_ADDRESS, port: scene.mc.agent.port };
    await scene.mc.close();
    await segy(
      ...['group', 'create', TALKGROUP, '--name', 'Fire', '--speaker', RADIO_1.uri],
      ...['--member', ALICE, '--member', UMA],
    );
  });
  after(async () => {
    await scene.stop();
  });

  async function segy(...args: readonly string[]): Promise<Record<string, unknown>> {
    const config = ['--config', join(scene.folder, 'segy.yaml'), '--json'];
    const { status, stdout, stderr } = await runSegyBeside([...args, ...config]);
    assert.equal(status, 0, stderr + stdout);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  }

  let runs = 0;
  /** Starts a scenario. @returns its end, and what it logged so far */
  function play(
    scenario: string,
    from: Peer,
    keys: Readonly<Record<string, string>>,
  ): { done: Promise<void>; log: () => string } {
    runs += 1;
    const log = join(scene.folder, `sipp-${runs}.log`);
    const file = join(scene.folder, `sipp-${runs}.xml`);
    const template = readFileSync(join(FIXTURES, scenario), 'utf8');
    writeFileSync(
      file,
      template.replace(/\{(\w+)\}/g, (_, key: string) => keys[key] ?? ''),
    );
    const done = runSipp([
      `${scene.outer.address}:${scene.outer.port}`,
      ...['-sf', file, '-m', '1', '-t', from === udp ? 'u1' : 't1'],
      ...['-i', from.address, '-p', String(from.port)],
      ...['-trace_logs', '-log_file', log],
      ...['-trace_err', '-error_file', join(scene.folder, `sipp-${runs}.err`)],
    ]);
    return { done, log: () => (existsSync(log) ? readFileSync(log, 'utf8') : '') };
  }

  for (const [transport, user, key] of [
    ['TCP', ALICE, 'Content-Type: application/mikey'],
    ['UDP', UMA, `GKTP id=.${TALKGROUP}`],
  ] as const) {
    it(`subscribes, is told, is keyed, refreshes and unsubscribes over ${transport}`, async () => {
      const keys = { user, group: TALKGROUP, key };
      const { done, log } = play('subscribe-groups.xml', transport === 'TCP' ? tcp : udp, keys);
      await Promise.race([until('SIPp was told', () => log().includes('told')), done]);
      await segy('group', 'rekey', 'tg1', '--no-wait');
      await within('SIPp ends', done);
      for (const step of ['told', 'keyed', 'refreshed', 'ended']) {
        assert.match(log(), new RegExp(`^${step} `, 'm'));
      }
    });
  }

  for (const [what, seconds, state, answer] of [
    ['asks for no time', '0', 'terminated;reason=timeout', '200 OK'],
    ['answers its NOTIFY 481', '600', 'active;expires=', '481 Subscription Does Not Exist'],
    ['answers its NOTIFY 483', '600', 'active;expires=', '483 Too Many Hops'],
  ] as const) {
    it(`is no subscriber any more after the first NOTIFY where it ${what}`, async () => {
      const { done, log } = play('subscribe-gone.xml', tcp, {
        user: ALICE,
        seconds,
        state,
        answer,
      });
      await within('SIPp ends', done);
      assert.match(log(), /^gone /m);
    });
  }

  it('is refused where the subscriber is no member, asks for another event, or for too short a time', async () => {
    const refusal = async (keys: Record<string, string>): Promise<string> => {
      const all = { user: ALICE, event: 'xcap-diff', seconds: '600', ...keys };
      const { done, log } = play('subscribe-refused.xml', tcp, all);
      await within('SIPp ends', done);
      return log().trim();
    };
    assert.match(await refusal({ user: BOB }), /^403 .*SEGY_E_NOT_GROUP_MEMBER/);
    assert.match(await refusal({ event: 'presence' }), /^489 .*xcap-diff/);
    assert.match(await refusal({ seconds: '5' }), /^423 .*60/);
  });
});
