/**
 * Group documents of the running gateway over HTTPS, with a real Asterisk beside: curl and openid-client,
 * which have no part of the gateway in them, get access tokens and read them.
 */
import assert from 'node:assert/strict';
import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import * as client from 'openid-client';
import { createResponse } from '../../src/sip/index.js';
import type { SipRequest } from '../../src/sip/index.js';
import { schemaFile } from '../gms/support.js';
import { TestAuthority } from '../sip/support/certificates.js';
import { callRadio } from '../support/call-pair.js';
import { runSegyBeside } from '../support/cli.js';
import { startFlood } from '../support/https-flood.js';
import type { Peer } from '../support/pcap.js';
import { freePort } from '../support/ports.js';
import { ALICE, BOB, EVE, GATEWAY_OUTER, RADIO_1, Scene } from '../support/scene.js';
import { fetchTrusting, JWT_BEARER, PTT_SCOPE, TokenSide } from '../support/token-side.js';
import { sleep, until, within } from '../support/waiting.js';
import { xcapSchema } from '../xcap/support.js';
import { needTool, runTool } from '../xmldsig/support.js';

const GMS = 'sip:gms@lmr.example';
const TALKGROUP = 'sip:tg1@lmr.example';
const MALLORY = 'sip:mallory@mc-a.example';
const ADMIN = 'sip:dispatcher@mc-a.example';
const UMA = 'sip:uma@mc-u.example';
const TYPE = 'application/vnd.oma.poc.groups+xml';
const FOLDER = 'org.openmobilealliance.groups/global/byGroupID';
/** of the flood: another client than all others */
const FLOOD_ADDRESS = '127.0.9.9';

describe('group documents over HTTPS', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'segy-documents-'));
  let scene: Scene;
  let root: string;
  let issuer: string;
  let caFile: string;
  let a: TokenSide;
  let b: TokenSide;
  let u: Peer;
  const authority = new TestAuthority();
  const at = (name: string): string => join(folder, name);
  const messages: SipRequest[] = [];

  before(async () => {
    const port = await freePort(GATEWAY_OUTER);
    issuer = `https://${GATEWAY_OUTER}:${port}/idm`;
    root = `https://${GATEWAY_OUTER}:${port}/xcap-root`;
    caFile = at('ca.pem');
    writeFileSync(caFile, authority.cert);
    writeCertificate();
    const options = { folder, issuer, caFile, authority };
    a = await TokenSide.make('mc-a', options);
    b = await TokenSide.make('mc-b', options);
    u = { address: '127.0.2.3', port: await freePort('127.0.2.3') };
    scene = await Scene.start({
      partner: { securityTokens: a.settings },
      neighbour: { securityTokens: b.settings },
      more: [{ name: 'mc-u', users: [UMA], sip: u, protocol: 'udp', profile: {} }],
      config: {
        gms: { uri: GMS, xcapRoot: root, documents: { administrators: [ADMIN] } },
        idm: { issuer },
        https: {
          ...{ address: GATEWAY_OUTER, port },
          tls: { certFile: at('https.pem'), keyFile: at('https.key') },
          known: [{ address: '127.0.0.1', handshakesPerSecond: 100, requestsPerSecond: 100 }],
        },
      },
    });
    scene.mc.agent.onOther = (transaction) => {
      if (transaction.request.method === 'MESSAGE') messages.push(transaction.request);
      transaction.respond(createResponse(transaction.request, 200));
    };
    await segy(
      ...['group', 'create', TALKGROUP, '--name', 'Fire & rescue', '--speaker', RADIO_1.uri],
      ...['--member', ALICE, '--member', BOB, '--member', UMA],
    );
  });
  after(async () => {
    await scene.stop();
    authority.remove();
    rmSync(folder, { recursive: true });
  });

  function writeCertificate(): void {
    const made = authority.issue('gateway', `IP:${GATEWAY_OUTER}`);
    writeFileSync(at('https.pem'), made.cert);
    writeFileSync(at('https.key'), made.key, { mode: 0o600 });
  }

  async function segy(...args: readonly string[]): Promise<Record<string, unknown>> {
    const config = ['--config', join(scene.folder, 'segy.yaml'), '--json'];
    const { status, stdout, stderr } = await runSegyBeside([...args, ...config]);
    assert.equal(status, 0, stderr + stdout);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  }
  const urlOf = (group: string): string => `${root}/${FOLDER}/${group}`;
  const read = async (side: TokenSide, user: string | null, url = urlOf(TALKGROUP)) =>
    side.get(url, user === null ? null : await side.accessToken(user));
  const etagOf = (headers: string): string => /^etag: (.*)$/im.exec(headers)?.[1]?.trim() ?? '';

  it('open to a member with an access token that curl got for a security token of its partner', async function () {
    needTool(this, 'curl');
    const { status, headers, body } = await read(a, ALICE);
    assert.equal(status, 200, headers);
    assert.match(headers, new RegExp(`^content-type: ${TYPE.replace('+', '\\+')}\r?$`, 'im'));
    assert.match(etagOf(headers), /^"[\w-]+"$/);
    assert.match(body, /<display-name>Fire &amp; rescue<\/display-name>/);
    const again = ['-H', `If-None-Match: ${etagOf(headers)}`];
    const cached = await a.get(urlOf(TALKGROUP), await a.accessToken(ALICE), ...again);
    assert.deepEqual([cached.status, cached.body], [304, '']);
  });

  it('open to a member with openid-client, which finds the IdM by its metadata', async () => {
    const fetching = fetchTrusting(caFile);
    const config = await client.discovery(
      new URL(issuer),
      a.keyClient,
      undefined,
      client.PrivateKeyJwt({ key: a.clientKey, kid: 'mc-a-app-1' }),
      { [client.customFetch]: fetching },
    );
    const tokens = await client.genericGrantRequest(config, JWT_BEARER, {
      assertion: await a.securityToken(BOB),
      scope: PTT_SCOPE,
    });
    const url = new URL(urlOf(TALKGROUP));
    const answer = await client.fetchProtectedResource(config, tokens.access_token, url, 'GET');
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), new RegExp(`<entry uri="${BOB}"`));
  });

  it('are valid by their schemas as they travel, in libxml2', async function () {
    needTool(this, 'curl');
    needTool(this, 'xmllint');
    const valid = (schema: string, text: string): void =>
      void runTool('xmllint', ['--noout', '--nonet', '--schema', schema, '-'], text);
    valid(schemaFile('group.xsd'), (await read(a, ALICE)).body);
    const caps = await read(a, ALICE, `${root}/xcap-caps/global/index`);
    valid(xcapSchema('xcap-caps.xsd'), caps.body);
    const broken = ['-X', 'PUT', '-H', `Content-Type: ${TYPE}`, '-d', '<x/>'];
    const refused = await a.get(urlOf(TALKGROUP), await a.accessToken(ADMIN), ...broken);
    assert.equal(refused.status, 409);
    assert.match(refused.body, /schema-validation-error/);
    valid(xcapSchema('xcap-error.xsd'), refused.body);
    const { diff } = await subscribed();
    valid(xcapSchema('xcap-diff.xsd'), diff);
  });

  it('are the ones that an xcap-diff document names, under the entity tag that it tells', async function () {
    needTool(this, 'curl');
    const { diff } = await subscribed();
    const [, base = ''] = /xcap-root="([^"]*)"/.exec(diff) ?? [];
    const [, sel = '', tag = ''] = /sel="([^"]*)" new-etag="([^"]*)"/.exec(diff) ?? [];
    const { status, headers } = await read(a, ALICE, new URL(sel, base).href);
    assert.deepEqual([status, etagOf(headers)], [200, `"${tag}"`]);
  });

  it('stay shut to who is no member, to users of other partners, and without a token', async function () {
    needTool(this, 'curl');
    const refusals = [await read(a, MALLORY), await read(b, EVE), await read(a, null)];
    assert.deepEqual(
      refusals.map(({ status, body }) => [status, body]),
      [
        [403, ''],
        [403, ''],
        [401, ''],
      ],
    );
    for (const { headers } of refusals) assert.match(headers, /^www-authenticate: Bearer /im);
    const token = await a.accessToken(ALICE);
    const forged = token.replace(
      /.(.{9})$/,
      (_, rest: string) => `${token.at(-10) === 'A' ? 'B' : 'A'}${rest}`,
    );
    assert.equal((await a.get(urlOf(TALKGROUP), forged)).status, 401);
    await until('it is logged', () => scene.gateway.log().includes('SEGY_E_TOKEN_SIGNATURE'));
  });

  it('change for an administrator: who is left out sets off a new key, and hears of nothing', async function () {
    needTool(this, 'curl');
    const token = await a.accessToken(ADMIN);
    const { headers, body } = await a.get(urlOf(TALKGROUP), token);
    await until('the first keys are out', () => messages.length >= 2);
    messages.length = 0;
    const without = body.replace(`<entry uri="${BOB}"/>\n`, '');
    assert.notEqual(without, body);
    const put = (tag: string) =>
      a.get(
        urlOf(TALKGROUP),
        token,
        ...['-X', 'PUT', '-H', `Content-Type: ${TYPE}`, '-H', `If-Match: ${tag}`],
        ...['--data-binary', without],
      );
    assert.equal((await put('"other"')).status, 412);
    const changed = await put(etagOf(headers));
    assert.equal(changed.status, 200, changed.headers);
    assert.notEqual(etagOf(changed.headers), etagOf(headers));
    const has = (user: string) => messages.some(({ body: octets }) => textHas(octets, user));
    await until('Alice has the next key', () => has(ALICE));
    assert.equal(has(BOB), false);
    assert.equal((await read(a, BOB)).status, 403);
    assert.equal((await read(a, ALICE)).status, 200);
    const own = await a.accessToken(ALICE);
    assert.equal((await a.get(urlOf(TALKGROUP), own, '-X', 'DELETE')).status, 403);
  });

  it('change by one node too: a member is put and deleted by itself', async function () {
    needTool(this, 'curl');
    const token = await a.accessToken(ADMIN);
    const entry = `${urlOf(TALKGROUP)}/~~/group/list-service/list/entry%5b@uri=%22${BOB}%22%5d`;
    const type = ['-H', 'Content-Type: application/xcap-el+xml'];
    const put = [...type, '-X', 'PUT', '-d', `<entry uri="${BOB}"/>`];
    assert.equal((await a.get(entry, token, ...put)).status, 201);
    assert.equal((await read(a, BOB, entry)).status, 200);
    assert.equal((await a.get(entry, token, '-X', 'DELETE')).status, 200);
    assert.equal((await read(a, BOB, entry)).status, 403);
  });

  it('have keys that an administrator rolls by HTTP too: once by one name', async function () {
    needTool(this, 'curl');
    const token = await a.accessToken(ADMIN);
    const url = `${new URL(root).origin}/group-rolls/${TALKGROUP}/after-drill`;
    interface View {
      readonly keys: readonly string[];
      readonly done: boolean;
    }
    const json = ({ body }: { body: string }): View => JSON.parse(body) as View;
    assert.equal((await a.get(url, await a.accessToken(ALICE), '-X', 'PUT')).status, 403);
    const put = ['-X', 'PUT', '-H', 'Content-Type: application/json'];
    const times = ['-d', '{"activationSeconds":2}'];
    const first = await a.get(url, token, ...put, ...times);
    assert.equal(first.status, 202, first.body);
    assert.match(
      first.headers,
      /^location: \/group-rolls\/sip:tg1@lmr\.example\/after-drill\r?$/im,
    );
    const again = await a.get(url, token, ...put, ...times);
    assert.deepEqual(json(again).keys, json(first).keys);
    assert.equal((await a.get(url, token, ...put, '-d', '{}')).status, 409);
    const { keys } = (await segy('group', 'status', 'tg1')) as unknown as {
      keys: readonly { keyId: string; order: string | null }[];
    };
    const ordered = keys.filter(({ order }) => order === 'after-drill');
    assert.deepEqual(
      ordered.map(({ keyId }) => keyId),
      json(first).keys,
    );
    const state = join(scene.folder, 'state');
    const { stdout } = await runSegyBeside(['audit', 'show', '--state', state, '--json']);
    assert.match(stdout, new RegExp(`group-rekeyed.*by ${ADMIN}`));
  });

  it('make a group that is there for the commands, and end it', async function () {
    needTool(this, 'curl');
    const token = await a.accessToken(ADMIN);
    const { body } = await a.get(urlOf(TALKGROUP), token);
    const other = 'sip:tg2@lmr.example';
    const put = ['-X', 'PUT', '-H', `Content-Type: ${TYPE}`, '-H', 'If-None-Match: *'];
    const made = await a.get(
      urlOf(other),
      token,
      ...put,
      ...['--data-binary', body.replaceAll(TALKGROUP, other)],
    );
    assert.equal(made.status, 201, made.headers);
    assert.ok(JSON.stringify(await segy('group', 'list')).includes(other));
    assert.equal((await a.get(urlOf(other), token, '-X', 'DELETE')).status, 200);
    assert.equal((await a.get(urlOf(other), token)).status, 404);
    assert.ok(!JSON.stringify(await segy('group', 'list')).includes(other));
  });

  const forgeries: readonly [string, (token: string) => Promise<string> | string][] = [
    ['alg none', (token) => `${part({ alg: 'none', typ: 'at+jwt' })}.${token.split('.')[1]}.`],
    ['HS256 under our public key', async (token) => hs256(token, await keySet())],
    ['another claim than was signed', (token) => token.replace(/\.(.)/, '.e30$1')],
    ['a partner’s security token in its place', () => a.securityToken(ALICE)],
    [
      'our claims under the key of a partner',
      async (token) => (await a.securityToken(ALICE)).replace(/\..*\./, `.${token.split('.')[1]}.`),
    ],
  ];
  for (const [what, forge] of forgeries) {
    it(`stay shut to ${what}`, async function () {
      needTool(this, 'curl');
      const forged = await forge(await a.accessToken(ALICE));
      const { status, headers, body } = await a.get(urlOf(TALKGROUP), forged);
      assert.deepEqual([status, body], [401, '']);
      assert.match(headers, /^www-authenticate: Bearer .*error="invalid_token"/im);
    });
  }

  it('come under a renewed certificate after a reload', async () => {
    const shown = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const { hostname: host, port } = new URL(root);
        const socket = tlsConnect({ host, port: Number(port), rejectUnauthorized: false }, () => {
          resolve(socket.getPeerCertificate().fingerprint256);
          socket.destroy();
        });
        socket.on('error', reject);
      });
    const before = await shown();
    assert.equal(await shown(), before);
    writeCertificate();
    const reload = await runSegyBeside(['reload', '--state', join(scene.folder, 'state')]);
    assert.equal(reload.status, 0, reload.stderr);
    assert.notEqual(await shown(), before);
    assert.equal((await read(a, ALICE)).status, 200);
  });

  it('are of a configuration that passes its check', async () => {
    const { findings } = await segy('config', 'check', '--offline');
    assert.deepEqual(findings, []);
  });

  it('do not slow the setup of calls while one client asks 10,000 times a minute', async () => {
    const median = async (): Promise<number> => {
      const times: number[] = [];
      for (let i = 0; i < 15; i++) {
        const from = performance.now();
        const { mc, radio } = await callRadio(scene);
        times.push(performance.now() - from);
        mc.bye();
        await within('the radio call ends', radio.ended);
      }
      return times.sort((x, y) => x - y)[7] ?? 0;
    };
    const idle = await median();
    const stop = startFlood({
      ...{ url: urlOf(TALKGROUP), caFile, from: FLOOD_ADDRESS, perSecond: 10_000 / 60 },
    });
    await sleep(3000);
    const flooded = await median();
    const counts = await stop();
    const all = Object.values(counts).reduce((sum, each) => sum + each, 0);
    const times = `${idle.toFixed(0)} ms idle, ${flooded.toFixed(0)} ms in the flood`;
    const ratio = (flooded / idle).toFixed(2);
    const answers = `${all} requests: ${JSON.stringify(counts)}`;
    process.stdout.write(`    setup ${times}, ${ratio} times; ${answers}\n`);
    assert.ok((counts['429'] ?? 0) > (counts['401'] ?? 0), 'most are refused before their token');
    assert.equal(counts['200'], undefined);
    assert.equal(counts['500'], undefined);
  });

  /** Our published keys, as anybody reads them. */
  async function keySet(): Promise<string> {
    return (await a.get(`${issuer}/jwks`, null)).body;
  }

  /** What a member is told that subscribes over UDP, by a client that is nothing but text. */
  async function subscribed(): Promise<{ diff: string }> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(u.port, u.address, resolve));
    const body = [
      '--x',
      'Content-Type: application/resource-lists+xml',
      '',
      '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>' +
        `<entry uri="${FOLDER}/${TALKGROUP}"/></list></resource-lists>`,
      '--x',
      'Content-Type: application/vnd.3gpp.mcptt-info+xml',
      '',
      '<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params><mcptt-calling-user-id>' +
        `<mcpttURI>${UMA}</mcpttURI></mcptt-calling-user-id></mcptt-Params></mcpttinfo>`,
      '--x--',
      '',
    ].join('\r\n');
    const id = `${Date.now()}`;
    const subscribe = [
      `SUBSCRIBE ${GMS} SIP/2.0`,
      `Via: SIP/2.0/UDP ${u.address}:${u.port};branch=z9hG4bK${id}`,
      `From: <${UMA}>;tag=${id}`,
      `To: <${GMS}>`,
      `Call-ID: ${id}@${u.address}`,
      'CSeq: 1 SUBSCRIBE',
      `Contact: <sip:${u.address}:${u.port}>`,
      'Max-Forwards: 70',
      'Event: xcap-diff',
      'Accept: application/xcap-diff+xml',
      'Expires: 0',
      'Content-Type: multipart/mixed;boundary=x',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
    const told = new Promise<string>((resolve) => {
      socket.on('message', (data) => {
        const text = data.toString();
        if (!text.startsWith('NOTIFY ')) return;
        const copied = text.match(/^(via|from|to|call-id|cseq):.*$/gim) ?? [];
        const answer = ['SIP/2.0 200 OK', ...copied, 'Content-Length: 0', '', ''].join('\r\n');
        socket.send(answer, scene.outer.port, scene.outer.address, () =>
          resolve(text.slice(text.indexOf('\r\n\r\n') + 4)),
        );
      });
    });
    socket.send(subscribe, scene.outer.port, scene.outer.address);
    const diff = await within('a NOTIFY comes', told).finally(() => socket.close());
    return { diff };
  }
});

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** The claims of a token under an HMAC whose secret is what everybody may read. */
function hs256(token: string, keys: string): string {
  const [jwk = {}] = (JSON.parse(keys) as { keys: JsonWebKey[] }).keys;
  const { kid } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as {
    kid: string;
  };
  const signed = `${part({ alg: 'HS256', typ: 'at+jwt', kid })}.${token.split('.')[1] ?? ''}`;
  const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'pem', type: 'spki' });
  return `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`;
}

function textHas(octets: Uint8Array, user: string): boolean {
  return Buffer.from(octets).includes(`>${user}<`);
}
