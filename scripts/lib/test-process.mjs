/** Test files in a process of their own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './setup.mjs';

/** One process of tests may not take longer than this. */
const PROCESS_LIMIT_MS = 15 * 60_000;

/**
 * Where tests put their files: sockets are among them, whose names hold 107 octets, so that folders of
 * the machine with long names do not serve.
 */
const TEMPORARY = tmpdir().length > 40 ? '/tmp' : tmpdir();

const running = new Set();

/** Ends a process of tests with all that its tests started and left. */
function killGroup(leader) {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Ends every process of tests at once; what they found until then is still told. */
export function stopTests() {
  for (const leader of running) killGroup(leader);
}

/** The built test files below `folder` whose path contains one of `parts`; all of them without any. */
export function testFiles(folder, parts = []) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => parts.length === 0 || parts.some((part) => path.includes(part)))
    .sort();
}

/**
 * Runs the files; what the tests print is shown, or not with `output` 'ignore'. A process that ends before its tests are done, or does
 * not end in time, is one more failure, named after the test it was at.
 * @returns {Promise<{passed: number, failed: {title: string}[], skipped: object[]}>}
 */
export async function runTests(files, { env = {}, output = 'inherit' } = {}) {
  const folder = mkdtempSync(join(TEMPORARY, 'segy-test-'));
  const resultFile = join(folder, 'result.jsonl');
  const script = join(ROOT, 'scripts/lib/mocha-run.mjs');
  try {
    const args = ['--enable-source-maps', script, resultFile, ...files];
    const ended = await ending(args, {
      cwd: ROOT,
      env: { ...process.env, TMPDIR: TEMPORARY, ...env },
      stdio: ['ignore', output, output],
    });
    return readResult(resultFile, ended);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs Node as the leader of a process group. @returns how it ended, in words */
function ending(args, options) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { ...options, detached: true });
    running.add(child.pid);
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      killGroup(child.pid);
    }, PROCESS_LIMIT_MS);
    const end = (how) => {
      clearTimeout(limit);
      running.delete(child.pid);
      resolve(late ? `was ended after ${PROCESS_LIMIT_MS / 60_000} minutes` : how);
    };
    child.once('error', (error) => end(`did not start: ${error.message}`));
    child.once('exit', (status, signal) => {
      killGroup(child.pid);
      end(`ended with ${signal ?? `status ${status}`}`);
    });
  });
}

/** What mocha-run.mjs wrote, line by line. */
function readResult(path, ended) {
  const result = { passed: 0, failed: [], skipped: [] };
  let at = 'its start';
  let isWhole = false;
  for (const line of readLines(path)) {
    if (isWhole) break;
    if (line.at !== undefined) at = line.at;
    if (line.passed !== undefined) result.passed++;
    if (line.failed !== undefined) result.failed.push({ title: line.failed });
    if (line.skipped !== undefined) result.skipped.push({ title: line.skipped });
    if (line.done !== undefined) isWhole = true;
  }
  if (!isWhole) result.failed.push({ title: `the test process ${ended}, at: ${at}` });
  return result;
}

function readLines(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}
