import assert from 'node:assert/strict';
import { createPublicKey, sign } from 'node:crypto';
import { exportPKCS8, exportSPKI, importJWK, UnsecuredJWT } from 'jose';
import type { CryptoKey } from 'jose';
import { utf8 } from '../../src/base/bytes.js';
import type { SegyErrorCode } from '../../src/base/errors.js';
import { makePartnerKey, signJwt } from './idm-scene.js';
import {
  ALICE,
  AUDIENCE,
  BOB,
  Identities,
  IdmRig,
  ISSUER,
  ISSUER_A,
  JWT_BEARER,
  JWT_TYPE,
  TOKEN_ENDPOINT,
  TOKEN_EXCHANGE,
  type Answer,
} from './idm-rig.js';

/** What an attack gets, and under which code the operator finds it. */
type Deserved = readonly [oauth: string, code: SegyErrorCode];

const FORGED: Deserved = ['invalid_grant', 'SEGY_E_TOKEN_SIGNATURE'];
const UNFIT: Deserved = ['invalid_grant', 'SEGY_E_TOKEN'];
const EXPIRED: Deserved = ['invalid_grant', 'SEGY_E_TOKEN_EXPIRED'];
const REPLAYED: Deserved = ['invalid_grant', 'SEGY_E_TOKEN_REPLAYED'];
const STRANGER: Deserved = ['invalid_client', 'SEGY_E_TOKEN_CLIENT'];
const MALFORMED: Deserved = ['invalid_request', 'SEGY_E_TOKEN_REQUEST'];

describe('attacks on the IdM', () => {
  let identities: Identities;
  let rig: IdmRig;
  let attacker: { readonly privateKey: CryptoKey };
  before(async () => {
    identities = new Identities();
    attacker = await makePartnerKey('a-1');
  });
  after(() => identities.remove());
  beforeEach(async () => (rig = await IdmRig.open({ identities })));
  afterEach(() => rig.stop());

  /** Refused as deserved; nothing issued; and the same client gets a token when it asks properly. */
  async function refused(answer: Answer, [oauth, code]: Deserved): Promise<void> {
    assert.equal(answer.body.error, oauth, JSON.stringify(answer));
    assert.equal(answer.status, oauth === 'invalid_client' ? 401 : 400);
    assert.equal(answer.refused?.code, code);
    assert.equal(answer.body.access_token, undefined);
    assert.equal(answer.headers['Cache-Control'], 'no-store');
    assert.equal('WWW-Authenticate' in answer.headers, oauth === 'invalid_client');
    assert.equal(issued(), 0);
    assert.equal((await rig.ask()).status, 200);
  }

  const issued = (): number =>
    rig.room.audit.events.filter(({ action }) => action === 'token-issued').length;

  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = (more: object = {}): object => ({
    ...{ iss: ISSUER_A, sub: 'alice-7', aud: ISSUER, mcptt_id: ALICE, jti: 'x' },
    ...{ iat: rig.seconds, exp: rig.seconds + 300 },
    ...more,
  });

  describe('with a security token', () => {
    const attempt = async (assertion: string, deserved: Deserved): Promise<void> =>
      refused(await rig.ask({ assertion }), deserved);

    it('alg none, with no signature', async () => {
      await attempt(new UnsecuredJWT({ ...claims() }).encode(), UNFIT);
    });

    it('alg NoNe, in a spelling that a filter may miss', async () => {
      await attempt(`${part({ alg: 'NoNe', typ: 'JWT' })}.${part(claims())}.`, UNFIT);
    });

    it('alg none, with the signature of a good token', async () => {
      const [, body, signature] = (await rig.securityToken()).split('.');
      await attempt(`${part({ alg: 'none', typ: 'JWT' })}.${body}.${signature}`, UNFIT);
    });

    it('the signature cut off a good token', async () => {
      const token = await rig.securityToken();
      await attempt(token.slice(0, token.lastIndexOf('.') + 1), FORGED);
    });

    it("HS256 with the issuer's public key, in PEM, as the secret", async () => {
      const key = (await importJWK(rig.tokenKey.jwk, 'ES256')) as CryptoKey;
      const secret = utf8(await exportSPKI(key));
      await attempt(await signJwt({ ...claims() }, secret, { alg: 'HS256', typ: 'JWT' }), UNFIT);
    });

    it("HS256 with the issuer's public key, as a JWK, as the secret", async () => {
      const secret = utf8(JSON.stringify(rig.tokenKey.jwk));
      await attempt(await signJwt({ ...claims() }, secret, { alg: 'HS256', kid: 'a-1' }), UNFIT);
    });

    it('HS256 with our own public key as the secret', async () => {
      const [jwk] = rig.keys.jwks().keys;
      const pem = createPublicKey({ key: jwk ?? {}, format: 'jwk' });
      const secret = utf8(pem.export({ type: 'spki', format: 'pem' }).toString());
      await attempt(await signJwt({ ...claims() }, secret, { alg: 'HS256' }), UNFIT);
    });

    it("another's key under the issuer's kid", async () => {
      await attempt(await rig.securityToken({}, {}, attacker.privateKey), FORGED);
    });

    it('its own key embedded as jwk', async () => {
      const { privateKey, jwk } = await makePartnerKey('evil');
      await attempt(await rig.securityToken({}, { kid: undefined, jwk }, privateKey), FORGED);
    });

    it('its own key set named by jku', async () => {
      const header = { kid: 'evil', jku: 'https://evil.example/jwks' };
      await attempt(await rig.securityToken({}, header, attacker.privateKey), FORGED);
    });

    it('its own certificate embedded as x5c', async () => {
      const made = identities.authority.issue('evil', 'DNS:evil.example');
      const x5c = [made.cert.replaceAll(/-----[^-]+-----|\s/g, '')];
      await attempt(
        await rig.securityToken({}, { kid: undefined, x5c }, attacker.privateKey),
        FORGED,
      );
    });

    it('a kid that reads like a path or a query', async () => {
      for (const kid of ['../../dev/null', "a-1' OR 1=1 --", '__proto__']) {
        const answer = await rig.ask({ assertion: await rig.securityToken({}, { kid }) });
        assert.equal(answer.body.error, 'invalid_grant');
      }
      await attempt(await rig.securityToken({}, { kid: 'a-1\u0000' }), FORGED);
    });

    it('a zero ECDSA signature, r = s = 0', async () => {
      const token = await rig.securityToken();
      const zero = Buffer.alloc(64).toString('base64url');
      await attempt(token.replace(/[^.]+$/, zero), FORGED);
    });

    it('an ECDSA signature in DER', async () => {
      const signed = `${part({ alg: 'ES256', typ: 'JWT', kid: 'a-1' })}.${part(claims())}`;
      const pem = await exportPKCS8(rig.tokenKey.privateKey);
      const der = sign('sha256', Buffer.from(signed), { key: pem, dsaEncoding: 'der' });
      await attempt(`${signed}.${der.toString('base64url')}`, FORGED);
    });

    it('a payload changed under a good signature', async () => {
      const [header, body = '', signature] = (await rig.securityToken()).split('.');
      const changed = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
      const other = part({ ...changed, mcptt_id: 'sip:chief@mc-a.example' });
      await attempt(`${header}.${other}.${signature}`, FORGED);
    });

    it('an algorithm of another family than the key', async () => {
      const signed = `${part({ alg: 'RS256', typ: 'JWT', kid: 'a-1' })}.${part(claims())}`;
      await attempt(`${signed}.${Buffer.alloc(256, 1).toString('base64url')}`, FORGED);
    });

    it('a critical header extension that nobody understands', async () => {
      const header = { alg: 'ES256', typ: 'JWT', crit: ['exp'], exp: 1 };
      const [, , signature] = (await rig.securityToken()).split('.');
      await attempt(`${part(header)}.${part(claims())}.${signature}`, UNFIT);
    });

    it('an unencoded payload (b64 false)', async () => {
      const header = { alg: 'ES256', typ: 'JWT', crit: ['b64'], b64: false };
      const [, , signature] = (await rig.securityToken()).split('.');
      await attempt(`${part(header)}.${part(claims())}.${signature}`, UNFIT);
    });

    /** What the issuer itself signed: these JSON texts, to the letter. */
    async function signedText(payload: string | Uint8Array, header?: string): Promise<string> {
      const text = header ?? '{"alg":"ES256","typ":"JWT","kid":"a-1"}';
      const encoded = [text, payload].map((each) => Buffer.from(each).toString('base64url'));
      const signed = encoded.join('.');
      const key = await exportPKCS8(rig.tokenKey.privateKey);
      const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
      return `${signed}.${signature.toString('base64url')}`;
    }

    /** Each is refused as unfit. */
    async function attempts(tokens: readonly string[]): Promise<void> {
      for (const assertion of tokens) {
        const answer = await rig.ask({ assertion });
        assert.deepEqual([answer.body.error, answer.refused?.code], UNFIT, assertion);
      }
      assert.equal(issued(), 0);
    }

    it('a claim that comes twice, however it is escaped', async () => {
      const text = JSON.stringify(claims());
      const twice = [
        `"mcptt_id":"${BOB}"`,
        `"mcptt_i\\u0064":"${ALICE}"`,
        '"exp":99999999999',
        '"x":{"y":[{"z":1,"w":2},{"z":1,"z":1}]}',
      ];
      await attempts(
        await Promise.all(twice.map((more) => signedText(`${text.slice(0, -1)},${more}}`))),
      );
      const nested = '"x":{"iss":[{"iss":1},{"iss":2}],"y":"\\"iss\\":{,"}';
      const good = await signedText(`${text.slice(0, -1)},${nested}}`);
      assert.equal((await rig.ask({ assertion: good })).status, 200);
    });

    it('a header parameter that comes twice', async () => {
      const header = '{"alg":"none","typ":"JWT","kid":"a-1","alg":"ES256"}';
      await attempt(await signedText(JSON.stringify(claims()), header), UNFIT);
    });

    it('claims behind a byte order mark, or that are not UTF-8 or no object', async () => {
      const text = JSON.stringify(claims());
      const others = [
        `\ufeff${text}`,
        Buffer.from(text.replace('{', '{"x":"\xff",'), 'latin1'),
        ...['[]', 'null', '"text"', '0'],
      ];
      await attempts(await Promise.all(others.map((other) => signedText(other))));
    });

    it('a header that says the payload is compressed, encrypted or not encoded', async () => {
      const members = ['"zip":"DEF"', '"enc":"A128GCM"', '"b64":false', '"b64":true'];
      const text = JSON.stringify(claims());
      const header = (more: string): string => `{"alg":"ES256","typ":"JWT","kid":"a-1",${more}}`;
      await attempts(await Promise.all(members.map((more) => signedText(text, header(more)))));
    });

    it('a token within another (RFC 7519 clause 5.2)', async () => {
      const header = '{"alg":"ES256","typ":"JWT","cty":"JWT","kid":"a-1"}';
      await attempt(await signedText(await rig.securityToken(), header), UNFIT);
    });

    it('another way to write a good token: padded, with blanks, in the other alphabet', async () => {
      const token = await rig.securityToken();
      const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const twin = last[last.indexOf(token.at(-1) ?? '') ^ 1] ?? '';
      const others = [
        `${token}==`,
        `${token} `,
        ` ${token}`,
        `${token.slice(0, -1)}${twin}`,
        `${token}.`,
      ];
      await attempts(others);
    });

    it('an encrypted token in place of a signed one', async () => {
      await attempt(`${part({ alg: 'dir', enc: 'A128GCM' })}..AAAA.AAAA.AAAA`, UNFIT);
    });

    it('a token of another type, such as an access token of the partner', async () => {
      await attempt(await rig.securityToken({}, { typ: 'at+jwt' }), UNFIT);
    });

    it('a token of another issuer', async () => {
      await attempt(await rig.securityToken({ iss: 'https://idm.mc-b.example' }), UNFIT);
    });

    it("another partner's good token", async () => {
      const token = await rig.securityToken(
        { iss: 'https://idm.mc-b.example', mcptt_id: BOB },
        { kid: 'b-1' },
        rig.tokenKeyB.privateKey,
      );
      await attempt(token, UNFIT);
    });

    it("the issuer's name under another partner's key", async () => {
      await attempt(await rig.securityToken({}, { kid: 'b-1' }, rig.tokenKeyB.privateKey), FORGED);
    });

    it('a list of issuers with the right one in it', async () => {
      await attempt(await rig.securityToken({ iss: [ISSUER_A, 'https://evil.example'] }), UNFIT);
    });

    it('a token for another IdM', async () => {
      await attempt(await rig.securityToken({ aud: ['client-a', 'https://idm.other'] }), UNFIT);
    });

    it('a token for an address that begins with ours', async () => {
      await attempt(await rig.securityToken({ aud: `${ISSUER}.evil.example` }), UNFIT);
    });

    it('a token without an audience', async () => {
      await attempt(await rig.securityToken({ aud: undefined }), UNFIT);
    });

    it('an expired token', async () => {
      const times = { iat: rig.seconds - 400, exp: rig.seconds - 31 };
      await attempt(await rig.securityToken(times), EXPIRED);
    });

    it('a token without an end', async () => {
      await attempt(await rig.securityToken({ exp: undefined }), UNFIT);
    });

    it('a token whose end is a text, or beyond all numbers', async () => {
      const times = [`${rig.seconds + 300}`, 1e300, -1, null];
      for (const exp of times) {
        const answer = await rig.ask({ assertion: await rig.securityToken({ exp }) });
        assert.deepEqual(answer.body.error, 'invalid_grant');
      }
      await attempt(await rig.securityToken({ exp: true }), UNFIT);
    });

    it('a token that is not valid yet', async () => {
      await attempt(await rig.securityToken({ nbf: rig.seconds + 120 }), UNFIT);
    });

    it('a token that was issued in the future', async () => {
      const times = { iat: rig.seconds + 120, exp: rig.seconds + 300 };
      await attempt(await rig.securityToken(times), UNFIT);
    });

    it('a token that lives for a year', async () => {
      await attempt(await rig.securityToken({ exp: rig.seconds + 366 * 86_400 }), UNFIT);
    });

    it("a user of another partner, in the partner's own good token", async () => {
      await attempt(await rig.securityToken({ mcptt_id: BOB }), UNFIT);
    });

    it('a user of another partner for one service beside a good one', async () => {
      await attempt(await rig.securityToken({ mcdata_id: BOB }), UNFIT);
    });

    it('a user that two readers would find in two domains', async () => {
      await attempt(await rig.securityToken({ mcptt_id: `${ALICE}\u0000@mc-a.example` }), UNFIT);
    });

    it('no user, with the subject of one', async () => {
      await attempt(await rig.securityToken({ sub: ALICE, mcptt_id: undefined }), UNFIT);
    });

    it('a subject longer than 255 octets', async () => {
      await attempt(await rig.securityToken({ sub: 'é'.repeat(128) }), UNFIT);
    });

    it('our own access token', async () => {
      const { kid, privateKey } = rig.keys.current();
      const own = await signJwt(
        { ...claims({ iss: ISSUER, aud: AUDIENCE, client_id: 'client-a' }) },
        privateKey,
        { typ: 'at+jwt', kid },
      );
      await attempt(own, UNFIT);
    });

    it('a token of 8193 octets', async () => {
      const answer = await rig.ask({ assertion: 'x'.repeat(8193) });
      await refused(answer, MALFORMED);
    });

    it('a claim set of a thousand nested lists', async () => {
      const nested = `{"iss":${'['.repeat(1000)}${']'.repeat(1000)}}`;
      const body = Buffer.from(nested).toString('base64url');
      await attempt(`${part({ alg: 'ES256', typ: 'JWT' })}.${body}.AAAA`, UNFIT);
    });

    it('claims that are set on the prototype', async () => {
      const body = Buffer.from(`{"__proto__":${JSON.stringify(claims())}}`).toString('base64url');
      await attempt(`${part({ alg: 'ES256', typ: 'JWT' })}.${body}.AAAA`, UNFIT);
    });
  });

  describe('that present a token again', () => {
    const byName = { client_id: 'client-n' };

    it('another client with the first one’s token', async () => {
      const assertion = await rig.securityToken();
      assert.equal((await rig.ask({ assertion })).status, 200);
      const answer = await rig.ask({ assertion, ...byName }, { certificate: identities.second });
      assert.deepEqual([answer.body.error, answer.refused?.code], REPLAYED);
    });

    it('another client by the other grant', async () => {
      const assertion = await rig.securityToken();
      await rig.ask({ assertion });
      const answer = await rig.post(
        {
          ...{ grant_type: TOKEN_EXCHANGE, ...byName },
          ...{ subject_token: assertion, subject_token_type: JWT_TYPE },
        },
        { certificate: identities.second },
      );
      assert.deepEqual([answer.body.error, answer.refused?.code], REPLAYED);
    });

    it('two clients at the very same time: one of them gets nothing', async () => {
      const assertion = await rig.securityToken();
      const answers = await Promise.all([
        rig.ask({ assertion }),
        rig.ask({ assertion, ...byName }, { certificate: identities.second }),
      ]);
      const got = answers.map(({ status, body }) => [status, body.error]);
      assert.deepEqual(got.sort(), [
        [200, undefined],
        [400, 'invalid_grant'],
      ]);
    });

    it('another client with the second signature that ECDSA gives to anybody', async () => {
      const assertion = await rig.securityToken();
      await rig.ask({ assertion });
      const twin = secondSignature(assertion);
      assert.notEqual(twin, assertion);
      assert.equal((await rig.ask({ assertion: twin })).status, 200, 'the twin does not verify');
      const answer = await rig.ask(
        { assertion: twin, ...byName },
        { certificate: identities.second },
      );
      assert.deepEqual([answer.body.error, answer.refused?.code], REPLAYED);
    });

    it('the same client, where the partner’s tokens are good once', async () => {
      const once = await IdmRig.open({ identities, tokens: { singleUse: true } });
      const assertion = await once.securityToken();
      assert.equal((await once.ask({ assertion })).status, 200);
      const answer = await once.ask({ assertion });
      assert.deepEqual([answer.body.error, answer.refused?.code], REPLAYED);
      const twin = await once.ask({ assertion: secondSignature(assertion) });
      assert.equal(twin.body.error, 'invalid_grant');
      once.stop();
    });

    it('a new token under an identifier that was used, where each is good once', async () => {
      const once = await IdmRig.open({ identities, tokens: { singleUse: true } });
      await once.ask({ assertion: await once.securityToken({ jti: 'same' }) });
      const answer = await once.ask({
        assertion: await once.securityToken({ jti: 'same', sub: 'b' }),
      });
      assert.deepEqual([answer.body.error, answer.refused?.code], REPLAYED);
      const none = await once.ask({ assertion: await once.securityToken({ jti: undefined }) });
      assert.deepEqual([none.body.error, none.refused?.code], UNFIT);
      once.stop();
    });

    it('a token for another client, where the audience names the client', async () => {
      const named = await IdmRig.open({ identities, tokens: { namesClient: true } });
      const assertion = await named.securityToken({ aud: ['client-n', ISSUER] });
      const answer = await named.ask({ assertion });
      assert.deepEqual([answer.body.error, answer.refused?.code], UNFIT);
      named.stop();
    });
  });

  describe('as a client that it is not', () => {
    it('without any authentication', async () => {
      await refused(await rig.ask({}, { certificate: null }), STRANGER);
    });

    it('without a name', async () => {
      await refused(await rig.ask({ client_id: undefined }), STRANGER);
    });

    it('with a name that is a property of every object', async () => {
      await refused(await rig.ask({ client_id: '__proto__' }), STRANGER);
    });

    it("with another client's certificate", async () => {
      await refused(await rig.ask({}, { certificate: identities.bob }), STRANGER);
    });

    it('as client of one partner with the security token of another', async () => {
      const request = { certificate: identities.bob };
      await refused(await rig.ask({ client_id: 'client-b' }, request), UNFIT);
    });

    it('with a certificate of the pinned name under another authority', async () => {
      const request = { certificate: { ...identities.foreign, authorized: true } };
      await refused(await rig.ask({ client_id: 'client-n' }, request), STRANGER);
    });

    it('with a certificate that did not verify in the handshake', async () => {
      const request = { certificate: { ...identities.second, authorized: false } };
      await refused(await rig.ask({ client_id: 'client-n' }, request), STRANGER);
    });

    it('with an expired certificate', async () => {
      const request = { certificate: identities.expired };
      await refused(await rig.ask({ client_id: 'client-n' }, request), STRANGER);
    });

    it('with a client secret in the form', async () => {
      await refused(await rig.ask({ client_secret: 'hunter2' }), STRANGER);
    });

    it('with a client secret by HTTP Basic, and is told the scheme that it tried', async () => {
      const headers: Record<string, string> = {
        authorization: `Basic ${Buffer.from('client-a:hunter2').toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      };
      const answer = await rig.ask({}, { header: (name) => headers[name] });
      await refused(answer, STRANGER);
      assert.match(answer.headers['WWW-Authenticate'] ?? '', /^Basic realm=/);
    });

    it('by two ways at once', async () => {
      const answer = await rig.askByAssertion({ client_secret: 'hunter2' });
      await refused(answer, MALFORMED);
    });

    it('by an assertion where its certificate is what counts', async () => {
      const client_assertion = await rig.assertion({ iss: 'client-a', sub: 'client-a' });
      await refused(await rig.askByAssertion({ client_assertion }), STRANGER);
    });

    it('by a certificate where its assertion is what counts', async () => {
      await refused(await rig.ask({ client_id: 'client-j' }), STRANGER);
    });

    it('by an assertion of one client under the name of another', async () => {
      await refused(await rig.askByAssertion({ client_id: 'client-a' }), STRANGER);
    });

    const assertions: readonly [string, object, object][] = [
      ['of another subject', { iss: 'client-a' }, {}],
      ['for another audience', { aud: 'https://idm.other/token' }, {}],
      ['for us and for others', { aud: [TOKEN_ENDPOINT, 'https://idm.other/token'] }, {}],
      ['for nobody', { aud: [] }, {}],
      ['that is past its end', { exp: 1 }, {}],
      ['without an end', { exp: undefined }, {}],
      ['that lives for a day', { exp: 86_400 * 365 * 100 }, {}],
      ['without an identifier', { jti: undefined }, {}],
      ['that is not valid yet', { nbf: 86_400 * 365 * 100 }, {}],
      ['under a kid that is none of its keys', {}, { kid: 'evil' }],
      ['with a critical extension', {}, { crit: ['evil'], evil: true }],
    ];
    for (const [what, changes, header] of assertions) {
      it(`by an assertion ${what}`, async () => {
        const client_assertion = await rig
          .assertion({ ...changes }, { ...header })
          .catch(async () => {
            const [, body, signature] = (await rig.assertion()).split('.');
            return `${part({ alg: 'ES256', typ: 'JWT', ...header })}.${body}.${signature}`;
          });
        await refused(await rig.askByAssertion({ client_assertion }), STRANGER);
      });
    }

    it("by an assertion under another's key", async () => {
      const client_assertion = await rig.assertion({}, {}, attacker.privateKey);
      await refused(await rig.askByAssertion({ client_assertion }), STRANGER);
    });

    it('by an assertion with HS256 under its public key', async () => {
      const secret = utf8(JSON.stringify(rig.clientKey.jwk));
      const client_assertion = await rig.assertion({}, { alg: 'HS256' }, secret);
      await refused(await rig.askByAssertion({ client_assertion }), STRANGER);
    });

    it('by an assertion with alg none', async () => {
      const [, body] = (await rig.assertion()).split('.');
      const client_assertion = `${part({ alg: 'none' })}.${body}.`;
      await refused(await rig.askByAssertion({ client_assertion }), STRANGER);
    });

    it('by an assertion that was used before, also over a restart', async () => {
      const client_assertion = await rig.assertion();
      assert.equal((await rig.askByAssertion({ client_assertion })).status, 200);
      const again = await rig.askByAssertion({ client_assertion });
      assert.deepEqual([again.status, again.body.error], [401, 'invalid_client']);
      rig.stop();
      await rig.start();
      const twin = secondSignature(client_assertion);
      const after = await rig.askByAssertion({ client_assertion: twin });
      assert.deepEqual([after.status, after.body.error], [401, 'invalid_client']);
    });

    it('by an assertion of an unknown kind', async () => {
      const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer';
      await refused(await rig.askByAssertion({ client_assertion_type }), STRANGER);
    });

    it('by an assertion without its kind', async () => {
      await refused(await rig.askByAssertion({ client_assertion_type: undefined }), MALFORMED);
    });

    it('by the security token itself as an assertion', async () => {
      const client_assertion = await rig.securityToken({ sub: 'client-j', aud: TOKEN_ENDPOINT });
      await refused(await rig.askByAssertion({ client_assertion }), STRANGER);
    });
  });

  describe('with a request that can be read in two ways, or not at all', () => {
    const form = (text: string, request = {}): Promise<Answer> =>
      rig.send({ body: utf8(text), certificate: identities.pinned, ...request });
    const good = `client_id=client-a&grant_type=${encodeURIComponent(JWT_BEARER)}`;

    it('a form under a content coding', async () => {
      const fields = new Map([
        ['content-type', 'application/x-www-form-urlencoded'],
        ['content-encoding', 'gzip'],
      ]);
      const answer = await rig.ask({}, { header: (name) => fields.get(name) });
      assert.deepEqual([answer.status, answer.body.error], [415, 'invalid_request']);
      assert.equal(issued(), 0);
    });

    it('a grant type that comes twice', async () => {
      await refused(await form(`${good}&grant_type=authorization_code`), MALFORMED);
    });

    it('an assertion that comes twice', async () => {
      await refused(await form(`${good}&assertion=a&assertion=b`), MALFORMED);
    });

    it('a name that comes twice, once percent-encoded', async () => {
      await refused(await form(`${good}&assertion=a&%61ssertion=b`), MALFORMED);
    });

    it('a target that comes a hundred times', async () => {
      const many = '&resource=a'.repeat(20);
      await refused(await form(`${good}&assertion=a${many}`), MALFORMED);
    });

    it('parameters without number', async () => {
      const many = Array.from({ length: 1000 }, (_, n) => `&p${n}=1`).join('');
      await refused(await form(`${good}${many}`), MALFORMED);
    });

    it('octets that are no UTF-8', async () => {
      await refused(await form(`${good}&assertion=%ff%fe`), MALFORMED);
    });

    it('a percent sign that encodes nothing', async () => {
      await refused(await form(`${good}&assertion=%zz`), MALFORMED);
    });

    it('a line feed in a parameter', async () => {
      await refused(await form(`${good}&assertion=a%0d%0aSet-Cookie:x`), MALFORMED);
    });

    it('parameters in the URI', async () => {
      const query = 'client_id=client-a';
      await refused(await rig.ask({}, { query }), MALFORMED);
    });

    it('no grant type', async () => {
      await refused(await rig.ask({ grant_type: undefined }), MALFORMED);
    });

    it('a grant type that gives tokens without a security token', async () => {
      for (const grant_type of ['client_credentials', 'password', 'refresh_token', 'JWT-BEARER']) {
        const answer = await rig.ask({ grant_type });
        assert.equal(answer.body.error, 'unsupported_grant_type');
      }
      const answer = await rig.ask({ grant_type: 'authorization_code', code: 'x' });
      await refused(answer, ['unsupported_grant_type', 'SEGY_E_TOKEN_REQUEST']);
    });

    it('no assertion, or an empty one', async () => {
      await refused(await rig.ask({ assertion: '' }), MALFORMED);
    });

    it('a scope of the whole system', async () => {
      const answer = await rig.ask({ scope: '3gpp:mc:ptt_key_management_service openid admin' });
      await refused(answer, ['invalid_scope', 'SEGY_E_TOKEN_REQUEST']);
    });

    it('a scope with a quotation mark in it', async () => {
      const answer = await rig.ask({ scope: '3gpp:mc:ptt_group_management_service "' });
      await refused(answer, ['invalid_scope', 'SEGY_E_TOKEN_REQUEST']);
    });

    it('a target that is not ours', async () => {
      const token = await rig.securityToken();
      const answer = await rig.exchange(token, { resource: 'https://gms.other/xcap' });
      await refused(answer, ['invalid_target', 'SEGY_E_TOKEN_REQUEST']);
    });

    it('JSON in place of a form', async () => {
      const header = (name: string): string | undefined =>
        name === 'content-type' ? 'application/json' : undefined;
      const answer = await form('{"grant_type":"x"}', { header });
      assert.deepEqual([answer.status, answer.body.error], [415, 'invalid_request']);
    });

    it('a GET', async () => {
      const answer = await rig.send({ method: 'GET' });
      assert.deepEqual([answer.status, answer.headers.Allow], [405, 'POST']);
    });
  });

  describe('by token exchange', () => {
    const FAULT: Deserved = ['invalid_request', 'SEGY_E_TOKEN'];

    it('a subject token that is none (RFC 8693 clause 2.2.2)', async () => {
      await refused(await rig.exchange('a.b.c'), FAULT);
    });

    it('a subject token of another issuer', async () => {
      const token = await rig.securityToken({ iss: 'https://evil.example' });
      await refused(await rig.exchange(token), FAULT);
    });

    it('a forged subject token', async () => {
      const token = await rig.securityToken({}, {}, attacker.privateKey);
      await refused(await rig.exchange(token), ['invalid_request', 'SEGY_E_TOKEN_SIGNATURE']);
    });

    it('a subject token under a type that is not taken', async () => {
      const token = await rig.securityToken();
      const subject_token_type = 'urn:ietf:params:oauth:token-type:saml2';
      await refused(await rig.exchange(token, { subject_token_type }), MALFORMED);
    });

    it('a subject token without its type', async () => {
      const token = await rig.securityToken();
      await refused(await rig.exchange(token, { subject_token_type: undefined }), MALFORMED);
    });

    it('an actor that would act for the user', async () => {
      const token = await rig.securityToken();
      const actor = { actor_token: token, actor_token_type: JWT_TYPE };
      await refused(await rig.exchange(token, actor), MALFORMED);
    });

    it('a refresh token asked for', async () => {
      const token = await rig.securityToken();
      const requested_token_type = 'urn:ietf:params:oauth:token-type:refresh_token';
      await refused(await rig.exchange(token, { requested_token_type }), MALFORMED);
    });
  });

  it('a flood of bad assertions costs no signature check beyond the rate of the client', async () => {
    let checks = 0;
    const find = (): never => {
      checks += 1;
      throw new Error('not reached in vain');
    };
    const counted = await IdmRig.open({ identities, find });
    for (let n = 0; n < 200; n += 1) {
      const answer = await counted.ask({ assertion: await counted.securityToken({ aud: 'x' }) });
      assert.ok(answer.status === 400 || answer.status === 429);
    }
    assert.equal(checks, 0);
    counted.stop();
  });
});

/** From (r, s) the signature (r, n − s), which verifies as well: P-256. */
function secondSignature(token: string): string {
  const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const at = token.lastIndexOf('.') + 1;
  const signature = Buffer.from(token.slice(at), 'base64url');
  const s = BigInt(`0x${signature.subarray(32).toString('hex')}`);
  const other = (N - s).toString(16).padStart(64, '0');
  const twin = Buffer.concat([signature.subarray(0, 32), Buffer.from(other, 'hex')]);
  return token.slice(0, at) + twin.toString('base64url');
}
