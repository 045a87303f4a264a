import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInlineCrypto, eccsiValidate } from '../../src/crypto/index.js';
import { readKmsDocument } from '../../src/kms/index.js';
import { runSegy } from '../support/cli.js';

describe('segy kms, store and audit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'segy-test-'));
  const state = (name: string): string[] => [
    ...['--state', join(folder, name)],
    ...['--master-key', join(folder, `${name}.key`)],
  ];
  const json = (
    ...args: readonly string[]
  ): Record<string, unknown> & { status: number | null } => {
    const run = runSegy([...args, '--json']);
    return { ...(JSON.parse(run.stdout) as Record<string, unknown>), status: run.status };
  };
  after(() => rmSync(folder, { recursive: true, force: true }));

  const certFile = join(folder, 'a.xml');

  it('init makes a domain and a master key once, and never again', () => {
    const init = [
      'kms',
      'init',
      ...state('x'),
      '--kms-uri',
      'kms.x.example',
      '--domain',
      'x.example',
    ];
    const made = json(...init);
    assert.deepEqual([made.status, made.ok, made.masterKeyCreated], [0, true, true]);
    assert.equal(statSync(join(folder, 'x.key')).mode & 0o777, 0o600);
    const again = json(...init);
    assert.deepEqual([again.status, again.code], [1, 'SEGY_E_KMS_EXISTS']);
  });

  it('cert writes the Annex D certificate and tells its fingerprint aside', () => {
    const run = runSegy(['kms', 'cert', ...state('x')]);
    const [certificate] = readKmsDocument(run.stdout).certificates;
    assert.equal(certificate?.kmsUri, 'kms.x.example');
    assert.equal(certificate.isSecurityGateway, true);
    assert.match(run.stderr, /fingerprint {3}[0-9a-f]{8} /);
  });

  it('issue writes a key set that validates, to a private file, and to the terminal only with --reveal', async () => {
    const file = join(folder, 'r1.xml');
    const usage = runSegy(['kms', 'issue', 'sip:r1@x.example', ...state('x')]);
    assert.deepEqual([usage.status, usage.stdout], [2, '']);
    const out = json(
      'kms',
      'issue',
      'sip:r1@x.example',
      ...state('x'),
      '--out',
      file,
      '--period',
      '1550',
    );
    assert.deepEqual([out.ok, out.keyPeriodNo], [true, '1550']);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const { certificates } = readKmsDocument(runSegy(['kms', 'cert', ...state('x')]).stdout);
    const { keySets } = readKmsDocument(readFileSync(file));
    const [certificate, keySet] = [certificates[0]!, keySets[0]!];
    const id = keySet.userId;
    assert.equal(
      eccsiValidate({ kpak: certificate.pubAuthKey, id, ssk: keySet.ssk, pvt: keySet.pvt }),
      true,
    );
    const slow = createInlineCrypto();
    assert.equal(await slow.validateRsk({ z: certificate.pubEncKey, id, rsk: keySet.rsk }), true);
    const revealed = runSegy(['kms', 'issue', 'sip:r1@x.example', ...state('x'), '--reveal']);
    assert.equal(readKmsDocument(revealed.stdout).keySets[0]?.userUri, 'sip:r1@x.example');
  });

  it('trust add takes a partner certificate by its fingerprint only', () => {
    json('kms', 'init', ...state('a'), '--kms-uri', 'kms.a.example', '--domain', 'a.example');
    const cert = json('kms', 'cert', ...state('a'), '--out', certFile);
    const { words } = cert.fingerprint as { words: string };
    const add = ['kms', 'trust', 'add', certFile, ...state('x'), '--partner', 'mc-a'];
    assert.equal(json(...add).code, 'SEGY_E_KMS_FINGERPRINT');
    assert.equal(json(...add, '--fingerprint', 'f'.repeat(64)).code, 'SEGY_E_KMS_FINGERPRINT');
    assert.equal(json(...add, '--fingerprint', words).ok, true);
    const list = json('kms', 'trust', 'list', ...state('x'));
    const [entry] = list.entries as { kmsUri: string; partner: string; state: string }[];
    assert.deepEqual(
      [entry?.kmsUri, entry?.partner, entry?.state],
      ['kms.a.example', 'mc-a', 'in use'],
    );
  });

  it('trust revoke is remembered and trust remove forgets', () => {
    assert.equal(json('kms', 'trust', 'revoke', 'kms.a.example', ...state('x')).ok, true);
    const shown = json('kms', 'trust', 'show', 'kms.a.example', ...state('x'));
    assert.match(String(shown.state), /^revoked /);
    assert.equal(json('kms', 'trust', 'remove', 'kms.a.example', ...state('x')).ok, true);
    const gone = json('kms', 'trust', 'show', 'kms.a.example', ...state('x'));
    assert.deepEqual([gone.status, gone.code], [1, 'SEGY_E_NOT_FOUND']);
  });

  it('a backup restores elsewhere under the same master key', () => {
    const backup = join(folder, 'backup');
    assert.equal(json('store', 'backup', backup, ...state('x')).ok, true);
    const [, target = ''] = state('restored');
    const key = ['--master-key', join(folder, 'x.key')];
    assert.equal(json('store', 'restore', backup, '--state', target, ...key).ok, true);
    assert.match(runSegy(['kms', 'cert', '--state', target, ...key]).stdout, /kms\.x\.example/);
    assert.equal(json('store', 'restore', backup, ...state('x')).code, 'SEGY_E_STORE');
  });

  it('a backup that cannot be written, and a restore from what is none, leave nothing behind', () => {
    const nowhere = join(folder, 'nowhere', 'backup');
    assert.equal(json('store', 'backup', nowhere, ...state('x')).code, 'SEGY_E_IO');
    const target = ['--state', join(folder, 'none'), '--master-key', join(folder, 'x.key')];
    writeFileSync(join(folder, 'no-backup'), 'SEGYBAK1');
    assert.equal(
      json('store', 'restore', join(folder, 'no-backup'), ...target).code,
      'SEGY_E_STORE',
    );
    assert.equal(existsSync(join(folder, 'none')), false);
  });

  it('rekey makes the new master key the only one', () => {
    const old = join(folder, 'old.key');
    execFileSync('cp', ['-p', join(folder, 'a.key'), old]);
    const rekey = json(
      'store',
      'rekey',
      ...state('a'),
      '--new-master-key',
      join(folder, 'new.key'),
    );
    assert.equal(rekey.ok, true);
    const run = json('kms', 'cert', ...state('a'));
    assert.deepEqual([run.status, run.code], [1, 'SEGY_E_STORE_KEY']);
    const now = json(
      'store',
      'verify',
      '--state',
      join(folder, 'a'),
      '--master-key',
      join(folder, 'new.key'),
    );
    assert.deepEqual([now.ok, now.records], [true, 2]);
  });

  it('a master key file open to others, or empty, is refused', () => {
    chmodSync(join(folder, 'x.key'), 0o644);
    assert.equal(json('kms', 'cert', ...state('x')).code, 'SEGY_E_STORE_KEY');
    chmodSync(join(folder, 'x.key'), 0o600);
    writeFileSync(join(folder, 'empty.key'), '', { mode: 0o600 });
    const empty = json(
      'kms',
      'cert',
      '--state',
      join(folder, 'x'),
      '--master-key',
      join(folder, 'empty.key'),
    );
    assert.equal(empty.code, 'SEGY_E_STORE_KEY');
  });

  it('the audit log has a line for each of these, and no key', () => {
    const verified = json('audit', 'verify', ...state('x'));
    assert.deepEqual([verified.ok, verified.endCompared], [true, true]);
    const keyless = json('audit', 'verify', ...state('x').slice(0, 2), '--master-key', '/nowhere');
    assert.deepEqual([keyless.ok, keyless.endCompared], [true, false]);
    const elsewhere = json('audit', 'verify', '--state', join(folder, 'nowhere'));
    assert.deepEqual([elsewhere.status, elsewhere.code], [1, 'SEGY_E_NOT_FOUND']);
    const shown = runSegy(['audit', 'show', ...state('x').slice(0, 2), '--json'])
      .stdout.trim()
      .split('\n');
    const actions = shown.map((line) => (JSON.parse(line) as { action: string }).action);
    assert.deepEqual(actions, [
      'domain-created',
      'issued',
      'issued',
      'trust-added',
      'trust-revoked',
      'trust-removed',
      'store-backed-up',
    ]);
    const key = readFileSync(join(folder, 'x.key'), 'utf8').trim();
    assert.equal(shown.join('\n').includes(key), false);
  });

  it('audit show finds a key identifier however it is written, and no action that there is not', () => {
    const show = (...words: readonly string[]) =>
      runSegy(['audit', 'show', ...state('x').slice(0, 2), ...words]);
    assert.equal(show('--key-id', '0x0A00-0001').status, 0);
    for (const words of [
      ['--key-id', 'gmk'],
      ['--action', 'trust-add'],
      ['--since', 'yesterday'],
    ]) {
      const { status, stdout } = show(...words);
      assert.deepEqual([status, stdout], [2, ''], words.join(' '));
    }
  });

  it('audit verify notices that the end of the log was cut off', () => {
    const file = join(folder, 'x', 'audit', 'audit-000000000001.log');
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, `${lines.slice(0, 3).join('\n')}\n`);
    const verified = json('audit', 'verify', ...state('x'));
    assert.deepEqual([verified.status, verified.ok], [1, false]);
  });

  it('ends with 1 where there is no state, and makes none', () => {
    const run = json('kms', 'cert', ...state('none'));
    assert.deepEqual([run.status, run.code], [1, 'SEGY_E_NOT_FOUND']);
    assert.equal(existsSync(join(folder, 'none')), false);
  });
});
