/** `segy` commands on the state of a running gateway, and their effect on its calls. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { runSegyBeside } from '../support/cli.js';
import type { CliResult } from '../support/cli.js';
import { nextCall } from '../support/call-pair.js';
import { FakePbx } from '../support/fake-pbx.js';
import { ALICE, RADIO_1, Scene } from '../support/scene.js';
import { within } from '../support/waiting.js';

describe('segy commands while the gateway runs', function () {
  this.timeout(60_000);
  let pbx: FakePbx;
  let scene: Scene;
  let state: readonly string[];
  const segy = (...args: readonly string[]): Promise<CliResult> =>
    runSegyBeside([...args, ...state, '--json']);
  const done = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
    const { status, stdout, stderr } = await segy(...args);
    assert.equal(status, 0, stdout + stderr);
    return JSON.parse(stdout) as Record<string, unknown>;
  };

  before(async () => {
    pbx = await FakePbx.start();
    scene = await Scene.start({ pbx, config: { limits: { setupSeconds: 2 } } });
    const at = (name: string): string => join(scene.folder, name);
    state = ['--state', at('state'), '--master-key', at('master.key')];
  });
  after(async () => {
    await scene.stop();
  });
  afterEach(async () => {
    for (const call of [...scene.mc.agent.calls, ...scene.radio.agent.calls]) call.bye();
    await pbx.hangUpAll();
  });

  /** @returns null where the call was answered, else the code in its refusal */
  async function call(to: string): Promise<string | null> {
    const taken = nextCall(scene.radio.agent, false);
    const mc = await scene.mc.call({ from: ALICE, to });
    const radio = await Promise.race([taken, mc.ended]);
    if ('by' in radio) return /SEGY_E_\w+/.exec(radio.warning ?? '')?.[0] ?? 'no code';
    pbx.park(radio, () => void radio.answer());
    assert.equal(await within('the call is answered', mc.up), true);
    mc.bye();
    await within('the call ends', radio.ended);
    return null;
  }

  it('reach it by a socket that only its owner can use', () => {
    const socket = lstatSync(join(scene.folder, 'state', 'segy.sock'));
    assert.deepEqual([socket.isSocket(), socket.mode & 0o777], [true, 0o600]);
  });

  it('let it represent a new user at once, and no more once removed', async () => {
    const user = 'sip:radio9@lmr.example';
    assert.equal(await call(user), 'SEGY_E_UNKNOWN_CALLEE');
    await done('user', 'add', user, '--pbx', '1009');
    assert.equal(await call(user), null);
    assert.deepEqual((await done('user', 'list')).users, [{ uri: user, pbx: '1009' }]);
    await done('user', 'remove', user);
    assert.equal(await call(user), 'SEGY_E_UNKNOWN_CALLEE');
  });

  it('let it refuse calls under a KMS that is trusted no more, and take them once it is again', async () => {
    const kms = 'kms.mc-a.example';
    assert.equal(await call(RADIO_1.uri), null);
    const { fingerprint } = (await done('kms', 'trust', 'show', kms)) as {
      fingerprint: { words: string };
    };
    await done('kms', 'trust', 'revoke', kms);
    assert.equal(await call(RADIO_1.uri), 'SEGY_E_MIKEY_KMS_NOT_ALLOWED');
    await done('kms', 'trust', 'remove', kms);
    assert.equal(await call(RADIO_1.uri), 'SEGY_E_MIKEY_KMS_UNKNOWN');
    const file = join(scene.folder, 'mc-a', 'kms-certificate.xml');
    const again = ['kms', 'trust', 'add', file, '--partner', 'mc-a'];
    await done(...again, '--fingerprint', fingerprint.words);
    assert.equal(await call(RADIO_1.uri), null);
  });

  it('renew its domain, which then goes on under the later certificate', async () => {
    const before = await done('kms', 'cert');
    const renewed = await done('kms', 'renew', '--valid-days', '2000');
    assert.notEqual(renewed.validTo, before.validTo);
    assert.equal((await done('kms', 'cert')).validTo, renewed.validTo);
    assert.equal(await call(RADIO_1.uri), null);
  });

  it('mint a key set, verify, seal anew, back up and rotate while calls are taken', async () => {
    const at = (name: string): string => join(scene.folder, name);
    await done('kms', 'issue', 'sip:r@lmr.example', '--out', at('issued.xml'));
    assert.equal(statSync(at('issued.xml')).mode & 0o777, 0o600);
    assert.deepEqual((await done('store', 'verify')).refused, []);
    await done('store', 'rekey', '--new-master-key', at('next.key'));
    const second = await segy('store', 'rekey');
    assert.match(second.stdout, /SEGY_E_STORE_KEY/, 'the master key of the configuration is old');
    assert.equal(await call(RADIO_1.uri), null);
    const { entries } = await done('store', 'backup', at('store.bak'));
    assert.ok(Number(entries) > 5);
    assert.equal(statSync(at('store.bak')).mode & 0o777, 0o600);
    assert.equal(existsSync(at('store.bak.partial')), false);
    await done('audit', 'rotate');
    assert.equal(await call(RADIO_1.uri), null);
    const verified = await runSegyBeside(['audit', 'verify', '--state', at('state'), '--json']);
    assert.equal((JSON.parse(verified.stdout) as { ok: boolean }).ok, true);

    const restored = ['--state', at('other'), '--master-key', at('next.key')];
    const restore = await runSegyBeside(['store', 'restore', at('store.bak'), ...restored]);
    assert.equal(restore.status, 0, restore.stderr);
  });

  it('that need the store to themselves say who has it', async () => {
    const { status, stdout } = await segy('store', 'repair');
    assert.equal(status, 1);
    assert.match(stdout, /SEGY_E_STORE_LOCKED/);
  });

  it('find the socket gone, and the state theirs, once it has ended', async () => {
    await scene.gateway.stop();
    assert.equal(existsSync(join(scene.folder, 'state', 'segy.sock')), false);
    const key = [
      '--state',
      join(scene.folder, 'state'),
      '--master-key',
      join(scene.folder, 'next.key'),
    ];
    const listed = await runSegyBeside(['kms', 'trust', 'list', ...key, '--json']);
    assert.equal(listed.status, 0, listed.stdout);
  });
});
