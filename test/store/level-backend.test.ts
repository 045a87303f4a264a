import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '../../src/base/bytes.js';
import { systemRandom } from '../../src/base/environment.js';
import {
  backupStore,
  openLevelBackend,
  openStore,
  rekeyStore,
  restoreStore,
  verifyStore,
} from '../../src/store/index.js';
import { MASTER, OTHER_MASTER, storeOptions, withFolder } from './support.js';

describe('embedded back end', () => {
  it('keeps records through a close, in a folder only its owner may enter', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'store');
      const store = await openStore(storeOptions(await openLevelBackend(path, { create: true })));
      await store.space('a').put('k', utf8('value'));
      await store.close();
      assert.equal(statSync(path).mode & 0o777, 0o700);
      const again = await openStore(storeOptions(await openLevelBackend(path, { create: false })));
      assert.equal(Buffer.from((await again.space('a').get('k'))!).toString(), 'value');
      await again.close();
    }));

  it('refuses a second opener', () =>
    withFolder(async (folder) => {
      const first = await openLevelBackend(folder, { create: true });
      await assert.rejects(openLevelBackend(folder, { create: true }), {
        code: 'SEGY_E_STORE_LOCKED',
      });
      await first.close();
    }));

  it('makes no store where none was asked for', () =>
    withFolder(async (folder) => {
      mkdirSync(join(folder, 'empty'));
      await assert.rejects(openLevelBackend(join(folder, 'empty'), { create: false }), {
        code: 'SEGY_E_STORE',
      });
    }));

  it('keeps nothing after a rekey that the former master key opens', () =>
    withFolder(async (folder) => {
      const backend = await openLevelBackend(folder, { create: true });
      const store = await openStore(storeOptions(backend));
      await store.space('a').put('k', utf8('value'));
      const former = [(await backend.get('k'))!, (await backend.get('r/a/k'))!];
      const onDisk = (): boolean[] => {
        const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
        return former.map((octets) => files.some((file) => file.includes(Buffer.from(octets))));
      };
      assert.deepEqual(onDisk(), [true, true]);
      await rekeyStore(store, { master: OTHER_MASTER, random: systemRandom });
      assert.deepEqual(onDisk(), [false, false]);
      assert.equal(Buffer.from((await store.space('a').get('k'))!).toString(), 'value');
      await store.close();
    }));

  describe('backup', () => {
    it('restores into an empty store, still sealed under the same master key', () =>
      withFolder(async (folder) => {
        const backend = await openLevelBackend(join(folder, 'a'), { create: true });
        const store = await openStore(storeOptions(backend));
        await store.space('a').put('k', utf8('a value to look for'));
        const file = join(folder, 'backup');
        await backupStore(store, backend, file);
        await store.close();
        assert.equal(statSync(file).mode & 0o777, 0o600);
        assert.equal(readFileSync(file).includes('a value to look for'), false);
        const target = await openLevelBackend(join(folder, 'b'), { create: true });
        await assert.rejects(
          restoreStore(file, () => Promise.resolve(target), OTHER_MASTER),
          {
            code: 'SEGY_E_STORE_KEY',
          },
        );
        await restoreStore(file, () => Promise.resolve(target), MASTER);
        const restored = await openStore(storeOptions(target));
        assert.deepEqual(await verifyStore(restored), { records: 1, refused: [] });
        await assert.rejects(
          restoreStore(file, () => Promise.resolve(target), MASTER),
          { code: 'SEGY_E_STORE' },
        );
        await restored.close();
      }));

    it('is refused when one octet of it was changed, or its end is missing', () =>
      withFolder(async (folder) => {
        const backend = await openLevelBackend(join(folder, 'a'), { create: true });
        const store = await openStore(storeOptions(backend));
        await store.space('a').put('k', utf8('value'));
        const file = join(folder, 'backup');
        await backupStore(store, backend, file);
        await store.close();
        const whole = readFileSync(file);
        const changed = Buffer.from(whole);
        changed[whole.length - 60]! ^= 1;
        const target = await openLevelBackend(join(folder, 'b'), { create: true });
        for (const bad of [changed, whole.subarray(0, -1), whole.subarray(0, 300), Buffer.of()]) {
          writeFileSync(file, bad);
          await assert.rejects(
            restoreStore(file, () => Promise.resolve(target), MASTER),
            { code: 'SEGY_E_STORE' },
          );
        }
        await target.close();
      }));
  });
});
