import assert from 'node:assert/strict';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import {
  ALICE,
  AUDIENCE,
  Identities,
  IdmRig,
  ISSUER,
  JWT_TYPE,
  PTT_SCOPE,
  TOKEN_ENDPOINT,
  type Answer,
} from './idm-rig.js';

describe('the token endpoint', () => {
  let identities: Identities;
  let rig: IdmRig;
  before(() => (identities = new Identities()));
  after(() => identities.remove());
  beforeEach(async () => (rig = await IdmRig.open({ identities })));
  afterEach(() => rig.stop());

  const tokenOf = ({ body }: Answer): string => String(body.access_token);

  it('gives an access token for a security token by the JWT bearer grant (RFC 7523)', async () => {
    const answer = await rig.ask({ scope: PTT_SCOPE });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const { access_token: token, ...rest } = answer.body;
    assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 600, scope: PTT_SCOPE });
    assert.equal(answer.headers['Cache-Control'], 'no-store');
    assert.equal(answer.headers.Pragma, 'no-cache');
    assert.deepEqual(decodeProtectedHeader(String(token)), {
      alg: 'ES256',
      typ: 'at+jwt',
      kid: rig.keys.current().kid,
    });
    const { jti, ...claims } = decodeJwt(String(token));
    assert.match(String(jti), /^[0-9a-f]{32}$/);
    assert.deepEqual(claims, {
      iss: ISSUER,
      aud: AUDIENCE,
      sub: 'alice-7',
      client_id: 'client-a',
      mcptt_id: ALICE,
      scope: PTT_SCOPE,
      iat: rig.seconds,
      exp: rig.seconds + 600,
    });
  });

  it('gives one by a token exchange (RFC 8693), and says its type', async () => {
    const token = await rig.securityToken();
    const answer = await rig.exchange(token, { resource: AUDIENCE });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answer.body.issued_token_type, 'urn:ietf:params:oauth:token-type:access_token');
    const { partner, serviceIds } = await rig.idm.guard.verify(tokenOf(answer));
    assert.deepEqual([partner, serviceIds], ['a', { MCPTT: ALICE }]);
  });

  it('gives one to a client that authenticates by private_key_jwt', async () => {
    for (const aud of [TOKEN_ENDPOINT, ISSUER, [TOKEN_ENDPOINT], [ISSUER, TOKEN_ENDPOINT]]) {
      const answer = await rig.askByAssertion({ client_assertion: await rig.assertion({ aud }) });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.equal((await rig.idm.guard.verify(tokenOf(answer))).clientId, 'client-j');
    }
  });

  it("gives one to a client whose certificate the partner's authority signed for its name", async () => {
    const request = { certificate: identities.second };
    assert.equal((await rig.ask({ client_id: 'client-n' }, request)).status, 200);
  });

  it('answers a security token again to the client that presented it, until its end', async () => {
    const assertion = await rig.securityToken();
    const first = tokenOf(await rig.ask({ assertion }));
    rig.room.timers.now += 320_000;
    const second = tokenOf(await rig.ask({ assertion }));
    assert.notEqual(first, second);
    rig.room.timers.now += 15_000;
    assert.equal((await rig.ask({ assertion })).body.error, 'invalid_grant');
  });

  it('remembers whose a security token is over a restart', async () => {
    const assertion = await rig.securityToken();
    await rig.ask({ assertion });
    rig.stop();
    await rig.start();
    const other = { certificate: identities.second };
    const refused = await rig.ask({ assertion, client_id: 'client-n' }, other);
    assert.equal(refused.body.error, 'invalid_grant');
    assert.equal((await rig.ask({ assertion })).status, 200);
  });

  it('grants what was asked for and may be had, and says what that is', async () => {
    const assertion = await rig.securityToken({ mcdata_id: ALICE });
    const data = '3gpp:mc:data_group_management_service';
    const video = '3gpp:mc:video_group_management_service';
    assert.equal((await rig.ask({ assertion })).body.scope, `${PTT_SCOPE} ${data}`);
    const asked = `openid ${data} ${video} ${data}`;
    assert.equal((await rig.ask({ assertion, scope: asked })).body.scope, data);
    const old = '3gpp:mcptt:group_management_server';
    assert.equal((await rig.ask({ assertion, scope: old })).body.scope, old);
    assert.equal((await rig.ask({ assertion, scope: video })).body.error, 'invalid_scope');
  });

  it('takes a token of another type or without one as the partner is configured', async () => {
    const untyped = await rig.securityToken({}, { typ: undefined });
    assert.equal((await rig.ask({ assertion: untyped })).status, 200);
    const upper = await rig.securityToken({}, { typ: 'application/jwt' });
    assert.equal((await rig.ask({ assertion: upper })).status, 200);
    const strict = await IdmRig.open({ identities, tokens: { untyped: false } });
    const token = await strict.securityToken({}, { typ: undefined });
    assert.equal((await strict.ask({ assertion: token })).body.error, 'invalid_grant');
    strict.stop();
  });

  it('allows clocks that are 30 s apart, and no more', async () => {
    const at = rig.seconds;
    const good = [
      { iat: at + 29, exp: at + 300 },
      { iat: at - 300, exp: at - 29 },
      { nbf: at + 29 },
    ];
    for (const claims of good) {
      assert.equal((await rig.ask({ assertion: await rig.securityToken(claims) })).status, 200);
    }
    const bad = [
      { iat: at + 32, exp: at + 300 },
      { iat: at - 300, exp: at - 31 },
      { nbf: at + 32 },
    ];
    for (const claims of bad) {
      const answer = await rig.ask({ assertion: await rig.securityToken(claims) });
      assert.equal(answer.body.error, 'invalid_grant');
    }
  });

  it("takes a subject as MC service ID of every service where the partner's tokens name no other", async () => {
    const other = await IdmRig.open({ identities, tokens: { subjectIsServiceId: true } });
    const claims = { sub: ALICE, mcptt_id: undefined };
    const answer = await other.ask({ assertion: await other.securityToken(claims) });
    const { serviceIds } = await other.idm.guard.verify(tokenOf(answer));
    assert.deepEqual(serviceIds, { MCPTT: ALICE, MCVideo: ALICE, MCData: ALICE });
    other.stop();
  });

  it('ends the tokens of a client with the client', async () => {
    const token = tokenOf(await rig.ask());
    await rig.idm.guard.verify(token);
    rig.idm.update(rig.partners.slice(1));
    await assert.rejects(rig.idm.guard.verify(token), { code: 'SEGY_E_TOKEN' });
    assert.equal((await rig.ask()).body.error, 'invalid_client');
  });

  it('gives out no token whose audit record is not on disk', async () => {
    rig.room.audit.record = () => Promise.reject(new Error('disk full'));
    await assert.rejects(rig.ask(), /disk full/);
  });

  it('records what it issued, to whom and for whom, and logs no token', async () => {
    const assertion = await rig.securityToken();
    const token = tokenOf(await rig.ask({ assertion }));
    await rig.ask({ assertion: `${assertion}x` });
    const { action, partner, user, detail } = rig.room.audit.events.at(-1) ?? {};
    assert.deepEqual([action, partner, user], ['token-issued', 'a', ALICE]);
    assert.equal(detail, `${String(decodeJwt(token).jti)} to client-a for ${PTT_SCOPE}`);
    const told = JSON.stringify([rig.logged, rig.room.audit.events, rig.metrics.expose()]);
    for (const part of [...assertion.split('.'), ...token.split('.')]) {
      assert.ok(!told.includes(part));
    }
  });

  it('counts requests by partner and outcome', async () => {
    await rig.ask();
    await rig.ask({ assertion: 'x.y.z' });
    await rig.ask({ client_id: 'nobody' });
    const count = (partner: string, outcome: string): number =>
      rig.metrics.value('segy_idm_requests_total', { partner, outcome });
    assert.deepEqual(
      [count('a', 'issued'), count('a', 'invalid_grant'), count('', 'invalid_client')],
      [1, 1, 1],
    );
  });

  it('answers one client no more often than it may ask, before it verifies anything', async () => {
    const [partner] = rig.partners;
    const clients = partner!.securityTokens.clients.map((client) => ({ ...client, burst: 3 }));
    rig.idm.update([{ ...partner!, securityTokens: { ...partner!.securityTokens, clients } }]);
    const statuses = [];
    for (let n = 0; n < 5; n += 1) statuses.push((await rig.ask()).status);
    assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
    const elsewhere = await rig.ask({}, { address: '192.0.2.8' });
    assert.equal(elsewhere.status, 429);
    rig.room.timers.now += 1000;
    assert.equal((await rig.ask()).status, 200);
  });

  it('is not worn out for a client by somebody who names it', async () => {
    for (let n = 0; n < 150; n += 1) {
      await rig.ask({ assertion: 'x' }, { certificate: null, address: '192.0.2.66' });
    }
    assert.equal((await rig.ask()).status, 200);
  });

  it('takes nothing new when it can remember no more, and the known again', async () => {
    const small = await IdmRig.open({ identities, idm: { remembered: 100 } });
    const first = await small.securityToken();
    assert.equal((await small.ask({ assertion: first })).status, 200);
    for (let n = 1; n < 25; n += 1) assert.equal((await small.ask()).status, 200);
    await assert.rejects(small.ask(), { code: 'SEGY_E_BUSY' });
    small.room.timers.now += 5000;
    assert.equal((await small.ask({ assertion: first })).status, 200);
    small.room.timers.now += 400_000;
    assert.equal((await small.ask()).status, 200);
    small.stop();
  });

  it('says 503 and not that a token is bad while the keys of its issuer cannot be had', async () => {
    const { SegyError } = await import('../../src/base/errors.js');
    const find = (): never => {
      throw new SegyError('SEGY_E_PARTNER_IDM', 'the keys of the partner cannot be fetched');
    };
    const other = await IdmRig.open({ identities, find });
    const answer = await other.ask();
    assert.deepEqual([answer.status, answer.refused?.code], [503, 'SEGY_E_PARTNER_IDM']);
    other.stop();
  });

  it('takes the names of grants and claims from the code points of the partner', async () => {
    const [partner] = rig.partners;
    const codePoints = {
      ...partner!.codePoints,
      grantJwtBearer: 'urn:example:grant',
      claimMcptt: 'mc_id',
    };
    rig.idm.update([{ ...partner!, codePoints }]);
    const assertion = await rig.securityToken({ mcptt_id: undefined, mc_id: ALICE });
    assert.equal((await rig.ask({ assertion, grant_type: 'urn:example:grant' })).status, 200);
    assert.equal((await rig.ask({ assertion })).body.error, 'unsupported_grant_type');
  });

  it('lets targets be named more than once where all of them are ours', async () => {
    const token = await rig.securityToken();
    const form = new URLSearchParams({
      ...{ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', client_id: 'client-a' },
      ...{ subject_token: token, subject_token_type: JWT_TYPE },
    });
    form.append('resource', AUDIENCE);
    form.append('resource', ISSUER);
    const body = new TextEncoder().encode(form.toString());
    assert.equal((await rig.send({ body, certificate: identities.pinned })).status, 200);
  });
});
