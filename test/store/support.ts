import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemRandom } from '../../src/base/environment.js';
import type { MasterSecret, OpenStoreOptions, StoreBackend } from '../../src/store/index.js';

export const MASTER: MasterSecret = { kind: 'key', key: new Uint8Array(32).fill(7) };
export const OTHER_MASTER: MasterSecret = { kind: 'key', key: new Uint8Array(32).fill(8) };
export const CHEAP_SCRYPT = { logN: 10, r: 1, p: 1 };

export function storeOptions(
  backend: StoreBackend,
  more: Partial<OpenStoreOptions> = {},
): OpenStoreOptions {
  return { backend, master: MASTER, random: systemRandom, log: silentLog, create: true, ...more };
}

/** Runs `work` with a fresh folder that is removed afterwards. */
export async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'segy-test-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
