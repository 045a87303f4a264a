import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { showAudit, verifyAudit } from '../../src/audit/index.js';
import { openLevelBackend, openStore, verifyStore } from '../../src/store/index.js';
import { storeOptions, withFolder } from './support.js';

const CHILD = fileURLToPath(new URL('./full-disk-child.js', import.meta.url));

interface Outcome {
  readonly kept: readonly string[];
  readonly noted: readonly string[];
  readonly refused: number;
  readonly faults: readonly (string | null)[];
  readonly after: readonly (string | null)[];
}

describe('a disk that was full and has room again', () => {
  it('loses nothing that was acknowledged before, meanwhile or after, through a kill', () =>
    withFolder(async (folder) => {
      const { stdout, stderr } = spawnSync(process.execPath, [CHILD, folder], { encoding: 'utf8' });
      assert.ok(stdout.startsWith('{'), stderr);
      const { kept, noted, refused, faults, after } = JSON.parse(stdout) as Outcome;
      assert.ok(refused > 20, `${refused} refused`);
      assert.ok(faults.every((fault) => fault !== null));
      assert.deepEqual(after, [null, null]);
      for (const names of [kept, noted]) {
        assert.equal(names.filter((name) => name.startsWith('again')).length, 40);
      }

      const backend = await openLevelBackend(join(folder, 'store'), { create: false });
      const store = await openStore(storeOptions(backend, { create: false }));
      const held = new Set(store.names('r/a/').map((name) => name.slice('r/a/'.length)));
      assert.deepEqual(
        kept.filter((name) => !held.has(name)),
        [],
      );
      assert.deepEqual((await verifyStore(store)).refused, []);
      await store.close();

      const dialogs = new Set<string>();
      const recovered: string[] = [];
      for await (const { action, dialog = '' } of showAudit(join(folder, 'audit'), {})) {
        if (action === 'log-recovered') recovered.push(action);
        else dialogs.add(dialog);
      }
      assert.deepEqual(
        noted.filter((name) => !dialogs.has(name)),
        [],
      );
      assert.equal(recovered.length, 1);
      assert.deepEqual((await verifyAudit(join(folder, 'audit'))).faults, []);
    }));
});
