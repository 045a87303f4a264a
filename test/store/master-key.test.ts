import assert from 'node:assert/strict';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemRandom } from '../../src/base/environment.js';
import { createMasterKeyFile, readMasterSecret } from '../../src/store/index.js';
import { withFolder } from './support.js';

const REFUSED = { code: 'SEGY_E_STORE_KEY' };

describe('master key', () => {
  it('is made once, with mode 0600, and never overwritten', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'master.key');
      assert.equal(await createMasterKeyFile(path, systemRandom), true);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      const text = readFileSync(path, 'utf8');
      assert.equal(await createMasterKeyFile(path, systemRandom), false);
      assert.equal(readFileSync(path, 'utf8'), text);
      const secret = await readMasterSecret({ keyFile: path });
      assert.equal(secret.kind === 'key' && Buffer.from(secret.key).toString('hex'), text.trim());
    }));

  it('is refused from a file that others may read', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'master.key');
      await createMasterKeyFile(path, systemRandom);
      for (const mode of [0o644, 0o640, 0o604]) {
        chmodSync(path, mode);
        await assert.rejects(readMasterSecret({ keyFile: path }), REFUSED);
      }
    }));

  it('is refused from an empty, a short or a missing file, and when none is named', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'master.key');
      for (const text of ['', 'abcd', 'x'.repeat(64), 'a'.repeat(5000)]) {
        writeFileSync(path, text, { mode: 0o600 });
        await assert.rejects(readMasterSecret({ keyFile: path }), REFUSED);
      }
      await assert.rejects(readMasterSecret({ keyFile: join(folder, 'none') }), REFUSED);
      await assert.rejects(readMasterSecret({}), REFUSED);
    }));

  it('is taken from the systemd credential before the file', () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'segy-master-key'), 'ab'.repeat(32), { mode: 0o440 });
      const secret = await readMasterSecret({
        keyFile: join(folder, 'none'),
        credential: 'segy-master-key',
        credentialsDirectory: folder,
      });
      assert.deepEqual(secret, { kind: 'key', key: new Uint8Array(32).fill(0xab) });
    }));

  it('is refused from a passphrase of few characters', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'passphrase');
      writeFileSync(path, 'short\n', { mode: 0o600 });
      await assert.rejects(readMasterSecret({ passphraseFile: path }), REFUSED);
      writeFileSync(path, 'long enough to use\nsecond line', { mode: 0o600 });
      const secret = await readMasterSecret({ passphraseFile: path });
      assert.equal(
        secret.kind === 'passphrase' && Buffer.from(secret.passphrase).toString(),
        'long enough to use',
      );
    }));
});
