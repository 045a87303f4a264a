/** The IdM behind the real listener, with clients that no part of the gateway wrote. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { request } from 'node:https';
import * as oauth from 'openid-client';
import { systemClock } from '../../src/base/environment.js';
import { utf8 } from '../../src/base/bytes.js';
import { readFileSync } from 'node:fs';
import { DEFAULT_CODE_POINTS } from '../../src/config/index.js';
import { securityTokensSchema } from '../../src/config/idm-schema.js';
import { httpsFetch, type HttpRoute, type HttpsListener } from '../../src/https/index.js';
import { IdentityManagement, makePartner, type IdmPartner } from '../../src/idm/index.js';
import type { AccessTokenKeys } from '../../src/idm/index.js';
import { Certificates, curl, loggingEnvironment, openListener } from '../https/support.js';
import { needTool } from '../xmldsig/support.js';
import {
  ALICE,
  AUDIENCE,
  idmConfig,
  keyRoom,
  makePartnerKey,
  openKeys,
  signJwt,
  type PartnerKey,
} from './idm-scene.js';
import { JWT_BEARER, JWT_TYPE, PTT_SCOPE, TOKEN_EXCHANGE } from './idm-rig.js';

const ISSUER_A = 'https://idm.mc-a.example';

describe('the IdM over HTTPS', () => {
  let certificates: Certificates;
  let partnerIdm: HttpsListener;
  let listener: HttpsListener;
  let keys: AccessTokenKeys;
  let idm: IdentityManagement;
  let issuer: string;
  let tokenKey: PartnerKey;
  let clientKey: PartnerKey;
  const env = loggingEnvironment();

  before(async () => {
    certificates = new Certificates();
    [tokenKey, clientKey] = await Promise.all([makePartnerKey('a-1'), makePartnerKey('c-1')]);
    partnerIdm = await openListener(certificates, [keySetOf(tokenKey)]);
    // the port is known when it listens, and the addresses of the IdM are made of it
    const late: HttpRoute[] = [];
    listener = await openListener(certificates, late, { env });
    issuer = `https://localhost:${listener.port}/idm`;
    const room = await keyRoom();
    room.timers.now = Date.now();
    keys = await openKeys(room);
    idm = await IdentityManagement.open({
      config: idmConfig({ issuer }),
      audience: AUDIENCE,
      partners: [partnerA()],
      keys,
      presented: room.space('idm-presented'),
      audit: room.audit,
      env,
    });
    late.push(...idm.routes);
  });
  after(async () => {
    keys.close();
    await listener.close();
    await partnerIdm.close();
    certificates.remove();
  });

  function partnerA(): IdmPartner {
    const keysFile = certificates.write('c.jwks', JSON.stringify({ keys: [clientKey.jwk] }));
    const securityTokens = securityTokensSchema.parse({
      issuer: ISSUER_A,
      keysUrl: `https://localhost:${partnerIdm.port}/jwks`,
      caFile: certificates.caFile,
      clientAuthorityFile: certificates.caFile,
      clients: [
        { id: 'by-name', certificate: { dnsName: 'gms.mc-a.example' } },
        { id: 'by-subject', certificate: { subject: 'CN = gms.mc-a.example' } },
        { id: 'by-key', keysFile },
      ],
    });
    const hasUser = (id: string): boolean => id.endsWith('@mc-a.example');
    return makePartner(
      { name: 'a', codePoints: DEFAULT_CODE_POINTS, securityTokens, hasUser },
      {
        clock: systemClock,
        readFile: (file) => readFileSync(file),
        fetch: async (asked, tls) =>
          (await httpsFetch(asked, tls, { timeoutMs: 5000, maxOctets: 65_536 })).body,
        onFetch: (_partner, error) => assert.equal(error, null),
      },
    );
  }

  function securityToken(): Promise<string> {
    const iat = Math.floor(Date.now() / 1000);
    const claims = { iss: ISSUER_A, sub: 'alice-7', aud: ['c', issuer], mcptt_id: ALICE };
    return signJwt({ ...claims, iat, exp: iat + 300, jti: randomUUID() }, tokenKey.privateKey, {
      kid: 'a-1',
    });
  }

  /** openid-client over node:https, which can be given an authority and a client certificate. */
  function library(id: string, how: oauth.ClientAuth, tls = {}): Promise<oauth.Configuration> {
    const fetch = fetchOver({ ca: Buffer.from(certificates.ca), ...tls });
    return oauth.discovery(new URL(issuer), id, {}, how, { [oauth.customFetch]: fetch });
  }

  it('gives openid-client a token by private_key_jwt and the JWT bearer grant', async () => {
    const how = oauth.PrivateKeyJwt({ key: clientKey.privateKey, kid: 'c-1' });
    const configuration = await library('by-key', how);
    const assertion = await securityToken();
    const got = await oauth.genericGrantRequest(configuration, JWT_BEARER, {
      assertion,
      scope: PTT_SCOPE,
    });
    assert.equal(got.token_type, 'bearer');
    assert.equal((await idm.guard.verify(got.access_token)).serviceIds.MCPTT, ALICE);
  });

  it('gives openid-client a token by mutual TLS and a token exchange', async () => {
    const { cert, key } = certificates.client('gms.mc-a.example');
    for (const id of ['by-name', 'by-subject']) {
      const configuration = await library(id, oauth.TlsClientAuth(), { cert, key });
      const got = await oauth.genericGrantRequest(configuration, TOKEN_EXCHANGE, {
        subject_token: await securityToken(),
        subject_token_type: JWT_TYPE,
        resource: AUDIENCE,
      });
      assert.equal(got.issued_token_type, 'urn:ietf:params:oauth:token-type:access_token');
      assert.equal((await idm.guard.verify(got.access_token)).clientId, id);
    }
  });

  it('refuses openid-client under the certificate of another name', async () => {
    const { cert, key } = certificates.client('evil.mc-a.example');
    const configuration = await library('by-name', oauth.TlsClientAuth(), { cert, key });
    const asked = oauth.genericGrantRequest(configuration, JWT_BEARER, {
      assertion: await securityToken(),
    });
    await assert.rejects(asked, { status: 401 });
    const event = env.events.find(({ fields }) => fields.code === 'SEGY_E_TOKEN_CLIENT');
    assert.deepEqual(
      [event?.event, event?.fields.partner, event?.fields.source],
      ['security.refused', 'a', '127.0.0.1'],
    );
  });

  it('gives curl a token, and an answer that no cache keeps', async function () {
    needTool(this, 'curl');
    const { certFile, keyFile } = certificates.client('gms.mc-a.example');
    const own = ['--cert', certFile, '--key', keyFile];
    const answer = await curl(
      certificates,
      `${issuer}/token`,
      ...own,
      ...['--data-urlencode', `grant_type=${JWT_BEARER}`, '-d', 'client_id=by-name'],
      ...['-d', `assertion=${await securityToken()}`],
    );
    assert.equal(answer.status, 200, answer.body);
    assert.match(answer.headers, /^cache-control: no-store\r?$/im);
    const { access_token: token } = JSON.parse(answer.body) as { access_token: string };
    await idm.guard.verify(token);
  });

  it('says what it is at both well-known places (OIDC Discovery 4, RFC 8414 3)', async function () {
    needTool(this, 'curl');
    const origin = issuer.replace(/\/idm$/, '');
    for (const url of [
      `${issuer}/.well-known/openid-configuration`,
      `${origin}/.well-known/oauth-authorization-server/idm`,
    ]) {
      const answer = await curl(certificates, url);
      assert.equal(answer.status, 200);
      const metadata = JSON.parse(answer.body) as Record<string, unknown>;
      assert.equal(metadata.issuer, issuer);
      assert.equal(metadata.token_endpoint, `${issuer}/token`);
      assert.deepEqual(metadata.grant_types_supported, [JWT_BEARER, TOKEN_EXCHANGE]);
    }
    assert.equal((await curl(certificates, `${issuer}/jwks`)).status, 200);
    assert.equal((await curl(certificates, `${issuer}/jwks`, '-X', 'DELETE')).status, 405);
    assert.equal((await curl(certificates, `${issuer}/authorize`)).status, 404);
  });

  it('refuses a form that is too large, of another kind, or sent by another method', async function () {
    needTool(this, 'curl');
    const post = (...options: string[]) => curl(certificates, `${issuer}/token`, ...options);
    assert.equal((await post('-d', 'x'.repeat(24_577))).status, 413);
    assert.equal((await post('-H', 'Content-Type: application/json', '-d', '{}')).status, 415);
    assert.equal((await post('-G', '-d', 'grant_type=x')).status, 405);
    assert.equal((await post('-d', 'grant_type=x')).status, 401);
  });
});

function keySetOf({ jwk }: PartnerKey): HttpRoute {
  return {
    name: 'jwks',
    maxBodyOctets: 0,
    matches: (path) => path === '/jwks',
    handle: () => Promise.resolve({ status: 200, body: utf8(JSON.stringify({ keys: [jwk] })) }),
  };
}

function fetchOver(tls: object): oauth.CustomFetch {
  return (url, { method, headers, body }) =>
    new Promise((resolve, reject) => {
      const outgoing = request(url, { ...tls, method, headers, agent: false }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => {
          const given = Object.entries(incoming.headers).map(([name, value]): [string, string] => [
            name,
            String(value),
          ]);
          const { statusCode: status = 0 } = incoming;
          resolve(new Response(Buffer.concat(chunks), { status, headers: given }));
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body instanceof URLSearchParams ? body.toString() : body);
    });
}
