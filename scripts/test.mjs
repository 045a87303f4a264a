#!/usr/bin/env node
/**
 * `npm test`: sets up what is missing, then lint, unit tests and system tests. Prints each failure and
 * each skip with its reason, and ends with one line `N passed, N failed, N skipped`. Exit status 0 only
 * when something passed and nothing failed.
 *
 * Arguments: parts of test file paths; with any, only the test files that contain one of them run, and
 * lint does not.
 */
import { mkdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { capture } from './lib/run.mjs';
import { ROOT, setUp } from './lib/setup.mjs';
import { runTests, stopTests, testFiles } from './lib/test-process.mjs';

const wanted = process.argv.slice(2);
const totals = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

function fail(title, detail) {
  totals.failed++;
  failures.push(title);
  if (detail) console.log(detail.replace(/^/gm, '    '));
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
  console.log(title);
  const { passed, failed, skipped } = await runTests(files);
  totals.passed += passed;
  totals.skipped += skipped.length;
  for (const { title: name } of failed) fail(name);
}

/** Files by the folder of dist/test that they are in. */
function byFolder(files) {
  const folders = new Map();
  for (const file of files) {
    const path = relative(join(ROOT, 'dist/test'), file);
    const folder = path.includes(sep) ? path.split(sep)[0] : 'the project';
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  return folders;
}

function conclude() {
  for (const title of failures) console.log(`FAILED: ${title}`);
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    stopTests();
    fail(`all that was to come after ${signal}`);
    conclude();
    process.exit();
  });
}

async function main() {
  await setUp();
  mkdirSync(join(ROOT, 'artefacts'), { recursive: true });
  if (wanted.length === 0) lint();
  const system = join(ROOT, 'dist/test/system');
  const all = testFiles(join(ROOT, 'dist/test'), wanted);
  const unit = byFolder(all.filter((path) => !path.startsWith(system)));
  for (const [folder, files] of unit) await run(`Unit tests of ${folder}`, files);
  for (const file of all.filter((path) => path.startsWith(system))) {
    await run(`System test ${relative(system, file).replace('.test.js', '')}`, [file]);
  }
}

try {
  await main();
} catch (error) {
  fail('set-up', error.message);
}
conclude();
