import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromHex, toHex } from '../../src/base/bytes.js';
import { silentLog, systemClock, systemRandom, systemTimers } from '../../src/base/environment.js';
import { KeyRing } from '../../src/keys/index.js';
import type { HeldKey } from '../../src/keys/index.js';
import { defaultPolicy } from '../../src/mikey/index.js';
import { openLevelBackend, openStore, readMasterSecret } from '../../src/store/index.js';
import { runSegy } from '../support/cli.js';

const KEY = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i);
const GROUP = 'sip:police@mc-a.example';

function gmk(keyId: string, more: Partial<HeldKey> = {}): HeldKey {
  return {
    keyType: 'GMK',
    keyId: fromHex(keyId),
    partner: 'mc-a',
    dialog: '',
    key: KEY,
    rand: new Uint8Array(16).fill(6),
    otherRands: [],
    initiator: 'sip:gms@mc-a.example',
    holders: ['sip:radio1@lmr.example'],
    groups: [GROUP],
    status: 3,
    activation: new Date(0),
    expiry: null,
    stamp: new Date(0),
    source: 'received',
    text: 'watch',
    policy: defaultPolicy('GMK'),
    ...more,
  };
}

describe('segy keys and group', () => {
  const folder = mkdtempSync(join(tmpdir(), 'segy-keys-'));
  const state = ['--state', join(folder, 'x'), '--master-key', join(folder, 'x.key')];
  const config = join(folder, 'segy.yaml');
  const said: string[] = [];
  const run = (...args: readonly string[]) => {
    const result = runSegy(args);
    said.push(result.stdout, result.stderr);
    return result;
  };
  const json = (...args: readonly string[]) =>
    JSON.parse(run(...args, '--json').stdout) as Record<string, unknown> & {
      keys: { keyId: string; state: string }[];
      groups: { pbx: string; sendsWith: string | null; keys: { keyId: string }[] }[];
    };

  before(async () => {
    runSegy(['kms', 'init', ...state, '--kms-uri', 'kms.x.example', '--domain', 'x.example']);
    const backend = await openLevelBackend(join(folder, 'x', 'store'), { create: false });
    const master = await readMasterSecret({ keyFile: join(folder, 'x.key') });
    const store = await openStore({ backend, master, random: systemRandom, log: silentLog });
    const ring = await KeyRing.open({
      records: store.space('keys'),
      clock: systemClock,
      timers: systemTimers,
      log: silentLog,
    });
    await ring.enter(gmk('0a000001'));
    await ring.enter(gmk('0a000002', { key: KEY.toReversed(), activation: new Date(1000) }));
    await ring.enter(gmk('0a000001', { partner: 'mc-b', groups: [] }));
    ring.close();
    await store.close();
    writeFileSync(
      config,
      `stateDir: ${join(folder, 'x')}
masterKeyFile: ${join(folder, 'x.key')}
pbx: { type: asterisk, ari: { url: 'http://127.0.0.1:8088', username: segy, passwordFile: ${config} } }
outer: { mediaAddress: 127.0.1.1, listeners: [{ transport: udp, address: 127.0.1.1, port: 5060 }] }
partners:
  - name: mc-a
    domains: [mc-a.example]
    kmsUris: [kms.mc-a.example]
    gms: ['sip:gms@mc-a.example']
    groups: [{ id: '${GROUP}', pbx: police }, { id: 'sip:fire@mc-a.example', pbx: fire }]
    sip:
      addresses: [{ host: 127.0.2.1, transport: udp }]
      requestUri: sip:psi@mc-a.example
`,
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('list every key with state and groups, or those of a partner or group', () => {
    const text = run('keys', 'list', ...state).stdout;
    assert.match(text, /^0a000001 {2}GMK {4}active {3}mc-a {2}sip:police@mc-a\.example$/m);
    const ids = (...args: string[]) =>
      json('keys', 'list', ...state, ...args).keys.map(({ keyId }) => keyId);
    assert.deepEqual(ids('--partner', 'mc-a'), ['0a000001', '0a000002']);
    assert.deepEqual(ids('--partner', 'mc-b'), ['0a000001']);
    assert.deepEqual(ids('--group', GROUP), ['0a000001', '0a000002']);
  });

  it('show one, asking for the partner where several have the identifier', () => {
    assert.equal(json('keys', 'show', '0a000001', ...state).code, 'SEGY_E_NOT_FOUND');
    const shown = run('keys', 'show', '0a000001', '--partner', 'mc-a', ...state).stdout;
    assert.match(shown, /signed by {5}sip:gms@mc-a\.example/);
    assert.equal(json('keys', 'show', 'zz', ...state).code, 'SEGY_E_USAGE');
  });

  it('show which GMK a group is sent with', () => {
    const listed = json('group', 'list', '-c', config).groups;
    assert.deepEqual(
      listed.map(({ pbx, sendsWith }) => [pbx, sendsWith]),
      [
        ['police', '0a000002'],
        ['fire', null],
      ],
    );
    assert.match(run('group', 'show', 'police', '-c', config).stdout, /sends with {4}0a000002/);
    assert.equal(json('group', 'show', 'none', '-c', config).code, 'SEGY_E_NOT_FOUND');
  });

  it('revoke one for good and forget one, both on record', () => {
    assert.equal(json('keys', 'revoke', '0a000002', ...state).ok, true);
    assert.equal(json('keys', 'forget', '0a000001', '--partner', 'mc-b', ...state).ok, true);
    const { keys } = json('keys', 'list', ...state);
    assert.deepEqual(
      keys.map((key) => [key.keyId, key.state]),
      [
        ['0a000001', 'active'],
        ['0a000002', 'revoked'],
      ],
    );
    const record = run('audit', 'show', '--state', join(folder, 'x')).stdout;
    assert.match(record, /revoked/);
    assert.match(record, /forgotten/);
  });

  it('never print an octet of a key', () => {
    const all = said.join('\n');
    for (const secret of [KEY, KEY.toReversed()]) {
      assert.equal(all.includes(toHex(secret)), false);
      assert.equal(all.includes(Buffer.from(secret).toString('base64')), false);
    }
  });
});
