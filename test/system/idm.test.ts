/** The IdM of a running gateway: a token by curl, the group document that it opens, its keys by command. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeProtectedHeader } from 'jose';
import { runSegyBeside } from '../support/cli.js';
import { IdmSide } from '../support/idm-side.js';
import { Scene } from '../support/scene.js';
import { until } from '../support/waiting.js';
import { needTool } from '../xmldsig/support.js';

describe('the IdM of a running gateway', function () {
  this.timeout(60_000);
  let scene: Scene;
  let side: IdmSide;

  before(async function () {
    needTool(this, 'curl');
    side = await IdmSide.make();
    scene = await Scene.start(side.sceneOptions());
  });
  after(async () => {
    await scene.stop();
    side.remove();
  });

  const state = (): string[] => ['--state', join(scene.folder, 'state')];

  async function segy(...args: readonly string[]): Promise<Record<string, unknown>> {
    const master = ['--master-key', join(scene.folder, 'master.key')];
    const result = await runSegyBeside([...args, ...state(), ...master, '--json']);
    assert.equal(result.status, 0, result.stderr + result.stdout);
    return JSON.parse(result.stdout) as Record<string, unknown>;
  }

  it('gives a partner’s client a token that opens the document of a group of its user', async () => {
    assert.equal(await side.documentBy(await side.accessToken()), 200);
    assert.equal(await side.documentBy(await side.securityToken()), 401);
  });

  it('tells the security log of a token that it refused, as token-failed', async () => {
    const token = await side.securityToken();
    // one of the last characters of the signature, which are not the unused bits of its last octet
    const forged = token.replace(/.(.{9})$/, `${token.at(-10) === 'A' ? 'B' : 'A'}$1`);
    const { status, body } = await side.ask('client-a', forged);
    assert.equal(status, 400, body);
    const line =
      'event=token-failed code=SEGY_E_TOKEN_SIGNATURE side=https source=127.0.0.1 partner=mc-a';
    await until('a line', () => scene.gateway.log().includes(line));
  });

  it('keeps its keys, and its tokens theirs, over a restart', async () => {
    const token = await side.accessToken();
    const before = await side.publishedKids();
    await scene.gateway.kill();
    const { keys } = (await segy('idm', 'key', 'list')) as { keys: { kid: string }[] };
    assert.deepEqual(
      keys.map(({ kid }) => kid),
      before,
    );
    await scene.gateway.start();
    assert.deepEqual(await side.publishedKids(), before);
    assert.equal(await side.documentBy(token), 200);
  });

  it('signs with another key on command; the tokens before are good until they are ended', async () => {
    const token = await side.accessToken();
    const { kid } = await segy('idm', 'key', 'rotate');
    const { keys } = (await segy('idm', 'key', 'list')) as { keys: { kid: string }[] };
    assert.ok(keys.some((each) => each.kid === kid));
    assert.equal(decodeProtectedHeader(await side.accessToken()).kid, kid);
    assert.equal(await side.documentBy(token), 200);
    await segy('idm', 'key', 'rotate', '--end-old');
    assert.equal(await side.documentBy(token), 401);
    assert.equal(await side.documentBy(await side.accessToken()), 200);
  });

  it('takes and leaves clients with a reload', async () => {
    const token = await side.accessToken();
    const file = join(scene.folder, 'segy.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replaceAll('client-a', 'client-b'));
    const result = await runSegyBeside(['reload', ...state()]);
    assert.equal(result.status, 0, result.stderr);
    assert.equal((await side.ask('client-a', await side.securityToken())).status, 401);
    assert.equal((await side.ask('client-b', await side.securityToken())).status, 200);
    assert.equal(await side.documentBy(token), 401);
    writeFileSync(file, text);
    await runSegyBeside(['reload', ...state()]);
    assert.equal(await side.documentBy(token), 200);
  });

  it('logs no token, nor any part of one', async () => {
    const [access, security] = [await side.accessToken(), await side.securityToken()];
    await side.ask('client-a', security);
    await side.documentBy(access);
    const log = scene.gateway.log();
    for (const part of [...access.split('.'), ...security.split('.')]) {
      assert.ok(!log.includes(part));
    }
  });
});
