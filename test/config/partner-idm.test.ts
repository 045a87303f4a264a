import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkCertificates } from '../../src/cli/check-certificates.js';
import { checkConfigText, parseConfig } from '../../src/config/index.js';
import { TestAuthority } from '../sip/support/certificates.js';

const SHA = 'ab'.repeat(32);
const IDM = {
  issuer: 'https://idm.mc-a.example',
  clientId: 'segy',
  securityToken: { from: 'own', issuer: 'https://idm.lmr.example' },
  tls: { caFile: '/ca.pem', certFile: '/c.pem', keyFile: '/k.pem' },
};
const DOCUMENTS = { xcapRoot: 'https://gms.mc-a.example/xcap/', tls: { certificateSha256: SHA } };

/** A configuration with such a partner. */
function textWith(partner: Record<string, unknown>): string {
  return JSON.stringify({
    pbx: {
      type: 'asterisk',
      ari: { url: 'http://127.0.0.1:8088', username: 'segy', passwordFile: '/ari' },
    },
    outer: {
      mediaAddress: '127.0.0.1',
      listeners: [{ transport: 'tcp', address: '127.0.0.1', port: 5060 }],
    },
    partners: [
      {
        name: 'mc-a',
        domains: ['mc-a.example'],
        kmsUris: ['kms.mc-a.example'],
        sip: {
          requestUri: 'sip:psi@mc-a.example',
          addresses: [{ host: '127.0.0.1', transport: 'tls' }],
        },
        ...partner,
      },
    ],
  });
}

/** Findings of that, each with its path and cure. */
function findings(partner: Record<string, unknown>): string[] {
  const result = checkConfigText(textWith(partner));
  return result.ok
    ? []
    : result.findings.map(({ path, message, cure }) => `${path}: ${message}; ${cure}`);
}

describe('config: identity management and documents of a partner', () => {
  it('are taken with the defaults of the specification', () => {
    assert.deepEqual(findings({ idm: IDM, groupDocuments: DOCUMENTS }), []);
  });

  for (const [section, settings] of [
    ['subscription', { enabled: true, accessToken: true }],
    ['affiliation', { mode: 'publish', accessToken: true }],
    ['groupDocuments', DOCUMENTS],
  ] as const) {
    it(`an access token in ${section} needs somebody who issues it`, () => {
      assert.match(findings({ [section]: settings }).join('\n'), /nobody issues one; add idm/);
      assert.deepEqual(findings({ [section]: settings, idm: IDM }), []);
    });
  }

  const mistakes: readonly [string, Record<string, unknown>, RegExp][] = [
    ['no authority and no pin', { tls: {} }, /idm\.tls: .*set caFile or certificateSha256/],
    [
      'both an authority and a pin',
      { tls: { ...IDM.tls, certificateSha256: SHA } },
      /idm\.tls: .*not said once/,
    ],
    ['a certificate without its key', { tls: { caFile: '/ca', certFile: '/c' } }, /needs its key/],
    ['authentication by TLS without a certificate', { tls: { caFile: '/ca' } }, /set certFile/],
    ['an issuer over HTTP', { issuer: 'http://idm.mc-a.example' }, /idm\.issuer/],
    ['an issuer with a password', { issuer: 'https://a:b@idm.mc-a.example' }, /idm\.issuer/],
    ['an issuer with a query', { issuer: 'https://idm.mc-a.example?x' }, /idm\.issuer/],
    ['a scope that would be two', { scopes: ['a b'] }, /idm\.scopes/],
    ['a client name that ends a line', { clientId: 'a\nb' }, /idm\.clientId/],
    ['files without any', { securityToken: { from: 'files', files: [] } }, /securityToken\.files/],
    ['another grant', { codePoints: { grant: 'password' } }, /codePoints\.grant/],
  ];
  for (const [what, change, expected] of mistakes) {
    it(`${what} is refused`, () => {
      assert.match(findings({ idm: { ...IDM, ...change } }).join('\n'), expected);
    });
  }

  for (const keyPath of [
    'keys',
    '../{group}',
    'a/../{group}',
    '/{group}',
    '{group}?x',
    'a b/{user}',
    '{group}#x',
  ]) {
    it(`the key path ${keyPath} is refused`, () => {
      const documents = { ...DOCUMENTS, keyPath };
      assert.match(findings({ idm: IDM, groupDocuments: documents }).join(), /keyPath/);
    });
  }

  it('are found wrong where a certificate ended, or the key is not its own', () => {
    const folder = mkdtempSync(join(tmpdir(), 'segy-partner-idm-'));
    const authority = new TestAuthority();
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const old = authority.issue('segy', 'DNS:segy.lmr.example', -1);
    const other = authority.issue('segy', 'DNS:segy.lmr.example');
    const tls = {
      caFile: file('ca.pem', authority.cert),
      certFile: file('old.pem', old.cert),
      keyFile: file('other.key', other.key),
    };
    const good = { ...tls, certFile: file('good.pem', other.cert) };
    const check = (section: Record<string, unknown>): string[] => {
      const text = textWith(section);
      const { findings: found } = checkCertificates(parseConfig(text, 'x'), text, Date.now());
      return found.map(({ path, message }) => `${path} ${message.replaceAll(folder, '')}`);
    };
    assert.match(
      check({ idm: { ...IDM, tls } }).join('\n'),
      /^partners\[0\]\.idm\.tls\.certFile the certificate ended .*\n.*keyFile \/other\.key is not the key of \/old\.pem$/,
    );
    assert.deepEqual(check({ idm: { ...IDM, tls: good } }), []);
    authority.remove();
    rmSync(folder, { recursive: true });
  });
});
