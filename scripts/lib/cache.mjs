/**
 * The folder for what is made once and kept between runs, outside the tracked files, and a lock for it.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** `$SEGY_CACHE`, else `mc-segy` in `$XDG_CACHE_HOME` or `~/.cache`. The folder exists on return. */
export function cacheFolder() {
  const folder =
    process.env.SEGY_CACHE ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'mc-segy');
  mkdirSync(folder, { recursive: true });
  return folder;
}

function holderIsAlive(lock) {
  let pid;
  try {
    pid = Number(readFileSync(join(lock, 'pid'), 'utf8'));
  } catch {
    return undefined;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/**
 * Runs `work` while no other process does so under the same name. A lock whose holder is dead, or that
 * has had no holder's name in it for 10 s, is taken over.
 */
export async function withLock(name, work, { waitMs = 15 * 60_000 } = {}) {
  const lock = join(cacheFolder(), `${name}.lock`);
  const giveUp = Date.now() + waitMs;
  let namelessSince;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const alive = holderIsAlive(lock);
    namelessSince = alive === undefined ? (namelessSince ?? Date.now()) : undefined;
    if (alive === false || (namelessSince !== undefined && Date.now() - namelessSince > 10_000)) {
      rmSync(lock, { recursive: true, force: true });
      continue;
    }
    if (Date.now() > giveUp) throw new Error(`${lock} is held by another process for too long`);
    await sleep(200);
  }
  try {
    writeFileSync(join(lock, 'pid'), String(process.pid));
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}
