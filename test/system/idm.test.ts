/** The IdM of a running gateway: a token by curl, the group document that it opens, its keys by command. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeProtectedHeader } from 'jose';
import { parse, stringify } from 'yaml';
import { Certificates, curl } from '../https/support.js';
import { JWT_BEARER } from '../idm/idm-rig.js';
import { makePartnerKey, signJwt, type PartnerKey } from '../idm/idm-scene.js';
import { runSegyBeside } from '../support/cli.js';
import { freePort } from '../support/ports.js';
import { ALICE, Scene } from '../support/scene.js';
import { until } from '../support/waiting.js';
import { needTool } from '../xmldsig/support.js';

const GMS = 'sip:gms@lmr.example';
const TALKGROUP = 'sip:tg1@lmr.example';
const ISSUER_A = 'https://idm.mc-a.example';

describe('the IdM of a running gateway', function () {
  this.timeout(60_000);
  let scene: Scene;
  let certificates: Certificates;
  let key: PartnerKey;
  let origin: string;
  let own: readonly string[];

  before(async function () {
    needTool(this, 'curl');
    certificates = new Certificates();
    key = await makePartnerKey('a-1');
    const client = certificates.client('gms.mc-a.example');
    own = ['--cert', client.certFile, '--key', client.keyFile];
    const port = await freePort('127.0.0.1');
    origin = `https://localhost:${port}`;
    const tls = {
      certFile: certificates.write('server.pem', certificates.server.cert),
      keyFile: certificates.write('server.key', certificates.server.key),
      caFile: certificates.caFile,
    };
    scene = await Scene.start({
      config: {
        gms: {
          uri: GMS,
          xcapRoot: `${origin}/xcap`,
          groups: [{ id: TALKGROUP, displayName: 'Fire', pbx: 'tg1', members: [{ uri: ALICE }] }],
        },
        https: { address: '127.0.0.1', port, tls },
        idm: { issuer: `${origin}/idm` },
      },
      partner: {
        securityTokens: {
          issuer: ISSUER_A,
          keysFile: certificates.write('a.jwks', JSON.stringify({ keys: [key.jwk] })),
          clientAuthorityFile: certificates.caFile,
          clients: [{ id: 'client-a', certificate: { dnsName: 'gms.mc-a.example' } }],
        },
      },
    });
  });
  after(async () => {
    await scene.stop();
    certificates.remove();
  });

  function securityToken(): Promise<string> {
    const iat = Math.floor(Date.now() / 1000);
    const claims = { iss: ISSUER_A, sub: 'alice-7', aud: ['client-a', `${origin}/idm`] };
    const rest = { mcptt_id: ALICE, iat, exp: iat + 300, jti: randomUUID() };
    return signJwt({ ...claims, ...rest }, key.privateKey, { kid: 'a-1', typ: 'JWT' });
  }

  function ask(client: string, assertion: string): ReturnType<typeof curl> {
    const form = ['--data-urlencode', `grant_type=${JWT_BEARER}`, '-d', `client_id=${client}`];
    const url = `${origin}/idm/token`;
    return curl(certificates, url, ...own, ...form, '-d', `assertion=${assertion}`);
  }

  async function accessToken(): Promise<string> {
    const { status, body } = await ask('client-a', await securityToken());
    assert.equal(status, 200, body);
    return (JSON.parse(body) as { access_token: string }).access_token;
  }

  async function documentBy(token: string): Promise<number> {
    const at = `org.openmobilealliance.groups/global/byGroupID/${encodeURIComponent(TALKGROUP)}`;
    const bearer = ['-H', `Authorization: Bearer ${token}`];
    const { status, body } = await curl(certificates, `${origin}/xcap/${at}`, ...bearer);
    if (status === 200) assert.ok(body.includes(TALKGROUP), body);
    return status;
  }

  async function segy(...args: readonly string[]): Promise<Record<string, unknown>> {
    const state = ['--state', join(scene.folder, 'state')];
    const master = ['--master-key', join(scene.folder, 'master.key')];
    const result = await runSegyBeside([...args, ...state, ...master, '--json']);
    assert.equal(result.status, 0, result.stderr + result.stdout);
    return JSON.parse(result.stdout) as Record<string, unknown>;
  }

  async function publishedKids(): Promise<unknown[]> {
    const { body } = await curl(certificates, `${origin}/idm/jwks`);
    return (JSON.parse(body) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
  }

  it('gives a partner’s client a token that opens the document of a group of its user', async () => {
    assert.equal(await documentBy(await accessToken()), 200);
    assert.equal(await documentBy(await securityToken()), 401);
  });

  it('tells the security log of a token that it refused, as token-failed', async () => {
    const { status, body } = await ask('client-a', `${await securityToken()}x`);
    assert.equal(status, 400, body);
    const line =
      'event=token-failed code=SEGY_E_TOKEN_SIGNATURE side=https source=127.0.0.1 partner=mc-a';
    await until('a line', () => scene.gateway.log().includes(line));
  });

  it('keeps its keys, and its tokens theirs, over a restart', async () => {
    const token = await accessToken();
    const before = await publishedKids();
    await scene.gateway.kill();
    await scene.gateway.start();
    assert.deepEqual(await publishedKids(), before);
    assert.equal(await documentBy(token), 200);
  });

  it('signs with another key on command; the tokens before are good until they are ended', async () => {
    const token = await accessToken();
    const { kid } = await segy('idm', 'key', 'rotate');
    const { keys } = (await segy('idm', 'key', 'list')) as { keys: { kid: string }[] };
    assert.ok(keys.some((each) => each.kid === kid));
    assert.equal(decodeProtectedHeader(await accessToken()).kid, kid);
    assert.equal(await documentBy(token), 200);
    await segy('idm', 'key', 'rotate', '--end-old');
    assert.equal(await documentBy(token), 401);
    assert.equal(await documentBy(await accessToken()), 200);
  });

  it('takes and leaves clients with a reload', async () => {
    const token = await accessToken();
    const file = join(scene.folder, 'segy.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, stringify(renamed(parse(text))));
    const result = await runSegyBeside(['reload', '--state', join(scene.folder, 'state')]);
    assert.equal(result.status, 0, result.stderr);
    assert.equal((await ask('client-a', await securityToken())).status, 401);
    assert.equal((await ask('client-b', await securityToken())).status, 200);
    assert.equal(await documentBy(token), 401);
    writeFileSync(file, text);
    await runSegyBeside(['reload', '--state', join(scene.folder, 'state')]);
    assert.equal(await documentBy(token), 200);
  });

  it('logs no token, nor any part of one', async () => {
    const [access, security] = [await accessToken(), await securityToken()];
    await ask('client-a', security);
    await documentBy(access);
    const log = scene.gateway.log();
    for (const part of [...access.split('.'), ...security.split('.')]) {
      assert.ok(!log.includes(part));
    }
  });
});

function renamed(config: unknown): unknown {
  return JSON.parse(JSON.stringify(config).replaceAll('"client-a"', '"client-b"'));
}
