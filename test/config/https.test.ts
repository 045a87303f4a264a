import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkCertificates } from '../../src/cli/check-certificates.js';
import { certificateFiles } from '../../src/cli/certificate-watch.js';
import { fixedDifferences } from '../../src/cli/reload.js';
import { checkReferencedFiles, checkRules, parseConfig } from '../../src/config/index.js';
import { httpsSchema } from '../../src/config/https-schema.js';
import { TestAuthority } from '../sip/support/certificates.js';

const TLS = { certFile: '/tls.crt', keyFile: '/tls.key' };
const GMS = { uri: 'sip:gms@lmr.example', xcapRoot: 'https://gms.lmr.example/xcap-root' };
const IDM = { issuer: 'https://idm.lmr.example' };

function textOf(more: object): string {
  return JSON.stringify({
    pbx: {
      type: 'asterisk',
      ari: { url: 'http://127.0.0.1:8088', username: 'segy', passwordFile: '/x' },
    },
    outer: {
      mediaAddress: '192.0.2.1',
      listeners: [{ transport: 'tcp', address: '192.0.2.1', port: 5060 }],
    },
    ...more,
  });
}
const parse = (more: object) => parseConfig(textOf(more), 'segy.json');
const https = (more: object = {}) => ({ address: '192.0.2.1', tls: TLS, ...more });

describe('the settings of the HTTPS listener', () => {
  it('let nothing listen unless they are there', () => {
    assert.equal(parse({}).https, undefined);
  });

  it('have sane limits where they say none', () => {
    const { port, rate, limits, tls } = httpsSchema.parse(https());
    assert.equal(port, 8443);
    assert.equal(tls.clientCertificates, 'optional');
    assert.equal(tls.minVersion, 'TLSv1.2');
    assert.deepEqual(rate, {
      requestsPerSecond: 20,
      burst: 100,
      handshakesPerSecond: 5,
      connections: 16,
    });
    assert.ok(limits.connections <= 1000 && limits.parallel <= 64);
  });

  const wrong: readonly [string, object, RegExp][] = [
    ['an address that is a name', { https: https({ address: 'gw' }), idm: IDM }, /IP address/],
    [
      'required certificates of nobody',
      { https: https({ tls: { ...TLS, clientCertificates: 'required' } }), idm: IDM },
      /authorities/,
    ],
    [
      'a known address twice',
      { https: https({ known: [{ address: '::1' }, { address: '::1' }] }), idm: IDM },
      /twice/,
    ],
    ['TLS 1.1', { https: https({ tls: { ...TLS, minVersion: 'TLSv1.1' } }), idm: IDM }, /./],
    ['nothing to serve', { https: https() }, /serve nothing/],
    ['group documents that nobody has a token for', { https: https(), gms: GMS }, /access tokens/],
    ['an IdM that nobody reaches', { idm: IDM }, /no https/],
    [
      'rolls that hide the documents',
      { https: https(), idm: IDM, gms: { ...GMS, rollRoot: 'https://gms.lmr.example/' } },
      /lies below it/,
    ],
    ['an XCAP root with a query', { gms: { ...GMS, xcapRoot: 'https://a/b?c' } }, /no query/],
    ['an XCAP root without TLS', { gms: { ...GMS, xcapRoot: 'http://a/b' } }, /URL|url/],
  ];
  for (const [what, more, message] of wrong) {
    it(`are refused with ${what}`, () => {
      assert.throws(() => parse(more), { code: 'SEGY_E_CONFIG', message });
    });
  }

  it('may not name the port of another listener', () => {
    const text = textOf({ https: https({ port: 5060 }), idm: IDM });
    const { findings } = checkRules(parseConfig(text, 'x'), text);
    assert.deepEqual(
      findings.map(({ path, message }) => `${path} ${message}`),
      ['https.port tcp 192.0.2.1 port 5060 is bound twice'],
    );
  });

  it('name files that are looked for, the key as a secret', () => {
    const folder = mkdtempSync(join(tmpdir(), 'segy-https-'));
    try {
      for (const name of ['tls.crt', 'tls.key']) {
        const file = join(folder, name);
        writeFileSync(file, 'x');
        chmodSync(file, 0o644);
      }
      const tls = {
        certFile: join(folder, 'tls.crt'),
        keyFile: join(folder, 'tls.key'),
        caFile: join(folder, 'none.pem'),
      };
      const text = textOf({ https: https({ tls }), idm: IDM });
      const findings = checkReferencedFiles(parseConfig(text, 'x'), text);
      assert.deepEqual(
        findings.filter(({ path }) => path.startsWith('https')).map(({ path }) => path),
        ['https.tls.keyFile', 'https.tls.caFile'],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('have their certificate checked against its key and the host of the XCAP root', () => {
    const folder = mkdtempSync(join(tmpdir(), 'segy-https-'));
    const authority = new TestAuthority();
    try {
      const file = (name: string, text: string): string => {
        writeFileSync(join(folder, name), text, { mode: 0o600 });
        return join(folder, name);
      };
      const right = authority.issue('gms', 'DNS:gms.lmr.example');
      const other = authority.issue('gms', 'DNS:other.example');
      const check = (made: typeof right, key: string) => {
        const tls = { certFile: file('c', made.cert), keyFile: file('k', key) };
        const text = textOf({ https: https({ tls }), gms: GMS, idm: IDM });
        const config = parseConfig(text, 'x');
        assert.deepEqual(certificateFiles(config), [tls.certFile]);
        const { findings, warnings } = checkCertificates(config, text, Date.now());
        return [...findings, ...warnings.filter(({ message }) => !message.includes('days'))].map(
          ({ path, message }) => `${path} ${message.replaceAll(folder, '')}`,
        );
      };
      assert.deepEqual(check(right, right.key), []);
      assert.deepEqual(check(right, other.key), ['https.tls.keyFile /k is not the key of /c']);
      assert.deepEqual(check(other, other.key), [
        'https.tls.certFile the certificate does not name gms.lmr.example',
      ]);
    } finally {
      authority.remove();
      rmSync(folder, { recursive: true });
    }
  });

  it('change with a reload as far as the certificate goes, and no further', () => {
    const before = parse({ https: https(), idm: IDM });
    const files = { certFile: '/new.crt', keyFile: '/new.key', caFile: '/ca.pem' };
    assert.deepEqual(
      fixedDifferences(before, parse({ https: https({ tls: files }), idm: IDM })),
      [],
    );
    assert.deepEqual(fixedDifferences(before, parse({ https: https({ port: 8444 }), idm: IDM })), [
      'https.port',
    ]);
    assert.deepEqual(fixedDifferences(before, parse({})), ['idm', 'https']);
  });
});
