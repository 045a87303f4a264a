import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixedDifferences, LiveConfig, reloader, type ReloadParts } from '../../src/cli/reload.js';
import { parseConfig, type SegyConfig } from '../../src/config/index.js';
import { TestAuthority } from '../sip/support/certificates.js';

const authority = new TestAuthority();
const folder = mkdtempSync(join(tmpdir(), 'segy-reload-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};
const made = authority.issue('gw', 'IP:127.0.0.1');
const tls = { certFile: file('gw.pem', made.cert), keyFile: file('gw.key', made.key) };
const other = file('other.key', authority.issue('gw', 'IP:127.0.0.1').key);

const partner = (name: string, more: object = {}) => ({
  name,
  domains: [`${name}.example`],
  kmsUris: [`kms.${name}.example`],
  sip: { addresses: [{ host: '127.0.0.1' }], requestUri: `sip:x@${name}.example` },
  ...more,
});

function config(more: object = {}, outer: object = {}, tlsMore: object = {}): SegyConfig {
  const pbx = {
    type: 'asterisk',
    ari: { url: 'http://127.0.0.1:8088', username: 'segy', passwordFile: '/x' },
  };
  const listeners = [
    { transport: 'tls', address: '127.0.0.1', port: 5061, tls: { ...tls, ...tlsMore } },
  ];
  const base = { pbx, outer: { listeners, mediaAddress: '127.0.0.1', ...outer } };
  return parseConfig(JSON.stringify({ ...base, ...more }), 'test');
}

/** Parts that note what is done to them, in order. */
function partsOf(done: string[]): ReloadParts {
  const note =
    (what: string) =>
    (...args: unknown[]) => {
      done.push(what);
      return args;
    };
  const parts = {
    env: { log: { info: note('log'), error: note('refused') } },
    edge: { update: note('edge') },
    addresses: { update: note('addresses') },
    probes: { update: note('probes') },
    protection: { prepare: () => note('keys') },
    https: { prepare: () => () => undefined },
    floor: { prepare: () => () => undefined },
    tokens: { prepare: () => () => undefined },
    documents: { prepare: () => () => undefined },
    directory: { replace: note('users') },
    users: { list: () => [] },
    outer: { setTls: note('tls') },
    certificates: { watch: note('watch') },
    prepareKeys: note('prepare'),
  };
  return parts as unknown as ReloadParts;
}

describe('cli/reload', () => {
  after(() => {
    authority.remove();
    rmSync(folder, { recursive: true });
  });

  it('takes users, partners and certificates, and keeps the objects of partners that are the same', async () => {
    const before = config({ partners: [partner('a'), partner('b'), partner('c')] });
    const live = new LiveConfig(before);
    const done: string[] = [];
    const changed = partner('b', { media: { policy: 'allow-clear' } });
    const next = config({
      partners: [partner('a'), changed, partner('d')],
      users: [{ uri: 'sip:r@x.example', pbx: '1' }],
    });
    const result = await live.reload(next, partsOf(done));
    assert.deepEqual(result, {
      partners: { added: ['d'], changed: ['b'], removed: ['c'] },
      users: 1,
    });
    assert.equal(live.current.partners[0], before.partners[0]);
    assert.notEqual(live.current.partners[1], before.partners[1]);
    assert.deepEqual(done.sort(), [
      ...['addresses', 'edge', 'keys', 'log', 'prepare', 'probes', 'tls', 'users', 'watch'],
    ]);
  });

  const fixed: [string, SegyConfig][] = [
    ['inner.sipPort', config({ inner: { sipPort: 5099 } })],
    ['outer.mediaAddress', config({}, { mediaAddress: '127.0.0.9' })],
    [
      'outer.listeners',
      config({}, { listeners: [{ transport: 'udp', address: '127.0.0.1', port: 5060 }] }),
    ],
    ['outer.listeners', config({}, {}, { requestClientCert: false })],
    ['stateDir', config({ stateDir: '/elsewhere' })],
    ['limits.calls', config({ limits: { calls: 7 } })],
    ['dns.servers', config({ dns: { servers: ['127.0.0.53'] } })],
    ['logLevel', config({ logLevel: 'debug' })],
  ];
  for (const [path, next] of fixed) {
    it(`names ${path}, which cannot change, and changes nothing`, async () => {
      assert.deepEqual(fixedDifferences(config(), next), [path]);
      const live = new LiveConfig(config());
      const done: string[] = [];
      await assert.rejects(live.reload(next, partsOf(done)), {
        code: 'SEGY_E_CONFIG',
        message: new RegExp(`^${path.replace('.', '\\.')} cannot change`),
      });
      assert.deepEqual(done, []);
    });
  }

  it('a key that does not fit its certificate changes nothing', async () => {
    const live = new LiveConfig(config());
    const done: string[] = [];
    const next = config({ partners: [partner('a')] }, {}, { keyFile: other });
    await assert.rejects(live.reload(next, partsOf(done)), { code: 'SEGY_E_IO' });
    assert.deepEqual(done, []);
    assert.equal(live.current.partners.length, 0);
  });

  it('a partner key file that holds no key changes nothing', async () => {
    const live = new LiveConfig(config());
    const done: string[] = [];
    const parts = partsOf(done);
    parts.protection.prepare = () => {
      throw new Error('no key');
    };
    await assert.rejects(live.reload(config({ partners: [partner('a')] }), parts));
    assert.deepEqual(done, []);
  });

  it('reloads one after the other, and logs the refusal of a file that is wrong', async () => {
    const done: string[] = [];
    const told: boolean[] = [];
    const texts = [config(), null, config({ partners: [partner('a')] })];
    const live = new LiveConfig(config());
    const reload = reloader(
      {
        read: () => {
          const next = texts.shift();
          if (next) return next;
          throw new Error('broken');
        },
        onReload: (begins) => void told.push(begins),
      },
      live,
      partsOf(done),
    );
    const all = await Promise.allSettled([reload(), reload(), reload()]);
    assert.deepEqual(
      all.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.equal(done.filter((what) => what === 'refused').length, 1);
    assert.equal(live.current.partners.length, 1);
    assert.deepEqual(told, [true, false, true, false, true, false]);
  });
});
