/** `segy config check` against a real Asterisk, with and without the gateway running. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { runSegyBeside } from '../support/cli.js';
import { Scene } from '../support/scene.js';

interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
  readonly cure: string;
}
interface Result {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  readonly warnings: readonly Finding[];
}

describe('segy config check around a real Asterisk', function () {
  this.timeout(120_000);
  let scene: Scene;
  before(async () => {
    scene = await Scene.start();
  });
  after(() => scene.stop());

  const at = (name: string): string => join(scene.folder, name);
  async function check(...more: string[]): Promise<Result> {
    const config = ['--config', at('segy.yaml'), '--asterisk', scene.asterisk.commandLine];
    const { stdout } = await runSegyBeside(['config', 'check', '--json', ...config, ...more]);
    return JSON.parse(stdout) as Result;
  }
  const pathsOf = (list: readonly Finding[]): string[] => list.map(({ path }) => path);

  it('finds nothing while the gateway runs, and its ports and store are its own', async () => {
    const result = await check();
    assert.deepEqual(result.findings, []);
    assert.equal(result.ok, true);
  });

  it('sees a password that Asterisk refuses', async () => {
    const secret = readFileSync(at('pbx.secret'), 'utf8');
    writeFileSync(at('pbx.secret'), 'wrong\n');
    const { findings } = await check();
    writeFileSync(at('pbx.secret'), secret);
    assert.deepEqual(pathsOf(findings), ['pbx.ari.username']);
    assert.match(findings[0]!.cure, /ari\.conf/);
    assert.equal(JSON.stringify(findings).includes('wrong\\n'), false);
  });

  it('sees snippets that are not in place', async () => {
    await scene.asterisk.cli('dialplan remove context to-segy');
    const { findings } = await check();
    await scene.asterisk.cli('dialplan reload');
    assert.deepEqual(pathsOf(findings), ['pbx.type']);
    assert.match(findings[0]!.message, /no context to-segy/);
  });

  it('says where it cannot see the dialplan', async () => {
    const { ok, warnings } = await check('--asterisk', '/nonexistent/asterisk');
    assert.equal(ok, true);
    assert.ok(warnings.some(({ message }) => message.includes('cannot be seen from here')));
  });

  it('sees a port that another program has, and an address of no interface', async () => {
    await scene.gateway.stop();
    const text = readFileSync(at('segy.yaml'), 'utf8');
    const config = parse(text) as { outer: { listeners: object[]; mediaAddress: string } };
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen({ host: scene.outer.address, port: scene.outer.port }, resolve);
    });
    config.outer.mediaAddress = '192.0.2.77';
    writeFileSync(at('segy.yaml'), stringify(config));
    const { findings } = await check();
    await new Promise((resolve) => server.close(resolve));
    writeFileSync(at('segy.yaml'), text);
    const said = findings.map(({ path, message }) => `${path} ${message}`).join('\n');
    assert.match(said, /outer\.listeners\[1\].*used by another program/);
    assert.match(said, /outer\.mediaAddress.*no address of this host/);
    assert.deepEqual((await check()).findings, [], 'and the store opens');
  });

  it('sees a store that another key sealed, and a PBX that is down', async () => {
    const key = readFileSync(at('master.key'));
    writeFileSync(at('master.key'), 'ab'.repeat(32));
    await scene.pbx.kill();
    const { findings } = await check();
    writeFileSync(at('master.key'), key);
    assert.deepEqual(pathsOf(findings).sort(), ['masterKeyFile', 'pbx.ari.url']);
    const offline = await check('--offline');
    assert.deepEqual(offline.findings, []);
    await scene.pbx.run();
    await scene.gateway.start();
  });
});
