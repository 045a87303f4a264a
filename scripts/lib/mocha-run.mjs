/**
 * Runs test files in this process and writes what came of them as JSON.
 * Usage: node mocha-run.mjs RESULT-FILE TEST-FILE...
 * The result is {passed, failed: [{title, error}], skipped: [{title, reason}]}.
 */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import { SEED } from '../../dist/test/support/seed.js';

const [resultFile, ...files] = process.argv.slice(2);
const TIMEOUT_MS = 20_000;
/** How long after its last test a process may take to end by itself. */
const GRACE_MS = 3000;

const result = { passed: 0, failed: [], skipped: [] };

/** The reason that test/support/skip.ts left on the test or on a suite around it. */
function skipReason(test) {
  for (let at = test; at; at = at.parent) if (at.skipReason) return at.skipReason;
  return 'no reason stated';
}

process.on('unhandledRejection', (error) => {
  result.failed.push({ title: 'unhandled rejection', error: String(error?.stack ?? error) });
});

/** Mocha wants a reporter; what is printed comes from the listeners below. */
function quiet() {
  return undefined;
}

const mocha = new Mocha({ timeout: TIMEOUT_MS, reporter: quiet });
console.log(`  (seed ${SEED})`);
for (const file of files) mocha.addFile(file);
await mocha.loadFilesAsync();

const runner = mocha.run(() => {
  writeFileSync(resultFile, JSON.stringify(result));
  setTimeout(() => {
    const left = [...new Set(process.getActiveResourcesInfo())].join(', ');
    console.log(`    (the tests left something open: ${left})`);
    process.exit();
  }, GRACE_MS).unref();
});
let shown = '';
runner.on('suite', (suite) => {
  if (suite.parent?.root !== true || suite.title === shown) return;
  shown = suite.title;
  console.log(`  ${suite.title}`);
});
runner.on('pass', () => result.passed++);
runner.on('pending', (test) => {
  const reason = skipReason(test);
  result.skipped.push({ title: test.fullTitle(), reason });
  console.log(`    skipped: ${test.fullTitle()}: ${reason}`);
});
runner.on('fail', (test, error) => {
  const text = String(error?.stack ?? error);
  result.failed.push({ title: test.fullTitle(), error: text });
  console.log(`    FAILED: ${test.fullTitle()}\n${text.replace(/^/gm, '      ')}`);
});
