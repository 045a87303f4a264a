/**
 * A media thread's place in the queue for the processor. Speech is late where the pairings, the
 * collector of another thread or a neighbour on the machine go first.
 */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

export interface ThreadSystem {
  /** what /proc/thread-self points to: `PID/task/TID` */
  threadSelf(): string;
  /** @throws where the system refuses (EACCES, EPERM) */
  setPriority(thread: number, nice: number): void;
}

const linux: ThreadSystem = {
  threadSelf: () => readlinkSync('/proc/thread-self'),
  setPriority,
};

/** As of nice(1): lower goes first. */
export const DEFAULT_MEDIA_NICE = -10;

/**
 * Puts the calling thread, and it alone, at `nice`. It needs the right to do so (CAP_SYS_NICE, or
 * LimitNICE of the unit); without it, media run as the rest of the process does.
 * @returns whether it was done
 */
export function putThisThreadAt(nice: number, system: ThreadSystem = linux): boolean {
  try {
    const thread = Number(/\/task\/(\d+)$/.exec(system.threadSelf())?.[1]);
    if (!Number.isInteger(thread)) return false;
    system.setPriority(thread, nice);
    return true;
  } catch {
    return false;
  }
}
