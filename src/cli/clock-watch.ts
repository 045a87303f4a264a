/** Notices that the wall clock was set: it went another way than the time that timers count. */
import type { Clock, Timers } from '../base/environment.js';

const LOOK_EVERY_MS = 15_000;
/** Less is the lag of timers, or of no consequence. */
const JUMP_MS = 60_000;

/** Calls `onJump` after the clock was set ahead or back. @returns what ends the watch */
export function watchClock(
  { clock, timers }: { readonly clock: Clock; readonly timers: Timers },
  onJump: () => void,
): () => void {
  const look = (due: number): void => {
    const now = clock.now();
    timer = timers.setTimeout(() => look(now + LOOK_EVERY_MS), LOOK_EVERY_MS);
    if (Math.abs(now - due) > JUMP_MS) onJump();
  };
  const start = clock.now();
  let timer = timers.setTimeout(() => look(start + LOOK_EVERY_MS), LOOK_EVERY_MS);
  return () => timers.clearTimeout(timer);
}
