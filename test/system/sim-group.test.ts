/** `segy sim` as a member of a talkgroup of the radio side, keyed by our GMS, through a real Asterisk. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { findTone } from '../../src/sim/index.js';
import { expectUp, hears, nextCall } from '../support/call-pair.js';
import { runSegyBeside } from '../support/cli.js';
import type { CliResult } from '../support/cli.js';
import { makeSpk, startFloorScene } from '../support/floor-scene.js';
import { ALICE, BOB, MC_ADDRESS, MC_TONE_HZ, RADIO_1 } from '../support/scene.js';
import type { Scene } from '../support/scene.js';
import { sleep, until, within } from '../support/waiting.js';

const GMS = 'sip:gms@lmr.example';
const TALKGROUP = 'sip:tg1@lmr.example';

interface Report {
  readonly answered: boolean;
  readonly heard: boolean;
  readonly counters: { readonly authFailures: number; readonly received: number };
  readonly group: {
    readonly id: string;
    readonly user: string;
    readonly keyIds: readonly string[];
    readonly talkers: readonly string[];
  } | null;
  /** messages of the gateway, and what our user was told, by their types */
  readonly floor: { readonly received: readonly string[]; readonly told: readonly string[] } | null;
}

interface Status {
  readonly keys: readonly {
    readonly keyId: string;
    readonly deliveries: { readonly delivered: number; readonly members: number };
  }[];
}

describe('segy sim in a talkgroup of the radio side', function () {
  this.timeout(60_000);
  const spk = makeSpk();
  let scene: Scene;
  let listen: string;

  before(async () => {
    scene = await startFloorScene(
      spk,
      {},
      {},
      {
        config: { gms: { uri: GMS, keys: { activationSeconds: 1, overlapSeconds: 1 } } },
        asterisk: {
          dialplan: ['[segy-to-radio](+)', 'exten => tg1,1,Dial(PJSIP/tg1@radio,60)', ''].join(
            '\n',
          ),
        },
      },
    );
    // the command takes the place of the MC system
    listen = `${MC_ADDRESS}:${scene.mc.agent.port}`;
    await scene.mc.close();
    await segy(
      ...['group', 'create', TALKGROUP, '--name', 'Fire', '--speaker', RADIO_1.uri],
      ...['--member', ALICE],
    );
  });
  after(async () => {
    await scene.stop();
    spk.remove();
  });

  async function segy(...args: readonly string[]): Promise<unknown> {
    const config = ['--config', join(scene.folder, 'segy.yaml'), '--json'];
    const { status, stdout, stderr } = await runSegyBeside([...args, ...config]);
    assert.equal(status, 0, stderr + stdout);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  }
  const sim = (command: 'group' | 'listen', ...args: readonly string[]): Promise<CliResult> =>
    runSegyBeside([
      ...['sim', command, '--domain', join(scene.folder, 'mc-a'), '--listen', listen],
      ...['--gateway', `${scene.outer.address}:${scene.outer.port}/tcp`, '--gms', GMS, '--json'],
      ...args,
    ]);
  const talk = (from: string, ...args: readonly string[]): Promise<CliResult> =>
    sim('group', '--from', from, '--group', TALKGROUP, '--duration', '2', ...args);
  const reportOf = ({ status, stdout, stderr }: CliResult): Report => {
    assert.equal(status, 0, stderr + stdout);
    return JSON.parse(stdout) as Report;
  };
  const groupKey = async () => ((await segy('group', 'status', 'tg1')) as Status).keys[0]!;

  /** Both sides of one call of a member: what the command says, and whether the radio heard it. */
  async function callOf(command: Promise<CliResult>): Promise<Report> {
    const taken = nextCall(scene.radio.agent);
    const report = reportOf(await within('the command ends', command, 40_000));
    const radio = await within('the radio took the call', taken);
    await within('the radio call ends', radio.ended);
    assert.ok(findTone(radio.media.stream.recording(), MC_TONE_HZ, 8000).found, 'radio hears MC');
    assert.equal(report.answered && report.heard, true, 'MC hears the radio');
    assert.equal(report.counters.authFailures, 0);
    return report;
  }

  it('subscribes, gets its GMK with the first NOTIFY, and talks with the radio under it', async () => {
    const { group } = await callOf(talk(ALICE));
    const key = await groupKey();
    assert.deepEqual(group?.keyIds, [key.keyId]);
    assert.deepEqual([group.id, group.user], [TALKGROUP, ALICE]);
    // the radio's speaker talked under its own GUK-ID
    assert.equal(group.talkers.length, 1);
    assert.ok(group.talkers[0]?.startsWith(key.keyId));
    assert.deepEqual(key.deliveries.delivered, 1);
  });

  it('gets its GMK by MESSAGE where it does not subscribe, and talks', async () => {
    const command = talk(BOB, '--no-subscribe');
    let over = false;
    void command.then(() => {
      over = true;
    });
    const { keyId } = await groupKey();
    await segy('group', 'members', 'add', 'tg1', BOB);
    void until(
      'Bob has the key',
      async () => {
        if (!over) await segy('group', 'retry', 'tg1');
        return over || (await groupKey()).deliveries.delivered === 2;
      },
      30_000,
    );
    const { group } = await callOf(command);
    assert.deepEqual([group?.user, group?.keyIds], [BOB, [keyId]]);
  });

  it('keys and lets go where it serves the floor, and the radio has it in between', async () => {
    const script = '1:key,1.5:revoke,3:unkey';
    const options = ['--floor-key', spk.argument, '--floor-script', script, '--duration', '5'];
    const { floor, group } = await callOf(talk(ALICE, ...options));
    assert.equal(group?.user, ALICE);
    for (const type of ['request', 'release']) {
      assert.ok(
        floor?.received.includes(type),
        `the radio's ${type}: ${floor?.received.join(' ')}`,
      );
    }
    assert.ok(floor?.told.includes('granted'), `Alice was told ${floor?.told.join(' ')}`);
  });

  it('takes the call of the radio into the group, as the member that has the key', async () => {
    const command = sim('listen', '--join', TALKGROUP, '--calls', '1', '--for', '30');
    await until(
      'it has subscribed',
      async () => {
        const radio = await scene.radio.call(RADIO_1.pbx, 'tg1');
        if (!(await radio.up)) {
          await sleep(300);
          return false;
        }
        await expectUp(radio);
        assert.ok(await hears(radio, MC_TONE_HZ), 'radio hears MC');
        radio.bye();
        return true;
      },
      20_000,
    );
    const { group, answered, heard } = reportOf(await within('the command ends', command, 40_000));
    assert.equal(answered && heard, true);
    assert.equal(group?.user, ALICE);
  });

  it('has no key and no call where it is no member', async () => {
    const { status, stdout } = await talk('sip:mallory@mc-a.example');
    assert.equal(status, 1);
    assert.match(stdout, /SEGY_E_SIP_REFUSED.*403 SEGY_E_NOT_GROUP_MEMBER/);
  });
});
