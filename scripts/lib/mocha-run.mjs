/**
 * Runs test files in this process and writes what comes of them, each as a line of JSON when it comes:
 * {at} which test or hook begins, {passed}, {failed} and {skipped} with the test's title, {done} at the end.
 * Usage: node mocha-run.mjs RESULT-FILE TEST-FILE...
 */
import { appendFileSync } from 'node:fs';
import Mocha from 'mocha';
import { SEED } from '../../dist/test/support/seed.js';

const [resultFile, ...files] = process.argv.slice(2);
const TIMEOUT_MS = 20_000;
/** How long after its last test a process may take to end by itself. */
const GRACE_MS = 3000;

function tell(line) {
  appendFileSync(resultFile, `${JSON.stringify(line)}\n`);
}

/** The reason that test/support/skip.ts left on the test or on a suite around it. */
function skipReason(test) {
  for (let at = test; at; at = at.parent) if (at.skipReason) return at.skipReason;
  return 'no reason stated';
}

process.on('unhandledRejection', (error) => {
  console.log(`    FAILED: unhandled rejection: ${error?.stack ?? error}`);
  tell({ failed: 'unhandled rejection' });
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
  tell({ done: true });
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
for (const begin of ['test', 'hook']) runner.on(begin, (each) => tell({ at: each.fullTitle() }));
runner.on('pass', (test) => tell({ passed: test.fullTitle() }));
runner.on('pending', (test) => {
  const reason = skipReason(test);
  tell({ skipped: test.fullTitle() });
  console.log(`    skipped: ${test.fullTitle()}: ${reason}`);
});
runner.on('fail', (test, error) => {
  const text = String(error?.stack ?? error);
  tell({ failed: test.fullTitle() });
  console.log(`    FAILED: ${test.fullTitle()}\n${text.replace(/^/gm, '      ')}`);
});
