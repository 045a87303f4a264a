import assert from 'node:assert/strict';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { AlarmName } from '../../src/base/alarms.js';
import { fakeEnvironment, FakeTimers } from '../sip/support/fake-timers.js';
import { OUR_ISSUER, PARTNER_CLIENT } from '../support/partner-idm.js';
import { ClientScene, RADIO, sha256Of } from './support.js';

const BOTH = ['jwt-bearer', 'token-exchange'] as const;

describe('an access token of a partner', function () {
  this.timeout(20_000);
  let scene: ClientScene;
  before(async () => {
    scene = await ClientScene.start();
  });
  after(() => scene.stop());
  beforeEach(() => {
    scene.server.behaviour = undefined;
    scene.server.metadata = {};
    scene.server.seconds = 600;
    scene.server.tokenRequests.length = 0;
    scene.events.length = 0;
  });

  for (const grant of BOTH) {
    it(`is had for a security token of ours in the form ${grant} (B.7.4)`, async () => {
      const partner = scene.partner({ codePoints: { grant } });
      const token = await scene.tokens(partner).tokenFor(partner, RADIO);
      assert.equal(scene.server.userOf(token!), RADIO);
      const [request] = scene.server.tokenRequests;
      assert.equal(request!.form.get('scope'), '3gpp:mc:ptt_group_management_service');
      assert.equal(request!.form.get('client_id'), PARTNER_CLIENT);
    });

    it(`is had by a client assertion in place of a certificate, form ${grant}`, async () => {
      const partner = scene.partner({
        authenticate: 'private-key-jwt',
        tls: { caFile: 'ca' },
        codePoints: { grant },
      });
      const token = await scene.tokens(partner).tokenFor(partner, RADIO);
      assert.equal(scene.server.userOf(token!), RADIO);
      assert.equal(scene.server.tokenRequests[0]!.certificate, null);
    });
  }

  it('is asked for with every claim of table B.8-1, of our domain and for that IdM', async () => {
    const partner = scene.partner();
    await scene.tokens(partner).tokenFor(partner, RADIO);
    const { form } = scene.server.tokenRequests[0]!;
    const assertion = form.get('assertion')!;
    const claims = decodeJwt(assertion);
    assert.equal(claims.iss, OUR_ISSUER);
    assert.equal(claims.sub, RADIO);
    assert.equal(claims.mcptt_id, RADIO);
    assert.deepEqual(claims.aud, [PARTNER_CLIENT, scene.server.issuer]);
    assert.equal(claims.exp! - claims.iat!, 300);
    assert.deepEqual(decodeProtectedHeader(assertion), {
      alg: 'ES256',
      kid: (await scene.keys.signer()).kid,
      typ: 'JWT',
    });
  });

  it('is had for a security token out of a file where the profile says so', async () => {
    const own = scene.partner();
    const tokens = scene.tokens(own);
    await tokens.tokenFor(own, RADIO);
    const made = scene.server.tokenRequests[0]!.form.get('assertion')!;
    scene.files.set('radio1.jwt', `${made}\n`);
    const partner = scene.partner({
      securityToken: { from: 'files', files: [{ user: RADIO, file: 'radio1.jwt' }] },
    });
    const filed = scene.tokens(partner);
    assert.equal(scene.server.userOf((await filed.tokenFor(partner, RADIO))!), RADIO);
    assert.equal(scene.server.tokenRequests[1]!.form.get('assertion'), made);
    assert.equal(await filed.tokenFor(partner, 'sip:radio2@lmr.example'), null);
  });

  it('is had at a pinned endpoint without asking for metadata', async () => {
    scene.server.metadata = { issuer: 'https://other.example' };
    const partner = scene.partner({ tokenEndpoint: `${scene.server.issuer}/token` });
    assert.ok(await scene.tokens(partner).tokenFor(partner, RADIO));
  });

  it('is had from a server whose certificate is pinned in place of an authority', async () => {
    const pinned = scene.partner({
      tls: {
        certificateSha256: sha256Of(scene.server.certificate),
        certFile: 'cert',
        keyFile: 'key',
      },
    });
    assert.ok(await scene.tokens(pinned).tokenFor(pinned, RADIO));
  });

  it('is had at the endpoint for clients with a certificate where the metadata names one (RFC 8705)', async () => {
    scene.server.metadata = {
      token_endpoint: `${scene.server.issuer}/without`,
      mtls_endpoint_aliases: { token_endpoint: `${scene.server.issuer}/token` },
    };
    const partner = scene.partner();
    assert.ok(await scene.tokens(partner).tokenFor(partner, RADIO));
  });

  it('is kept, and forgotten half a minute after the profile under which it was issued', async () => {
    const timers = new FakeTimers();
    timers.now = Date.now();
    scene.env = { ...scene.env, ...fakeEnvironment(timers), log: scene.env.log };
    const partner = scene.partner();
    const tokens = scene.tokens(partner);
    const first = await tokens.tokenFor(partner, RADIO);
    assert.equal(await tokens.tokenFor(partner, RADIO), first);
    const other = scene.partner({ scopes: ['3gpp:mc:data_group_management_service'] });
    tokens.prepare([other])();
    assert.equal(await tokens.tokenFor(partner, RADIO), first, 'for what is withdrawn');
    timers.advance(30_000);
    assert.equal(await tokens.tokenFor(partner, RADIO), null);
    assert.notEqual(await tokens.tokenFor(other, RADIO), first);
    tokens.stop();
    assert.equal(await tokens.tokenFor(other, RADIO), null);
    assert.equal(timers.waiting, 0);
  });

  it('of a partner without IdM is none', async () => {
    const partner = { ...scene.partner(), idm: undefined };
    assert.equal(await scene.tokens(partner).tokenFor(partner, RADIO), null);
  });

  it('is never logged, and neither is what was stated for it', async () => {
    const partner = scene.partner({ authenticate: 'private-key-jwt' });
    const token = await scene.tokens(partner).tokenFor(partner, RADIO);
    const { form } = scene.server.tokenRequests[0]!;
    const logged = JSON.stringify(scene.events);
    assert.match(logged, /token\.issued/);
    for (const secret of [token!, form.get('assertion')!, form.get('client_assertion')!]) {
      assert.equal(logged.includes(secret), false);
    }
  });

  it('that is refused raises an alarm with the OAuth error, until one is issued', async () => {
    const told: [string, AlarmName, string][] = [];
    scene.alarms = {
      raise: (name, _subject, text) => void told.push(['raise', name, text]),
      clear: (name) => void told.push(['clear', name, '']),
    };
    const partner = scene.partner({
      securityToken: { from: 'own', issuer: 'https://unknown.example' },
    });
    assert.equal(await scene.tokens(partner).tokenFor(partner, RADIO), null);
    assert.match(told[0]![2], /^sip:radio1@lmr.example SEGY_E_ACCESS_TOKEN .*invalid_grant$/);
    const good = scene.partner();
    await scene.tokens(good).tokenFor(good, RADIO);
    assert.deepEqual(told.at(-1)!.slice(0, 2), ['clear', 'partner-tokens']);
  });
});
