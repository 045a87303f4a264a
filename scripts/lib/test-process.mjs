/** Test files in a process of their own. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { show } from './run.mjs';
import { ROOT } from './setup.mjs';

/** One process of tests may not take longer than this. */
const PROCESS_LIMIT_MS = 15 * 60_000;

/** The built test files below `folder` whose path contains one of `parts`; all of them without any. */
export function testFiles(folder, parts = []) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => parts.length === 0 || parts.some((part) => path.includes(part)))
    .sort();
}

/**
 * Runs the files; what the tests print is shown.
 * @returns {Promise<{passed: number, failed: {title: string}[], skipped: object[]}>}
 * @throws Error when the process ended before its tests were done
 */
export async function runTests(files, env = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'segy-test-'));
  const resultFile = join(folder, 'result.json');
  try {
    const status = await show(
      process.execPath,
      ['--enable-source-maps', join(ROOT, 'scripts/lib/mocha-run.mjs'), resultFile, ...files],
      {
        cwd: ROOT,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'inherit', 'inherit'],
        timeout: PROCESS_LIMIT_MS,
        killSignal: 'SIGKILL',
      },
    );
    return readResult(resultFile, status);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readResult(path, status) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new Error(`the test process ended with status ${status} before its tests were done`);
  }
}
