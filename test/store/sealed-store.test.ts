import assert from 'node:assert/strict';
import { toHex, utf8 } from '../../src/base/bytes.js';
import {
  MemoryBackend,
  openStore,
  rekeyStore,
  repairStore,
  verifyStore,
} from '../../src/store/index.js';
import type { BackendChange, Migration } from '../../src/store/index.js';
import { CHEAP_SCRYPT, MASTER, OTHER_MASTER, storeOptions } from './support.js';
import { systemRandom } from '../../src/base/environment.js';

const refusal = (code: string, message: RegExp) => (error: unknown) => {
  assert.equal((error as { code?: string }).code, code);
  assert.match((error as Error).message, message);
  return true;
};

/** A back end whose writes fail while `broken`. */
class BreakableBackend extends MemoryBackend {
  broken = false;
  writes = 0;
  override write(changes: readonly BackendChange[]): Promise<void> {
    this.writes += 1;
    if (this.broken) return Promise.reject(new Error('No space left on device'));
    return super.write(changes);
  }
}

describe('sealed store', () => {
  it('gives back what was put after it is opened again', async () => {
    const backend = new MemoryBackend();
    const store = await openStore(storeOptions(backend));
    await store.space('trust').put('kms.a', utf8('first'));
    await store.space('trust').put('kms.a', utf8('second'));
    await store.space('domain').put('kms.a', utf8('other space'));
    await store.close();
    const again = await openStore(storeOptions(backend));
    assert.equal(Buffer.from((await again.space('trust').get('kms.a'))!).toString(), 'second');
    assert.equal(await again.space('trust').get('kms.b'), undefined);
    assert.deepEqual(
      (await again.space('trust').all()).records.map((record) => record.key),
      ['kms.a'],
    );
  });

  it('holds no octets of a value in the back end', async () => {
    const backend = new MemoryBackend();
    const store = await openStore(storeOptions(backend));
    const secret = systemRandom(32);
    await store.space('domain').put('own', secret);
    for await (const { value } of backend.entries('')) {
      assert.equal(toHex(value).includes(toHex(secret)), false);
    }
  });

  it('refuses a wrong master key and overwrites nothing', async () => {
    const backend = new BreakableBackend();
    const store = await openStore(storeOptions(backend));
    await store.space('a').put('k', utf8('v'));
    await store.close();
    const writes = backend.writes;
    await assert.rejects(
      openStore(storeOptions(backend, { master: OTHER_MASTER })),
      refusal('SEGY_E_STORE_KEY', /does not open this store/),
    );
    assert.equal(backend.writes, writes);
  });

  it('refuses to make a new key record over records whose key record is gone', async () => {
    const backend = new MemoryBackend();
    await openStore(storeOptions(backend));
    await backend.write([{ name: 'k' }]);
    await assert.rejects(
      openStore(storeOptions(backend)),
      refusal('SEGY_E_STORE_KEY', /no key record/),
    );
  });

  it('refuses to open where no store is, unless told to make one', async () => {
    await assert.rejects(
      openStore(storeOptions(new MemoryBackend(), { create: false })),
      refusal('SEGY_E_NOT_FOUND', /no store/),
    );
  });

  it('opens under the passphrase it was made with and no other', async () => {
    const backend = new MemoryBackend();
    const passphrase = (text: string) => ({ kind: 'passphrase' as const, passphrase: utf8(text) });
    const make = { master: passphrase('correct horse battery'), scryptCost: CHEAP_SCRYPT };
    await (await openStore(storeOptions(backend, make))).space('a').put('k', utf8('v'));
    await openStore(storeOptions(backend, make));
    await assert.rejects(
      openStore(storeOptions(backend, { master: passphrase('correct horse batterx') })),
      refusal('SEGY_E_STORE_KEY', /does not open/),
    );
    await assert.rejects(
      openStore(storeOptions(backend, { master: MASTER })),
      refusal('SEGY_E_STORE_KEY', /passphrase/),
    );
  });

  describe('attacks on the disk', () => {
    async function twoRecords() {
      const backend = new MemoryBackend();
      const store = await openStore(storeOptions(backend));
      const space = store.space('users');
      await space.put('alice', utf8('alice 1'));
      await space.put('bob', utf8('bob 1'));
      return { backend, store, space };
    }

    it('a record put in the place of another is refused and named, the other one served', async () => {
      const { backend, space } = await twoRecords();
      await backend.write([{ name: 'r/users/alice', value: (await backend.get('r/users/bob'))! }]);
      await assert.rejects(space.get('alice'), refusal('SEGY_E_STORE', /r\/users\/alice/));
      const listing = await space.all();
      assert.deepEqual(listing.refused, ['alice']);
      assert.deepEqual(
        listing.records.map((record) => record.key),
        ['bob'],
      );
    });

    it('a record with its version field changed to the expected one does not authenticate', async () => {
      const { backend, space } = await twoRecords();
      const alice = (await backend.get('r/users/alice'))!;
      const bob = (await backend.get('r/users/bob'))!;
      bob.set(alice.subarray(5, 13), 5);
      await backend.write([{ name: 'r/users/alice', value: bob }]);
      await assert.rejects(space.get('alice'), refusal('SEGY_E_STORE', /does not authenticate/));
    });

    it('an older copy of a record is refused, also after a restart', async () => {
      const { backend, store, space } = await twoRecords();
      const older = (await backend.get('r/users/alice'))!;
      await space.put('alice', utf8('alice 2'));
      await backend.write([{ name: 'r/users/alice', value: older }]);
      await assert.rejects(space.get('alice'), refusal('SEGY_E_STORE', /not the one last written/));
      await store.close();
      const again = await openStore(storeOptions(backend));
      assert.deepEqual(
        (await verifyStore(again)).refused.map((finding) => finding.record),
        ['users/alice'],
      );
    });

    it('a removed record is missed', async () => {
      const { backend, space } = await twoRecords();
      await backend.write([{ name: 'r/users/alice' }]);
      await assert.rejects(space.get('alice'), refusal('SEGY_E_STORE', /missing/));
    });

    it('a truncated record is refused', async () => {
      const { backend, space } = await twoRecords();
      const whole = (await backend.get('r/users/alice'))!;
      for (const length of [0, 12, 40, whole.length - 1]) {
        await backend.write([{ name: 'r/users/alice', value: whole.subarray(0, length) }]);
        await assert.rejects(space.get('alice'), refusal('SEGY_E_STORE', /r\/users\/alice/));
      }
    });

    it('a record and its index put back together are refused', async () => {
      const { backend, store, space } = await twoRecords();
      const before: { name: string; value: Uint8Array }[] = [];
      for await (const entry of backend.entries('')) {
        if (entry.name === 'r/users/alice' || entry.name.startsWith('i/')) before.push(entry);
      }
      await space.put('alice', utf8('alice 2'));
      await backend.write(before);
      await store.close();
      const again = await openStore(storeOptions(backend));
      await assert.rejects(again.space('users').get('alice'), refusal('SEGY_E_STORE', /damaged/));
      assert.deepEqual((await again.space('users').all()).refused, ['alice']);
      assert.equal(Buffer.from((await again.space('users').get('bob'))!).toString(), 'bob 1');
    });

    it('a bucket of the index that is damaged is never overwritten', async () => {
      const { backend, store } = await twoRecords();
      await store.close();
      for await (const { name, value } of backend.entries('i/')) {
        await backend.write([{ name, value: value.subarray(1) }]);
      }
      const again = await openStore(storeOptions(backend));
      await assert.rejects(
        again.space('users').put('alice', utf8('x')),
        refusal('SEGY_E_STORE', /damaged/),
      );
    });
  });

  describe('a disk that is full', () => {
    it('rejects the write, keeps what was there, and serves again when there is room', async () => {
      const backend = new BreakableBackend();
      const store = await openStore(storeOptions(backend));
      const space = store.space('a');
      await space.put('k', utf8('old'));
      backend.broken = true;
      await assert.rejects(
        space.put('k', utf8('new')),
        refusal('SEGY_E_STORE', /cannot be written/),
      );
      assert.equal(Buffer.from((await space.get('k'))!).toString(), 'old');
      backend.broken = false;
      await space.put('k', utf8('newer'));
      assert.equal(Buffer.from((await space.get('k'))!).toString(), 'newer');
    });
  });

  it('joins writers that come while a write is synced into one', async () => {
    const backend = new BreakableBackend();
    const store = await openStore(storeOptions(backend));
    const before = backend.writes;
    const space = store.space('a');
    await Promise.all(Array.from({ length: 100 }, (_, i) => space.put(`k${i}`, utf8(`v${i}`))));
    assert.ok(backend.writes - before <= 2, `${backend.writes - before} writes`);
    assert.equal((await space.all()).records.length, 100);
  });

  it('writes several changes together', async () => {
    const store = await openStore(storeOptions(new MemoryBackend()));
    const space = store.space('a');
    await space.put('gone', utf8('x'));
    await space.write([{ key: 'gone' }, { key: 'come', value: utf8('y') }]);
    assert.deepEqual(
      (await space.all()).records.map((record) => record.key),
      ['come'],
    );
  });

  describe('rekey', () => {
    it('seals everything anew, after which only the new master key opens it', async () => {
      const backend = new MemoryBackend();
      const store = await openStore(storeOptions(backend));
      for (let i = 0; i < 150; i += 1) await store.space('a').put(`k${i}`, utf8(`v${i}`));
      const before = (await backend.get('r/a/k3'))!;
      await rekeyStore(store, { master: OTHER_MASTER, random: systemRandom });
      assert.equal(store.keys.ids.length, 1);
      assert.notDeepEqual(await backend.get('r/a/k3'), before);
      await store.close();
      await assert.rejects(
        openStore(storeOptions(backend)),
        refusal('SEGY_E_STORE_KEY', /does not open/),
      );
      const again = await openStore(storeOptions(backend, { master: OTHER_MASTER }));
      assert.deepEqual(await verifyStore(again), { records: 150, refused: [] });
    });

    it('cut off at any write opens again and is finished', async () => {
      for (let cut = 0; cut < 6; cut += 1) {
        const backend = new BreakableBackend();
        const store = await openStore(storeOptions(backend));
        for (let i = 0; i < 100; i += 1) await store.space('a').put(`k${i}`, utf8(`v${i}`));
        const target = backend.writes + cut;
        const write = backend.write.bind(backend);
        backend.write = (changes) => {
          if (backend.writes >= target) backend.broken = true;
          return write(changes);
        };
        await rekeyStore(store, { master: OTHER_MASTER, random: systemRandom }).catch(() => 0);
        backend.write = write;
        backend.broken = false;
        const master = cut === 0 ? MASTER : OTHER_MASTER;
        const again = await openStore(storeOptions(backend, { master }));
        assert.deepEqual(await verifyStore(again), { records: 100, refused: [] });
        assert.equal(again.keys.ids.length, 1);
      }
    });
  });

  describe('repair', () => {
    it('makes the index anew from the records that open, and sets the others aside', async () => {
      const backend = new MemoryBackend();
      const store = await openStore(storeOptions(backend));
      for (const key of ['a', 'b', 'c']) await store.space('x').put(key, utf8(key));
      await store.space('x').delete('c');
      await store.close();
      const b = (await backend.get('r/x/b'))!;
      await backend.write([
        { name: 'h', value: new Uint8Array(60) },
        { name: 'r/x/b', value: b.subarray(1) },
      ]);
      for await (const { name } of backend.entries('i/')) await backend.write([{ name }]);
      await assert.rejects(openStore(storeOptions(backend)), { code: 'SEGY_E_STORE' });
      const repaired = await repairStore(storeOptions(backend));
      assert.deepEqual(repaired.setAside, ['r/x/b']);
      await repaired.store.space('x').put('d', utf8('d'));
      await repaired.store.close();
      const again = await openStore(storeOptions(backend));
      assert.deepEqual(again.names(), ['r/x/a', 'r/x/d']);
      assert.deepEqual((await verifyStore(again)).refused, []);
      assert.deepEqual(await backend.get('d/r/x/b'), b.subarray(1));
    });
  });

  describe('migration', () => {
    const steps: Migration[] = [
      { from: 1, migrate: (r) => ({ ...r, value: utf8(`${Buffer.from(r.value).toString()}+2`) }) },
      { from: 2, migrate: (r) => (r.key === 'old' ? undefined : { ...r, namespace: 'moved' }) },
    ];

    it('brings every record up to the newest version in one write', async () => {
      const backend = new BreakableBackend();
      const store = await openStore(storeOptions(backend));
      await store.space('a').put('x/y', utf8('v'));
      await store.space('a').put('old', utf8('v'));
      const before = backend.writes;
      const migrated = await openStore(storeOptions(backend, { migrations: steps }));
      assert.equal(backend.writes, before + 1);
      assert.equal(migrated.schema, 3);
      assert.equal(Buffer.from((await migrated.space('moved').get('x/y'))!).toString(), 'v+2');
      assert.deepEqual(migrated.names(), ['r/moved/x/y']);
    });

    it('refuses a store that a newer program wrote, and writes nothing', async () => {
      const backend = new BreakableBackend();
      await openStore(storeOptions(backend, { migrations: steps }));
      const before = backend.writes;
      await assert.rejects(
        openStore(storeOptions(backend)),
        refusal('SEGY_E_STORE', /contents version 3/),
      );
      assert.equal(backend.writes, before);
    });
  });
});
