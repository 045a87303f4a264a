import assert from 'node:assert/strict';
import { idmSchema, securityTokensSchema } from '../../src/config/idm-schema.js';
import { checkConfigText } from '../../src/config/index.js';

const ISSUER = 'https://idm.segy.example';
const client = { id: 'a', keysFile: '/a.jwks' };
const tokens = { issuer: 'https://idm.mc-a.example', keysFile: '/k.jwks', clients: [client] };

describe('the settings of the IdM', () => {
  it('have defaults for all but the address', () => {
    assert.deepEqual(idmSchema.parse({ issuer: ISSUER }), {
      issuer: ISSUER,
      addresses: [],
      accessTokenSeconds: 600,
      rotateSeconds: 30 * 86_400,
      remembered: 100_000,
    });
  });

  for (const issuer of [
    ...['http://idm.segy.example', `${ISSUER}/`, `${ISSUER}?a=b`, `${ISSUER}#a`, 'idm.segy'],
  ]) {
    it(`do not take ${issuer} as its address (RFC 8414 clause 2)`, () => {
      assert.ok(!idmSchema.safeParse({ issuer }).success);
    });
  }

  const wrong: readonly [string, object][] = [
    ['an algorithm by which whoever verifies could sign', { algorithms: ['HS256'] }],
    ['alg none', { algorithms: ['none'] }],
    ['no keys', { keysFile: undefined }],
    ['keys from two places', { keysUrl: 'https://idm.mc-a.example/jwks' }],
    ['keys over clear HTTP', { keysFile: undefined, keysUrl: 'http://idm.mc-a.example/jwks' }],
    ['no client', { clients: [] }],
    ['a client without a way to authenticate', { clients: [{ id: 'a' }] }],
    ['a client with two', { clients: [{ ...client, certificate: { sha256: 'a'.repeat(64) } }] }],
    ['a name under no authority', { clients: [{ id: 'a', certificate: { dnsName: 'a.b' } }] }],
    ['a fingerprint that is none', { clients: [{ id: 'a', certificate: { sha256: 'abc' } }] }],
  ];
  for (const [what, more] of wrong) {
    it(`do not take ${what}`, () => {
      assert.ok(securityTokensSchema.safeParse(tokens).success);
      assert.ok(!securityTokensSchema.safeParse({ ...tokens, ...more }).success);
    });
  }

  it('read a fingerprint as openssl prints it', () => {
    const sha256 = Array.from({ length: 32 }, () => 'AB').join(':');
    const parsed = securityTokensSchema.parse({
      ...tokens,
      clients: [{ id: 'a', certificate: { sha256 } }],
    });
    assert.deepEqual(parsed.clients[0]?.certificate, { sha256: 'ab'.repeat(32) });
  });

  /** What is wrong with a whole configuration of these partners. */
  function findings(partners: readonly object[], more: object = {}): string[] {
    const named = partners.map((securityTokens, index) => ({
      name: `mc-${index}`,
      domains: [`mc-${index}.example`],
      kmsUris: [`kms.mc-${index}.example`],
      sip: { addresses: [{ host: '127.0.0.1' }], requestUri: 'sip:x@mc.example' },
      securityTokens,
    }));
    const config = {
      pbx: {
        type: 'asterisk',
        ari: { url: 'http://127.0.0.1:8088', username: 'segy', passwordFile: '/x' },
      },
      outer: {
        mediaAddress: '127.0.0.1',
        listeners: [{ transport: 'udp', address: '127.0.0.1', port: 5060 }],
      },
      https: { address: '127.0.0.1', tls: { certFile: '/c', keyFile: '/k' } },
      idm: { issuer: ISSUER },
      partners: named,
      ...more,
    };
    const result = checkConfigText(JSON.stringify(config));
    return 'findings' in result ? result.findings.map(({ message }) => message) : [];
  }

  it('take an IdM with partners whose issuers and clients differ', () => {
    const other = { ...tokens, issuer: 'https://b', clients: [{ ...client, id: 'b' }] };
    assert.deepEqual(findings([tokens, other]), []);
  });

  it('let a client ID stand for one client, and an issuer for one partner', () => {
    const found = findings([tokens, tokens]);
    assert.ok(
      found.some((message) => message.includes('a is already a client')),
      found.join(),
    );
    assert.ok(found.some((message) => message.includes('is that of another partner')));
    const own = findings([{ ...tokens, issuer: ISSUER }]);
    assert.ok(own.some((message) => message.includes('is our own')));
  });

  it('do not take a certificate that the listener could not check', () => {
    const byName = { id: 'a', certificate: { dnsName: 'a.example' } };
    const named = { ...tokens, clientAuthorityFile: '/ca', clients: [byName] };
    assert.match(findings([named]).join(), /set https.tls.caFile/);
    const https = (more: object): object => ({
      https: { address: '127.0.0.1', tls: { certFile: '/c', keyFile: '/k', ...more } },
    });
    assert.deepEqual(findings([named], https({ caFile: '/ca' })), []);
    const none = https({ caFile: '/ca', clientCertificates: 'none' });
    assert.match(findings([named], none).join(), /asks for no certificate/);
  });

  it('do not take tokens that no IdM of ours would take', () => {
    const found = findings([tokens], { idm: undefined, https: undefined });
    assert.ok(
      found.some((message) => message.includes('there is no idm')),
      found.join(),
    );
  });
});
