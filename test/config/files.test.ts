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

  function findings(): string[] {
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
