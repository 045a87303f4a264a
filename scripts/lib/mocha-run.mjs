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
/**
 * The time limits in the tests are those of a quiet machine. Here they only tell a test that hangs from one
 * that is slow, so they are longer by this factor: what is asserted about time, the tests assert themselves.
 */
const PATIENCE = 5;
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

/** Stretches the limits of a suite and of all in it, also those that are set while a test runs. */
function allowMore(suite) {
  const stretch = (each) => each.timeout(each.timeout() * PATIENCE);
  for (const inner of suite.suites) allowMore(inner);
  const hooks = ['_beforeAll', '_beforeEach', '_afterEach', '_afterAll'];
  for (const each of [...suite.tests, ...hooks.flatMap((name) => suite[name])]) stretch(each);
}

const { timeout } = Mocha.Context.prototype;
Mocha.Context.prototype.timeout = function (ms) {
  return ms === undefined ? timeout.call(this) : timeout.call(this, ms * PATIENCE);
};

/** Mocha wants a reporter; what is printed comes from the listeners below. */
function quiet() {
  return undefined;
}

const mocha = new Mocha({ timeout: TIMEOUT_MS, reporter: quiet });
console.log(`  (seed ${SEED})`);
for (const file of files) mocha.addFile(file);
await mocha.loadFilesAsync();

allowMore(mocha.suite);
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
