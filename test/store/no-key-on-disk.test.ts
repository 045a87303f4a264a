import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { anchorIn, AuditLog } from '../../src/audit/index.js';
import { toHex } from '../../src/base/bytes.js';
import type { RecordSpace } from '../../src/base/records.js';
import { silentLog, systemRandom, systemTimers } from '../../src/base/environment.js';
import { StatementKeys } from '../../src/idm-client/index.js';
import { KeyRing, ReplayRecord, SendingMemory, sendingKeyTag } from '../../src/keys/index.js';
import type { HeldKey } from '../../src/keys/index.js';
import { CredentialCache, saveDomain, writeSignedKmsResponse } from '../../src/kms/index.js';
import { defaultPolicy, KEY_TYPES, newKeyId } from '../../src/mikey/index.js';
import { backupStore, openLevelBackend, openStore, rekeyStore } from '../../src/store/index.js';
import { CLOCK, makeDomain, NOW, TOOLS } from '../kms/support.js';
import { secretForms } from '../support/secret-forms.js';
import { storeOptions, withFolder } from './support.js';

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

function found(folder: string, secrets: ReadonlyMap<string, Uint8Array>): string[] {
  return filesBelow(folder).flatMap((path) => {
    const octets = readFileSync(path);
    return [...secrets]
      .filter(([, secret]) => secretForms(secret).some((form) => octets.includes(form)))
      .map(([name]) => `${name} in ${path}`);
  });
}

/** Keys of all types in turn. */
function heldKey(n: number): HeldKey {
  const keyType = KEY_TYPES[n % KEY_TYPES.length]!;
  return {
    keyType,
    keyId: newKeyId(keyType, systemRandom),
    partner: 'mc-a',
    dialog: keyType === 'PCK' ? `d${n}` : '',
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
    policy: defaultPolicy(keyType),
  };
}

/** The private part of a JWK, from the plain text of its record. */
async function jwkSecret(records: RecordSpace): Promise<Uint8Array> {
  const [record] = (await records.all()).records;
  const [, d = ''] = /"d":"([\w-]{43})"/.exec(Buffer.from(record!.value).toString('utf8')) ?? [];
  assert.equal(d.length, 43);
  return new Uint8Array(Buffer.from(d, 'base64url'));
}

describe('after a life of minting, keying, rekeying and backing up', () => {
  it('no file holds an octet string of any secret, raw, in hex or in base64', () =>
    withFolder(async (folder) => {
      const secrets = new Map<string, Uint8Array>();
      const backend = await openLevelBackend(join(folder, 'store'), { create: true });
      const master = { kind: 'key', key: systemRandom(32) } as const;
      secrets.set('master key', master.key);
      const store = await openStore(storeOptions(backend, { master }));
      secrets.set('first data key', store.keys.currentKey.slice());
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
        const [tk, next, ink] = [systemRandom(32), systemRandom(32), systemRandom(32)];
        secrets.set(`TrK ${user}`, tk).set(`next TrK ${user}`, next).set(`InK ${user}`, ink);
        const response = {
          userUri: keySet.userUri,
          kmsUri: keySet.kmsUri,
          time: new Date(NOW),
          clientReqUrl: '/keymanagement/identity/v1/keyprov',
          message: {
            kind: 'keyProv',
            keySets: [keySet],
            newKeys: { transportKey: { name: 'tk.2', key: next } },
          },
        } as const;
        const signer = { kind: 'hmac', keyName: 'ink.1', key: ink } as const;
        const transportKey = { name: 'tk.1', key: tk };
        writeFileSync(
          join(folder, `hand-over-${user}`),
          writeSignedKmsResponse(response, signer, { transportKey }),
        );
      }
      const statements = await StatementKeys.open(store.space('token-keys'), CLOCK);
      await statements.add();
      secrets.set('key of statements', await jwkSecret(store.space('token-keys')));
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
      for (let n = 0; n < 6 * KEY_TYPES.length; n += 1) {
        const held = heldKey(n);
        secrets.set(`${held.keyType} ${n}`, held.key);
        await replay.enter(`message ${n}`, `d${n}`, NOW + 300_000);
        await audit.record({ action: 'opened', keyType: held.keyType, keyId: toHex(held.keyId) });
        await ring.enter(held);
        await sending.claim(sendingKeyTag(held.key, held.rand), n);
      }
      await backupStore(store, backend, join(folder, 'backup-1'));
      const newMaster = { kind: 'key', key: systemRandom(32) } as const;
      secrets.set('new master key', newMaster.key);
      await rekeyStore(store, { master: newMaster, random: systemRandom });
      secrets.set('data key', store.keys.currentKey.slice());
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
      for (const [index, form] of secretForms(secret).entries()) {
        await backend.write([{ name: 'leak', value: Buffer.concat([Buffer.alloc(index), form]) }]);
        assert.equal(found(folder, new Map([['secret', secret]])).length > 0, true);
      }
      await backend.close();
    }));
});
