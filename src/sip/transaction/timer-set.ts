import type { TimerHandle, Timers } from '../../base/environment.js';

/** Named timers of one owner; starting a name again replaces it. */
export class TimerSet {
  readonly #timers: Timers;
  readonly #running = new Map<string, TimerHandle>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  start(name: string, ms: number, callback: () => void): void {
    this.stop(name);
    const handle = this.#timers.setTimeout(() => {
      this.#running.delete(name);
      callback();
    }, ms);
    this.#running.set(name, handle);
  }

  runs(name: string): boolean {
    return this.#running.has(name);
  }

  stop(name: string): void {
    const handle = this.#running.get(name);
    if (handle === undefined) return;
    this.#timers.clearTimeout(handle);
    this.#running.delete(name);
  }

  stopAll(): void {
    for (const name of [...this.#running.keys()]) this.stop(name);
  }
}
