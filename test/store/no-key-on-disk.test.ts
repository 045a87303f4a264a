import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { anchorIn, AuditLog } from '../../src/audit/index.js';
import { fromHex, toHex } from '../../src/base/bytes.js';
import { silentLog, systemRandom, systemTimers } from '../../src/base/environment.js';
import { KeyRing, ReplayRecord, SendingMemory, sendingKeyTag } from '../../src/keys/index.js';
import type { HeldKey } from '../../src/keys/index.js';
import { CredentialCache, saveDomain } from '../../src/kms/index.js';
import { defaultPolicy } from '../../src/mikey/index.js';
import { backupStore, openLevelBackend, openStore, rekeyStore } from '../../src/store/index.js';
import { CLOCK, makeDomain, NOW, TOOLS } from '../kms/support.js';
import { MASTER, storeOptions, withFolder } from './support.js';

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

/** Raw, hex in both cases, and base64 at each of its three alignments. */
function forms(secret: Uint8Array): Buffer[] {
  const aligned = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), secret]).toString('base64');
    return Buffer.from(
      text
        .slice(shift === 0 ? 0 : shift + 1)
        .replace(/=*$/, '')
        .slice(0, -1),
    );
  });
  const hex = toHex(secret);
  return [Buffer.from(secret), Buffer.from(hex), Buffer.from(hex.toUpperCase()), ...aligned];
}

function found(folder: string, secrets: ReadonlyMap<string, Uint8Array>): string[] {
  return filesBelow(folder).flatMap((path) => {
    const octets = readFileSync(path);
    return [...secrets]
      .filter(([, secret]) => forms(secret).some((form) => octets.includes(form)))
      .map(([name]) => `${name} in ${path}`);
  });
}

function groupKey(n: number): HeldKey {
  return {
    keyType: n % 5 === 0 ? 'PCK' : 'GMK',
    keyId: fromHex(`${n % 5 === 0 ? '1' : '0'}a0000${n.toString(16).padStart(2, '0')}`),
    partner: 'mc-a',
    dialog: n % 5 === 0 ? `d${n}` : '',
    key: systemRandom(16),
    rand: systemRandom(16),
    otherRands: [],
    initiator: 'sip:gms@mc-a.example',
    holders: ['sip:r1@radio.example'],
    groups: ['sip:g1@mc-a.example'],
    status: 3,
    activation: new Date(NOW),
    expiry: new Date(NOW + 86_400_000),
    stamp: new Date(NOW),
    source: 'received',
    text: '',
    policy: defaultPolicy('GMK'),
  };
}

describe('after a life of minting, keying, rekeying and backing up', () => {
  it('no file holds an octet string of any secret, raw, in hex or in base64', () =>
    withFolder(async (folder) => {
      const secrets = new Map<string, Uint8Array>();
      const backend = await openLevelBackend(join(folder, 'store'), { create: true });
      const store = await openStore(storeOptions(backend));
      const anchor = anchorIn(store.space('audit'));
      const audit = await AuditLog.open({
        folder: join(folder, 'audit'),
        clock: CLOCK,
        log: silentLog,
        anchor,
      });
      const domain = makeDomain();
      const own = domain.toSecret();
      secrets.set('z', own.slice(8, 136)).set('KSAK', own.slice(136, 168));
      await saveDomain(store.space('domain'), domain, 'create', TOOLS);
      const records = store.space('credentials');
      const cache = new CredentialCache({ domain, records, clock: CLOCK, log: silentLog });
      for (let user = 0; user < 4; user += 1) {
        const keySet = await cache.issue(`sip:r${user}@radio.example`, 1544n);
        secrets.set(`RSK ${user}`, keySet.rsk.slice(1)).set(`SSK ${user}`, keySet.ssk);
      }
      const ring = await KeyRing.open({
        records: store.space('keys'),
        clock: CLOCK,
        timers: systemTimers,
        log: silentLog,
      });
      const replay = await ReplayRecord.open({
        records: store.space('replay'),
        clock: CLOCK,
        log: silentLog,
      });
      const sending = await SendingMemory.open(store.space('sending'));
      for (let n = 1; n <= 40; n += 1) {
        const held = groupKey(n);
        secrets.set(`key ${n}`, held.key);
        await replay.enter(`message ${n}`, `d${n}`, NOW + 300_000);
        await audit.record({ action: 'opened', keyType: held.keyType, keyId: toHex(held.keyId) });
        await ring.enter(held);
        await sending.claim(sendingKeyTag(held.key, held.rand), n);
      }
      await backupStore(store, backend, join(folder, 'backup-1'));
      await rekeyStore(store, { master: MASTER, random: systemRandom });
      await backupStore(store, backend, join(folder, 'backup-2'));
      const copies = new Map([...secrets].map(([name, secret]) => [name, secret.slice()]));
      assert.deepEqual(found(folder, copies), []);
      ring.close();
      await audit.close();
      await store.close();
      assert.deepEqual(found(folder, copies), []);
    }));

  it('the search would find one', () =>
    withFolder(async (folder) => {
      const backend = await openLevelBackend(folder, { create: true });
      const secret = systemRandom(16);
      for (const [index, form] of forms(secret).entries()) {
        await backend.write([{ name: 'leak', value: Buffer.concat([Buffer.alloc(index), form]) }]);
        assert.equal(found(folder, new Map([['secret', secret]])).length > 0, true);
      }
      await backend.close();
    }));
});
