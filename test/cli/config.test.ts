import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unresolvedHosts } from '../../src/cli/host-names.js';
import { parseConfig } from '../../src/config/index.js';
import { runSegy } from '../support/cli.js';

describe('segy config check', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'segy-cli-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('ends with 1 and names each finding with file, line and path', () => {
    const file = join(folder, 'segy.yaml');
    writeFileSync(file, 'stateDir: /tmp\nporst: 1\n');
    const { status, stdout } = runSegy(['config', 'check', '--config', file]);
    assert.equal(status, 1);
    assert.match(stdout, /segy\.yaml:1: pbx: /);
    assert.match(stdout, /porst/);
  });

  it('says the same as one JSON object', () => {
    const file = join(folder, 'segy.yaml');
    writeFileSync(file, 'outer: 5\n');
    const { stdout } = runSegy(['config', 'check', '--json', '--config', file]);
    const result = JSON.parse(stdout) as {
      ok: boolean;
      findings: { path: string; line: number }[];
    };
    assert.equal(result.ok, false);
    assert.ok(result.findings.some(({ path, line }) => path === 'outer' && line === 1));
  });

  it('ends with 1 and a code where the file cannot be read', () => {
    const { status, stderr } = runSegy(['config', 'check', '--config', join(folder, 'none')]);
    assert.equal(status, 1);
    assert.match(stderr, /^SEGY_E_CONFIG: /);
  });

  it('warns of a partner whose host does not resolve, which is no fault of the file', async () => {
    const text = JSON.stringify(
      {
        pbx: {
          type: 'asterisk',
          ari: { url: 'http://127.0.0.1:8088', username: 'a', passwordFile: '/x' },
        },
        outer: {
          listeners: [{ transport: 'udp', address: '127.0.1.1', port: 5060 }],
          mediaAddress: '127.0.1.1',
        },
        partners: ['a', 'b'].map((name) => ({
          ...{ name, domains: [`${name}.example`], kmsUris: [`kms.${name}.example`] },
          sip: {
            addresses: [{ host: `${name}.example` }],
            requestUri: `sip:mcptt@${name}.example`,
          },
        })),
      },
      null,
      1,
    );
    const dns = {
      addresses: (host: string) =>
        host === 'a.example'
          ? Promise.resolve(['192.0.2.1'])
          : Promise.reject(new Error('ENOTFOUND')),
      naptr: () => Promise.resolve([]),
      srv: () => Promise.resolve([]),
    };
    const warnings = await unresolvedHosts(parseConfig(text, 'test'), text, dns);
    assert.deepEqual(
      warnings.map(({ path }) => path),
      ['partners[1].sip.addresses[0].host'],
    );
    assert.match(warnings[0]!.message, /^b\.example does not resolve/);
  });

  it('ends with 2 on wrong usage', () => {
    assert.equal(runSegy(['config', 'chekc']).status, 2);
    assert.equal(runSegy(['nonsense']).status, 2);
  });
});
