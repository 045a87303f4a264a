import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readKmsDocument, writeKmsResponse } from '../../src/kms/index.js';
import { runSegy } from '../support/cli.js';
import { fixture } from '../xmldsig/support.js';

describe('segy kms with signatures and transport keys', () => {
  const folder = mkdtempSync(join(tmpdir(), 'segy-test-'));
  const path = (name: string): string => join(folder, name);
  const state = (name: string): string[] => ['--state', path(name), '--master-key', path('m.key')];
  const json = (...args: readonly string[]): Record<string, unknown> =>
    JSON.parse(runSegy([...args, '--json']).stdout) as Record<string, unknown>;
  let words: string;

  before(() => {
    writeFileSync(path('ink'), '11'.repeat(32), { mode: 0o600 });
    writeFileSync(path('cert.pem'), fixture('operator-cert.pem'));
    writeFileSync(path('key.pem'), fixture('operator-key.pem'), { mode: 0o600 });
    for (const name of ['a', 'b']) {
      const made = json(
        'kms',
        'init',
        ...state(name),
        '--kms-uri',
        `kms.${name}`,
        '--domain',
        name,
      );
      words = (made.fingerprint as { words: string }).words;
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('a certificate signed by the partner operator is taken when that certificate is named', () => {
    const keys = ['--sign-key', path('key.pem'), '--sign-cert', path('cert.pem')];
    json('kms', 'cert', ...state('b'), ...keys, '--out', path('b.xml'));
    const add = ['kms', 'trust', 'add', path('b.xml'), ...state('a'), '--partner', 'b'];
    const named = [...add, '--fingerprint', words, '--signed-by', path('cert.pem')];
    assert.equal(json(...named).ok, true);
  });

  it('a certificate that is not signed is refused where a signature is demanded', () => {
    json('kms', 'cert', ...state('b'), '--out', path('bare.xml'));
    const add = ['kms', 'trust', 'add', path('bare.xml'), ...state('a'), '--partner', 'b'];
    const refused = json(...add, '--fingerprint', words, '--integrity-key', `ink.1:${path('ink')}`);
    assert.equal(refused.code, 'SEGY_E_XML_SIGNATURE');
  });

  it('a key set for hand-over is wrapped under the transport key', () => {
    const out = path('r1.xml');
    json(
      'kms',
      'issue',
      'sip:r1@a',
      ...state('a'),
      '--transport-key',
      `tk.1:${path('ink')}`,
      '--out',
      out,
    );
    const transportKeys = new Map([['tk.1', new Uint8Array(32).fill(0x11)]]);
    assert.throws(() => readKmsDocument(readFileSync(out)), { code: 'SEGY_E_KMS_DOCUMENT' });
    const { keySets } = readKmsDocument(readFileSync(out), { transportKeys });
    assert.equal(keySets[0]?.userUri, 'sip:r1@a');
  });

  it('new transport and integrity keys travel under the present transport key, and under nothing else', () => {
    for (const name of ['tk2', 'ink2']) json('kms', 'exchange-key', path(name));
    assert.match(String(json('kms', 'exchange-key', path('tk2')).message), /there already/);
    const newer = [
      '--new-transport-key',
      `tk.2:${path('tk2')}`,
      '--new-integrity-key',
      `ink.2:${path('ink2')}`,
    ];
    const issue = ['kms', 'issue', 'sip:r1@a', ...state('a'), ...newer, '--out'];
    assert.equal(json(...issue, path('clear.xml')).code, 'SEGY_E_USAGE');
    const same = ['--transport-key', `tk.2:${path('ink')}`];
    assert.equal(json(...issue, path('same.xml'), ...same).code, 'SEGY_E_USAGE');
    json(...issue, path('roll.xml'), '--transport-key', `tk.1:${path('ink')}`);
    const text = readFileSync(path('roll.xml'), 'utf8');
    const held = (name: string): string => readFileSync(path(name), 'utf8').trim();
    for (const name of ['tk2', 'ink2']) assert.equal(text.includes(held(name)), false);
    const transportKeys = new Map([['tk.1', new Uint8Array(32).fill(0x11)]]);
    const { newTransportKeys, newIntegrityKeys } = readKmsDocument(text, { transportKeys });
    const named = (keys: typeof newTransportKeys): string[][] =>
      keys.map(({ name, key }) => [name, Buffer.from(key).toString('hex')]);
    assert.deepEqual(named(newTransportKeys), [['tk.2', held('tk2')]]);
    assert.deepEqual(named(newIntegrityKeys), [['ink.2', held('ink2')]]);
    const unnamed = text.replaceAll(/<xenc:CarriedKeyName>[^<]*<\/xenc:CarriedKeyName>/g, '');
    assert.throws(() => readKmsDocument(unnamed, { transportKeys }), {
      code: 'SEGY_E_KMS_DOCUMENT',
    });
  });

  it('of a whole certificate cache, those with a fingerprint are taken, ours and others left out', () => {
    const certificateOf = (name: string) =>
      readKmsDocument(runSegy(['kms', 'cert', ...state(name)]).stdout).certificates[0]!;
    json('kms', 'init', ...state('c'), '--kms-uri', 'kms.c', '--domain', 'c');
    const cache = writeKmsResponse({
      userUri: 'sip:operator@b',
      kmsUri: 'kms.b',
      time: new Date(),
      clientReqUrl: '/keymanagement/identity/v1/certcache',
      message: {
        kind: 'certCache',
        cacheNum: 1n,
        certificates: ['a', 'b', 'c'].map(certificateOf),
      },
    });
    writeFileSync(path('cache.xml'), cache);
    const add = ['kms', 'trust', 'add', path('cache.xml'), ...state('a'), '--partner', 'b'];
    const stray = json(...add, '--fingerprint', words, '--fingerprint', '0'.repeat(64));
    assert.equal(stray.code, 'SEGY_E_KMS_FINGERPRINT');
    assert.match(String(stray.message), /number 2; none was taken/);
    const done = json(...add, '--fingerprint', words);
    assert.deepEqual(done.skipped, ['kms.a', 'kms.c']);
    assert.deepEqual(
      (done.added as { kmsUri: string }[]).map(({ kmsUri }) => kmsUri),
      ['kms.b'],
    );
  });
});
