/**
 * Child processes for the scripts of this folder.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where `command` is on PATH, or null. */
export function onPath(command) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  // Debian keeps daemons where an ordinary user's PATH does not look.
  for (const folder of [...folders, '/usr/sbin', '/usr/local/sbin', '/sbin']) {
    const candidate = join(folder, command);
    if (existsSync(candidate)) return candidate;
  }
  return null;
}

/** Runs a command to its end without showing it. @returns its status and what it printed */
export function capture(command, args, options = {}) {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    ...options,
  });
  return {
    status: result.status ?? 1,
    stdout: result.stdout ?? '',
    stderr: result.error ? result.error.message : (result.stderr ?? ''),
  };
}

/** How long to wait before a step that went wrong is tried again. */
const PAUSES_MS = [5000, 20_000];

/**
 * Does `step` until it is right, three times at most: what goes by the network may fail for a moment.
 * @param {() => Promise<boolean>} step @returns whether it was right in the end
 */
export async function persist(what, step, { pausesMs = PAUSES_MS, say = console.error } = {}) {
  for (const pauseMs of pausesMs) {
    if (await step()) return true;
    say(`${what} failed; again in ${pauseMs / 1000} s ...`);
    await sleep(pauseMs);
  }
  return step();
}

/**
 * Runs a command to its end with its output on this process's standard error, so that standard output
 * stays free for results. @returns the exit status, 1 when it could not start or was killed
 */
export function show(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 2, 2], ...options });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (status) => resolve(status ?? 1));
  });
}
