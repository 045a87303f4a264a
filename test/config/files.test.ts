import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkReferencedFiles, parseConfig } from '../../src/config/index.js';

describe('config/files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'segy-config-'));
    for (const name of ['master.key', 'ari.secret']) {
      writeFileSync(join(folder, name), 'x'.repeat(32), { mode: 0o600 });
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function findings(...more: string[]): string[] {
    const text = [
      `masterKeyFile: ${folder}/master.key`,
      'pbx:',
      '  type: asterisk',
      '  ari:',
      '    url: http://127.0.0.1:8088',
      '    username: segy',
      `    passwordFile: ${folder}/ari.secret`,
      'outer:',
      '  mediaAddress: 192.0.2.1',
      '  listeners: [{ transport: tcp, address: 192.0.2.1, port: 5060 }]',
      ...more,
    ].join('\n');
    return checkReferencedFiles(parseConfig(text, 'segy.yaml'), text).map(
      ({ path, line, message, cure }) =>
        `${line} ${path} ${message}; ${cure}`.replaceAll(folder, ''),
    );
  }

  it('is content with secrets that only their owner can read', () => {
    assert.deepEqual(findings(), []);
  });

  it('names a secret that is open to others, with line and cure', () => {
    chmodSync(join(folder, 'ari.secret'), 0o640);
    assert.deepEqual(findings(), [
      '7 pbx.ari.passwordFile /ari.secret holds a secret and is open to others; chmod 600 /ari.secret',
    ]);
  });

  it('names the files of a partner’s IdM and documents, keys and tokens as secrets', () => {
    for (const [name, mode] of [
      ['ca.pem', 0o644],
      ['client.key', 0o644],
      ['radio1.jwt', 0o640],
    ] as const) {
      writeFileSync(join(folder, name), 'x');
      chmodSync(join(folder, name), mode);
    }
    const tls = `tls: { caFile: ${folder}/ca.pem, certFile: ${folder}/none.pem, keyFile: ${folder}/client.key }`;
    const token = `{ from: files, files: [{ user: 'sip:a@b', file: ${folder}/radio1.jwt }] }`;
    const found = findings(
      'partners:',
      '  - name: mc-a',
      '    domains: [mc-a.example]',
      '    kmsUris: [kms.mc-a.example]',
      '    sip: { requestUri: "sip:psi@mc-a.example", addresses: [{ host: 192.0.2.2 }] }',
      `    idm: { issuer: https://idm.example, clientId: segy, securityToken: ${token}, ${tls} }`,
      '    groupDocuments:',
      '      xcapRoot: https://gms.example/xcap',
      `      ${tls}`,
    );
    assert.deepEqual(
      found.map((line) => line.split(' ').slice(1, 7).join(' ')),
      [
        'partners[0].idm.tls.certFile /none.pem cannot be read; make',
        'partners[0].idm.tls.keyFile /client.key holds a secret and',
        'partners[0].groupDocuments.tls.certFile /none.pem cannot be read; make',
        'partners[0].groupDocuments.tls.keyFile /client.key holds a secret and',
        'partners[0].idm.securityToken.files[0].file /radio1.jwt holds a secret and',
      ],
    );
  });

  it('names a secret that is empty', () => {
    writeFileSync(join(folder, 'master.key'), '');
    assert.deepEqual(findings(), [
      '1 masterKeyFile /master.key is empty; write the secret into it',
    ]);
  });

  it('names a file that is not there', () => {
    rmSync(join(folder, 'master.key'));
    assert.deepEqual(findings(), [
      '1 masterKeyFile /master.key cannot be read; make it, readable by the user that segy runs as',
    ]);
  });
});
