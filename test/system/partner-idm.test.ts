/** Access tokens and group documents of a partner through the running gateway and a real Asterisk. */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex, utf8 } from '../../src/base/bytes.js';
import { createResponse, SipHeaders, tagOf, withTag } from '../../src/sip/index.js';
import type { ServerTransaction, SipRequest } from '../../src/sip/index.js';
import { TestAuthority } from '../sip/support/certificates.js';
import { expectUp, nextCall } from '../support/call-pair.js';
import { runSegyBeside } from '../support/cli.js';
import { framesOf } from '../support/group-side.js';
import { GroupSystem, newGmk } from '../support/group-system.js';
import {
  FakePartnerIdm,
  groupDocumentText,
  OUR_ISSUER,
  PARTNER_CLIENT,
} from '../support/partner-idm.js';
import { ALICE, MC_ADDRESS, RADIO_1, Scene } from '../support/scene.js';
import { sleep, until, within } from '../support/waiting.js';

const GROUP = 'sip:police@mc-a.example';
const GMS = 'sip:gms@mc-a.example';
const GROUP_PATH = `org.openmobilealliance.groups/global/byGroupID/${GROUP}`;
const KEY_PATH = `keys/users/${RADIO_1.uri}/${GROUP}`;
const GMK = newGmk(1);
const TOKEN = /<mcptt-access-token type="Normal"><mcpttString>([^<]+)</;

interface Check {
  readonly ok: boolean;
  readonly findings: readonly string[];
  readonly idm: readonly { step: string; ok: boolean; detail: string }[];
}

describe('tokens and documents of a partner', function () {
  this.timeout(90_000);
  const folder = mkdtempSync(join(tmpdir(), 'segy-partner-idm-'));
  const authority = new TestAuthority();
  const requests: ServerTransaction[] = [];
  let server: FakePartnerIdm;
  let scene: Scene;
  let system: GroupSystem;

  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const segy = (...args: string[]) => runSegyBeside(args);
  const state = (): string[] => ['--state', join(scene.folder, 'state')];

  before(async () => {
    server = await FakePartnerIdm.start(authority);
    server.behaviour = (_request, response) => {
      response.writeHead(503, { 'Retry-After': '1' }).end();
      return true;
    };
    const own = authority.issue('segy', 'DNS:segy.lmr.example');
    const digest = createHash('sha256').update(new X509Certificate(own.cert).raw).digest('hex');
    server.clients.add(digest);
    const caFile = file('ca.pem', authority.cert);
    const [certFile, keyFile] = [file('segy.pem', own.cert), file('segy.key', own.key)];
    server.documents.set(GROUP_PATH, {
      octets: groupDocumentText([ALICE, RADIO_1.uri]),
      etag: '"g1"',
    });
    scene = await Scene.start({
      protocol: 'tls',
      partner: {
        gms: [GMS],
        groups: [{ id: GROUP, pbx: 'police', speaker: RADIO_1.uri, affiliate: [RADIO_1.uri] }],
        subscription: { enabled: true, accessToken: true },
        affiliation: { mode: 'publish', accessToken: true },
        idm: {
          issuer: server.issuer,
          clientId: PARTNER_CLIENT,
          securityToken: { from: 'own', issuer: OUR_ISSUER },
          tls: { caFile, certFile, keyFile },
        },
        groupDocuments: {
          xcapRoot: server.xcapRoot,
          keyPath: 'keys/users/{user}/{group}',
          tls: { caFile },
        },
      },
      asterisk: {
        dialplan: ['[segy-to-radio](+)', 'exten => police,1,Dial(PJSIP/police@radio,60)', ''].join(
          '\n',
        ),
      },
    });
    scene.mc.agent.onOther = (transaction) => {
      requests.push(transaction);
      transaction.respond(accepted(transaction));
    };
    const { mc, domain, outer } = scene;
    system = new GroupSystem({
      ...{ mc, domain, outer, address: MC_ADDRESS, gms: GMS, group: GROUP },
      protocol: 'tls',
    });
    // as an operator gives it to the partner
    const { stdout } = await segy('token-key', 'jwks', ...state(), '--json');
    server.keys = JSON.parse(stdout) as typeof server.keys;
    server.behaviour = undefined;
  });
  after(async () => {
    await scene.stop();
    await server.stop();
    authority.remove();
    rmSync(folder, { recursive: true });
  });

  function accepted({ request, localTag }: ServerTransaction): ReturnType<typeof createResponse> {
    const response = createResponse(request, 200, 'OK');
    response.headers.set('To', withTag(request.headers.get('To') ?? '', localTag));
    response.headers.set('Expires', request.headers.get('Expires') ?? '600');
    response.headers.set('Contact', `<sip:gms@${MC_ADDRESS};transport=tls>`);
    if (request.method === 'PUBLISH') response.headers.set('SIP-ETag', 'e1');
    return response;
  }
  const received = async (method: string): Promise<ServerTransaction> => {
    const find = () =>
      requests.findLast(
        ({ request }) => request.method === method && request.headers.get('Expires') !== '0',
      );
    await until(`a ${method} comes`, () => find() !== undefined);
    return find()!;
  };

  /** Tells in the dialog of the gateway's SUBSCRIBE that a document changed. */
  async function notify(selector: string, etag: string): Promise<number> {
    const { request, localTag } = await received('SUBSCRIBE');
    const { headers } = request;
    const uri = /<([^>]+)>/.exec(headers.get('Contact') ?? '')![1]!;
    const body = utf8(
      '<?xml version="1.0"?><xcap-diff xmlns="urn:ietf:params:xml:ns:xcap-diff" ' +
        `xcap-root="${server.xcapRoot}/"><document sel="${selector}" new-etag="${etag}"/></xcap-diff>`,
    );
    const message: SipRequest = {
      ...{ kind: 'request', method: 'NOTIFY', uri, body },
      headers: new SipHeaders([
        ['From', withTag(headers.get('To') ?? '', localTag)],
        ['To', headers.get('From') ?? ''],
        ['Call-ID', headers.get('Call-ID') ?? ''],
        ['CSeq', '1 NOTIFY'],
        ['Max-Forwards', '70'],
        ['Contact', `<sip:gms@${MC_ADDRESS};transport=tls>`],
        ['Event', 'xcap-diff'],
        ['Subscription-State', 'active;expires=600'],
        ['Content-Type', 'application/xcap-diff+xml'],
      ]),
    };
    const transaction = scene.mc.agent.send(message, { ...scene.outer, protocol: 'tls' });
    const { status } = await within(
      'the NOTIFY is answered',
      new Promise<{ status: number }>((resolve, reject) => {
        transaction.onFinal = resolve;
        transaction.onError = reject;
      }),
    );
    return status;
  }

  async function check(): Promise<Check> {
    const { stdout } = await segy(
      'partner',
      'check',
      'mc-a',
      '--json',
      '-c',
      scene.gateway.configFile,
    );
    return JSON.parse(stdout) as Check;
  }

  it('are had when the partner knows our key, and SUBSCRIBE and PUBLISH carry the user’s token', async () => {
    for (const method of ['SUBSCRIBE', 'PUBLISH']) {
      const { request } = await received(method);
      const token = TOKEN.exec(Buffer.from(request.body).toString())?.[1];
      assert.equal(server.userOf(token ?? ''), RADIO_1.uri);
      assert.ok(tagOf(request.headers.get('From') ?? ''));
    }
    const [{ securityToken }] = server.tokenRequests as [FakePartnerIdm['tokenRequests'][0]];
    assert.equal(securityToken.sub, RADIO_1.uri);
    await until('the group document is read', () => scene.gateway.log().includes('group.document'));
  });

  it('let a group call in with a key that was read over XCAP on a notice, and name its talker', async () => {
    const refused = await system.call(system.side(ALICE, [GMK]));
    await until('the call without a key is refused', () => refused.state === 'ended');
    const octets =
      '<GMK-GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0">' +
      `<GKTP id="${GROUP}">${Buffer.from(await system.message(GMK)).toString('base64')}</GKTP></GMK-GKTPs>`;
    server.documents.set(`${RADIO_1.uri} ${KEY_PATH}`, { octets, etag: '"k1"' });
    assert.equal(await notify(KEY_PATH, 'k1'), 200);
    await until('the key is taken', () => scene.gateway.log().includes('keys.taken'));
    const { stdout } = await segy('keys', 'list', ...state(), '--json');
    assert.match(stdout, new RegExp(toHex(GMK.id)));

    const side = system.side(ALICE, [GMK]);
    const taken = nextCall(scene.radio.agent);
    const mc = await system.call(side);
    await expectUp(mc);
    const radio = await within('the radio takes the call', taken);
    const { stream } = radio.media;
    await until('the radio is heard', () => side.heard.length > 20);
    stream.clearRecording();
    const speech = side.talk(ALICE, GMK, { toneHz: 300, ms: 1000 });
    await sleep(500);
    const shown = await segy('calls', ...state(), '--json');
    const { calls } = JSON.parse(shown.stdout) as { calls: { talker: string }[] };
    assert.equal(calls[0]?.talker, ALICE);
    await speech;
    await sleep(100);
    assert.ok(framesOf(stream.recording(), 300) >= 900, 'Alice is heard');
    mc.bye();
    await within('the radio call ends', radio.ended);
  });

  it('are tried by segy partner check, which says what fails', async () => {
    const right = await check();
    assert.deepEqual(
      right.idm.map(({ step, ok }) => `${step} ${ok}`),
      ['metadata true', 'token true', 'document true'],
    );
    const { keys } = server;
    server.keys = { keys: [] };
    const wrong = await check();
    server.keys = keys;
    assert.equal(wrong.ok, false);
    assert.match(wrong.findings.join('\n'), /^token: SEGY_E_ACCESS_TOKEN .*invalid_grant$/m);
  });

  it('follow a reload that changes the profile, and stay as they are where it cannot be used', async () => {
    const { configFile } = scene.gateway;
    const text = readFileSync(configFile, 'utf8');
    const scope = '3gpp:mc:data_group_management_service';
    const asked = (): boolean =>
      server.tokenRequests.some(({ form }) => form.get('scope') === scope);
    const more = text.replace('clientId:', `scopes: ["${scope}"]\n      clientId:`);
    assert.notEqual(more, text);
    writeFileSync(configFile, more.replaceAll('ca.pem', 'none.pem'));
    assert.equal((await segy('reload', ...state())).status, 1);
    await sleep(200);
    assert.equal(asked(), false);
    writeFileSync(configFile, more);
    requests.length = 0;
    const { status, stderr } = await segy('reload', ...state());
    assert.equal(status, 0, stderr);
    await until('a token of the other scope is asked for', asked);
    const again = (): number =>
      requests.filter(({ request }) => {
        const token = TOKEN.exec(Buffer.from(request.body).toString())?.[1];
        return token !== undefined && server.scopeOf(token) === scope;
      }).length;
    const withdrawn = (method: string): boolean =>
      requests.some(
        ({ request: { method: each, headers, body } }) =>
          each === method &&
          headers.get('Expires') === '0' &&
          TOKEN.test(Buffer.from(body).toString()),
      );
    for (const method of ['SUBSCRIBE', 'PUBLISH']) {
      await until(`the ${method} before is withdrawn with its token`, () => withdrawn(method));
    }
    await until('SUBSCRIBE and PUBLISH carry it', () => again() >= 2);
  });

  it('leave neither a token nor a key in the log', () => {
    const log = scene.gateway.log();
    for (const { form } of server.tokenRequests) {
      assert.equal(log.includes(form.get('assertion')!), false);
    }
    for (const { token } of server.documentRequests) assert.equal(log.includes(token!), false);
    assert.equal(log.includes(toHex(GMK.octets)), false);
  });

  it('end with the gateway at once, even while the partner does not answer', async () => {
    server.behaviour = () => true;
    server.revokeAll();
    await notify(GROUP_PATH, 'g2');
    await until('a request is under way', () => server.connections > 0);
    const begun = Date.now();
    await scene.gateway.stop();
    assert.ok(Date.now() - begun < 4500, `it took ${Date.now() - begun} ms`);
  });
});
