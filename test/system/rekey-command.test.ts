/** `segy group rekey` beside the running gateway: its bar, its events, and what an earlier command left. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SimAgent } from '../../src/sim/index.js';
import type { CallMedia } from '../../src/sim/index.js';
import { createResponse } from '../../src/sip/index.js';
import type { ServerTransaction } from '../../src/sip/index.js';
import { MAIN, runSegyBeside } from '../support/cli.js';
import type { CliResult } from '../support/cli.js';
import { FakePbx } from '../support/fake-pbx.js';
import { MC_ADDRESS, RADIO_1, Scene, sceneEnvironment } from '../support/scene.js';
import { skipBecause } from '../support/skip.js';
import { sleep, until } from '../support/waiting.js';

const GMS = 'sip:gms@lmr.example';
const TALKGROUP = 'sip:tg1@lmr.example';
const MEMBERS = Array.from({ length: 30 }, (_, i) => `sip:m${i}@mc-a.example`);
const SCRIPT = '/usr/bin/script';

interface Event {
  readonly event?: {
    readonly keys: readonly string[];
    readonly members: number;
    readonly delivered: number;
    readonly unreached: readonly string[];
  };
  readonly ok?: boolean;
  readonly keys?: readonly string[];
}

describe('segy group rekey beside the gateway', function () {
  this.timeout(60_000);
  let scene: Scene;
  let again: SimAgent<CallMedia> | undefined;
  let count = 0;

  before(async () => {
    scene = await Scene.start({
      pbx: await FakePbx.start(),
      config: {
        gms: { uri: GMS, parallel: 2, keys: { activationSeconds: 3600, tellRevoked: false } },
      },
    });
    scene.mc.agent.onOther = take;
  });
  after(async () => {
    await again?.close();
    await scene.stop();
  });

  function take(transaction: ServerTransaction): void {
    if (transaction.request.method === 'MESSAGE') count += 1;
    void sleep(40).then(() => transaction.respond(createResponse(transaction.request, 200)));
  }

  const run = (...args: readonly string[]): Promise<CliResult> =>
    runSegyBeside([...args, '--config', join(scene.folder, 'segy.yaml')]);

  it('gives out, when the gateway starts, what a command left while none ran', async () => {
    await scene.gateway.stop();
    const made = await run(
      ...['group', 'create', TALKGROUP, '--speaker', RADIO_1.uri],
      ...MEMBERS.flatMap((uri) => ['--member', uri]),
    );
    assert.equal(made.status, 0, made.stderr);
    assert.equal(count, 0);
    await scene.gateway.start();
    await until('everybody has it', () => count === MEMBERS.length);
  });

  it('waits until every member has the key, and with --json prints events, the result last', async () => {
    const { status, stdout, stderr } = await run('group', 'rekey', 'tg1', '--json');
    assert.equal(status, 0, stderr);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Event);
    const result = lines.pop()!;
    assert.equal(result.ok, true);
    assert.ok(lines.length >= 2, 'there was progress');
    const delivered = lines.map(({ event }) => event!.delivered);
    assert.deepEqual(
      delivered,
      delivered.toSorted((a, b) => a - b),
    );
    assert.equal(delivered.at(-1), MEMBERS.length);
    for (const { event } of lines) {
      assert.deepEqual([event!.members, event!.keys], [MEMBERS.length, result.keys]);
    }
  });

  it('fills a bar on a terminal, and none elsewhere', async function () {
    if (!existsSync(SCRIPT))
      skipBecause(this, 'a terminal is played by script: it is not installed');
    const command = [process.execPath, MAIN, 'group', 'rekey', 'tg1'];
    const quoted = [...command, '--config', join(scene.folder, 'segy.yaml')].map(
      (word) => `'${word}'`,
    );
    const terminal = await new Promise<string>((resolve, reject) => {
      execFile(SCRIPT, ['-qec', quoted.join(' '), '/dev/null'], (error, stdout) => {
        if (error) reject(new Error(stdout, { cause: error }));
        else resolve(stdout);
      });
    });
    assert.match(terminal, /members with the new key \[#{30}\] 30\/30/);
    assert.match(terminal, /\[#*\.+\] \d+\/30/);
    const { stdout, stderr } = await run('group', 'rekey', 'tg1');
    assert.doesNotMatch(stdout + stderr, /\[#/);
    assert.match(stdout, /^new keys: 0[0-9a-f]{7}$/m);
  });

  it('says which partner is not reached, and goes on in the gateway when it is given up', async () => {
    const { port } = scene.mc.agent;
    await scene.mc.close();
    await run('group', 'rekey', 'tg1', '--no-wait');
    await until('it is known', async () =>
      /mc-a is not reached {2}SEGY_E_SIP_TRANSPORT {2}again at 20/.test(
        (await run('group', 'status', 'tg1')).stdout,
      ),
    );
    count = 0;
    again = new SimAgent(
      { name: 'mc', address: MC_ADDRESS, port, protocol: 'tcp' },
      sceneEnvironment,
    );
    again.onOther = take;
    await again.open();
    await run('group', 'retry', 'tg1');
    await until('everybody has it', () => count >= MEMBERS.length);
  });
});
