#!/usr/bin/env node
/**
 * `npm test`: sets up what is missing, then lint, unit tests and system tests. Prints each failure and
 * each skip with its reason, and ends with one line `N passed, N failed, N skipped`. Exit status 0 only
 * when something passed and nothing failed.
 *
 * Arguments: parts of test file paths; with any, only the test files that contain one of them run, and
 * lint does not.
 */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { capture, show } from './lib/run.mjs';
import { ROOT, setUp } from './lib/setup.mjs';

/** One process of tests may not take longer than this. */
const PROCESS_LIMIT_MS = 15 * 60_000;

const wanted = process.argv.slice(2);
const totals = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

function fail(title, detail) {
  totals.failed++;
  failures.push(title);
  if (detail) console.log(detail.replace(/^/gm, '    '));
}

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => wanted.length === 0 || wanted.some((part) => path.includes(part)))
    .sort();
}

function lint() {
  console.log('Lint');
  for (const [name, args] of [
    ['eslint', ['node_modules/eslint/bin/eslint.js', '.']],
    ['prettier', ['node_modules/prettier/bin/prettier.cjs', '--check', '.']],
  ]) {
    const { status, stdout, stderr } = capture(process.execPath, args, { cwd: ROOT });
    if (status === 0) totals.passed++;
    else fail(name, `${stdout}${stderr}`);
  }
}

async function run(title, files) {
  if (files.length === 0) return;
  console.log(title);
  const folder = mkdtempSync(join(tmpdir(), 'segy-test-'));
  const resultFile = join(folder, 'result.json');
  try {
    const status = await show(
      process.execPath,
      ['--enable-source-maps', join(ROOT, 'scripts/lib/mocha-run.mjs'), resultFile, ...files],
      {
        cwd: ROOT,
        stdio: ['ignore', 'inherit', 'inherit'],
        timeout: PROCESS_LIMIT_MS,
        killSignal: 'SIGKILL',
      },
    );
    const result = readResult(resultFile);
    if (result === null) {
      fail(title, `the test process ended with status ${status} before its tests were done`);
      return;
    }
    totals.passed += result.passed;
    totals.skipped += result.skipped.length;
    for (const { title: name } of result.failed) fail(name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readResult(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

async function main() {
  await setUp();
  mkdirSync(join(ROOT, 'artefacts'), { recursive: true });
  if (wanted.length === 0) lint();
  const system = join(ROOT, 'dist/test/system');
  const all = testFiles(join(ROOT, 'dist/test'));
  await run(
    'Unit tests',
    all.filter((path) => !path.startsWith(system)),
  );
  for (const file of all.filter((path) => path.startsWith(system))) {
    await run(`System test ${relative(system, file).replace('.test.js', '')}`, [file]);
  }
}

try {
  await main();
} catch (error) {
  fail('set-up', error.message);
}
for (const title of failures) console.log(`FAILED: ${title}`);
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;
