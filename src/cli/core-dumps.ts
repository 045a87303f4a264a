/**
 * Turns core dumps of this process off, since its memory holds keys: no part of it is dumped
 * (`/proc/self/coredump_filter`), and the size limit is set to 0 by the system's `prlimit`, because
 * Node has no call for it.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/** @returns false when a dump could still be written */
export function turnCoreDumpsOff(): boolean {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // not Linux, or no /proc: the limit below decides
  }
  if (limitIsZero()) return true;
  spawnSync('prlimit', ['--pid', String(process.pid), '--core=0:0'], { stdio: 'ignore' });
  return limitIsZero();
}

function limitIsZero(): boolean {
  try {
    return /^Max core file size\s+0\s+0\s/m.test(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return false;
  }
}
