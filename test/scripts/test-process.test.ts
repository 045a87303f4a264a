import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_ROOT } from '../support/asterisk.js';
import { until } from '../support/waiting.js';

interface Result {
  readonly passed: number;
  readonly failed: readonly { title: string }[];
  readonly skipped: readonly { title: string }[];
}

interface TestProcess {
  runTests(files: readonly string[], options: { output: 'ignore' }): Promise<Result>;
  stopTests(): void;
}

interface Run {
  persist(
    what: string,
    step: () => Promise<boolean>,
    options: { pausesMs: readonly number[]; say: () => void },
  ): Promise<boolean>;
}

function script<T>(name: string): Promise<T> {
  return import(pathToFileURL(join(PROJECT_ROOT, 'scripts/lib', name)).href) as Promise<T>;
}

describe('a process of tests', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'segy-test-'));
  let tests: TestProcess;
  before(async () => (tests = await script<TestProcess>('test-process.mjs')));
  after(() => rmSync(folder, { recursive: true, force: true }));

  function file(...lines: readonly string[]): string {
    const path = join(folder, 'one.test.mjs');
    writeFileSync(path, lines.join('\n'));
    return path;
  }

  const run = (...lines: readonly string[]): Promise<Result> =>
    tests.runTests([file(...lines)], { output: 'ignore' });

  const pidOf = (name: string): number => Number(readFileSync(join(folder, name), 'utf8'));

  function isAlive(pid: number): boolean {
    try {
      // A zombie, which nobody has waited for yet, can be signalled, too.
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  }

  const SLEEPER = [
    "import { spawn } from 'node:child_process';",
    "import { writeFileSync } from 'node:fs';",
    "const sleeper = spawn('sleep', ['600'], { stdio: 'ignore' });",
    'sleeper.unref();',
    `writeFileSync(${JSON.stringify(join(folder, 'sleeper'))}, String(sleeper.pid));`,
  ];

  it('tells what passed, failed and was skipped', async () => {
    const result = await run(
      "it('is right', () => {});",
      "it('is wrong', () => { throw new Error('wrong'); });",
      "it.skip('is left out', () => {});",
    );
    assert.deepEqual(result, {
      passed: 1,
      failed: [{ title: 'is wrong' }],
      skipped: [{ title: 'is left out' }],
    });
  });

  it('tells a slow test from one that hangs: five times its limit is given', async () => {
    const result = await run(
      'const waiting = (ms) => new Promise((resolve) => setTimeout(resolve, ms));',
      "it('is slow', async function () { this.timeout(100); await waiting(200); });",
      "it('hangs', function (done) { this.timeout(20); });",
      "it('is slow in a slow suite', () => waiting(200)).timeout(100);",
    );
    assert.deepEqual([result.passed, result.failed], [2, [{ title: 'hangs' }]]);
  });

  it('that ends in the middle is one failure, named after the test it was at, and loses no result', async () => {
    const result = await run("it('is right', () => {});", "it('ends', () => process.exit(3));");
    assert.equal(result.passed, 1);
    assert.deepEqual(result.failed, [{ title: 'the test process ended with status 3, at: ends' }]);
  });

  it('whose file cannot be loaded is a failure', async () => {
    const { passed, failed } = await run("import './nowhere.mjs';");
    assert.equal(passed, 0);
    assert.deepEqual(failed, [{ title: 'the test process ended with status 1, at: its start' }]);
  });

  it('takes with it what its tests started and left', async () => {
    const { passed } = await run(...SLEEPER, "it('is right', () => {});");
    assert.equal(passed, 1);
    await until('the sleeper is gone', () => !isAlive(pidOf('sleeper')));
  });

  it('that hangs is ended on demand, with all that it started, and loses no result', async () => {
    const hanging = run(
      ...SLEEPER,
      "it('is right', () => {});",
      "it('hangs', () => {",
      `  writeFileSync(${JSON.stringify(join(folder, 'hangs'))}, String(process.pid));`,
      '  for (;;);',
      '});',
    );
    await until(
      'the test hangs',
      () => {
        try {
          return pidOf('hangs') > 0;
        } catch {
          return false;
        }
      },
      30_000,
    );
    tests.stopTests();
    assert.deepEqual(await hanging, {
      passed: 1,
      failed: [{ title: 'the test process ended with SIGKILL, at: hangs' }],
      skipped: [],
    });
    await until('the sleeper is gone', () => !isAlive(pidOf('sleeper')));
  });
});

describe('a step of the set-up', () => {
  let run: Run;
  before(async () => (run = await script<Run>('run.mjs')));

  const tries = async (right: number): Promise<[number, boolean]> => {
    let count = 0;
    const step = (): Promise<boolean> => Promise.resolve(++count === right);
    const isDone = await run.persist('a step', step, { pausesMs: [0, 0], say: () => undefined });
    return [count, isDone];
  };

  it('is done once when it is right', async () => assert.deepEqual(await tries(1), [1, true]));

  it('that went wrong for a moment is tried again', async () =>
    assert.deepEqual(await tries(3), [3, true]));

  it('that stays wrong is given up after the third try', async () =>
    assert.deepEqual(await tries(4), [3, false]));
});
