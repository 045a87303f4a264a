import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { runSegy } from '../support/cli.js';

const KEY = '00112233445566778899aabbccddeeff';

interface View {
  readonly ok: boolean;
  readonly findings: readonly string[];
  readonly sends: readonly string[];
  readonly spks: readonly { id: string; state: string; sends: boolean }[];
}

describe('segy partner check', () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);
  before(() => (folder = mkdtempSync(join(tmpdir(), 'segy-partner-'))));
  beforeEach(() => {
    for (const name of ['old', 'new']) writeFileSync(at(name), `${KEY}\n`, { mode: 0o600 });
  });
  after(() => rmSync(folder, { recursive: true }));

  function check(protection: Record<string, unknown> | undefined, ...more: string[]) {
    const address = { host: '127.0.0.1', port: 9, transport: 'tcp' };
    const sip = { requestUri: 'sip:psi@mc-a.example', addresses: [address] };
    const partner = { name: 'mc-a', domains: ['mc-a.example'], kmsUris: ['kms.mc-a.example'], sip };
    const config = {
      pbx: {
        type: 'asterisk',
        ari: { url: 'http://127.0.0.1:8088', username: 'segy', passwordFile: at('ari') },
      },
      outer: {
        mediaAddress: '127.0.0.1',
        listeners: [{ transport: 'tcp', address: '127.0.0.1', port: 5060 }],
      },
      partners: [{ ...partner, ...(protection && { protection }) }],
    };
    writeFileSync(at('segy.yaml'), stringify(config));
    const args = ['partner', 'check', 'mc-a', '--json', '-c', at('segy.yaml'), ...more];
    const { status, stdout } = runSegy(args);
    assert.ok(!stdout.includes(KEY));
    return { status, view: JSON.parse(stdout) as View };
  }

  const spk = (id: string, name: string, validFrom: string, validTo: string) => ({
    ...{ id, keyFile: at(name), rand: '00'.repeat(16), validFrom, validTo },
  });

  it('names the SPK that is used for sending while two overlap', () => {
    const { status, view } = check(
      {
        spks: [
          spk('30000001', 'old', '2020-01-01T00:00:00Z', '2099-01-01T00:00:00Z'),
          spk('30000002', 'new', '2021-01-01T00:00:00Z', '2099-01-01T00:00:00Z'),
          spk('30000003', 'new', '2098-01-01T00:00:00Z', '2099-01-01T00:00:00Z'),
        ],
      },
      '--offline',
    );
    assert.equal(status, 0);
    assert.deepEqual(
      view.spks.map(({ id, state, sends }) => `${id} ${state} ${sends}`),
      ['30000001 valid false', '30000002 valid true', '30000003 not yet valid false'],
    );
  });

  it('ends with 1 where no SPK is valid', () => {
    const over = spk('30000001', 'old', '2020-01-01T00:00:00Z', '2021-01-01T00:00:00Z');
    const { status, view } = check({ spks: [over] }, '--offline');
    assert.equal(status, 1);
    assert.equal(view.ok, false);
    assert.deepEqual(view.findings, ['no SPK is valid']);
  });

  it('names a key file that is open to others or holds no key', () => {
    const valid = spk('30000001', 'old', '2020-01-01T00:00:00Z', '2099-01-01T00:00:00Z');
    chmodSync(at('old'), 0o644);
    assert.match(check({ spks: [valid] }, '--offline').view.findings.join(), /open to others/);
    chmodSync(at('old'), 0o600);
    writeFileSync(at('old'), 'not a key');
    assert.match(check({ spks: [valid] }, '--offline').view.findings.join(), /32 hexadecimal/);
  });

  it('says that a partner without protection gets clear XML, and that nothing answers', () => {
    const { status, view } = check(undefined);
    assert.equal(status, 1);
    assert.deepEqual(view.sends, ['XML: clear']);
    assert.match(view.findings.join(), /tcp 127\.0\.0\.1:9 cannot be reached/);
  });
});
