import type { Environment, Timers } from '../../../src/base/environment.js';
import { silentLog, silentMetrics, systemRandom } from '../../../src/base/environment.js';

interface Due {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that moves only when told to, and fires its timers on the way in their order. */
export class FakeTimers implements Timers {
  now = 1_000_000;
  #order = 0;
  readonly #due = new Set<Due>();

  /** Timers that wait. */
  get waiting(): number {
    return this.#due.size;
  }

  setTimeout(callback: () => void, ms: number): object {
    const due = { at: this.now + ms, order: this.#order, callback };
    this.#order += 1;
    this.#due.add(due);
    return due;
  }

  clearTimeout(handle: object | number): void {
    this.#due.delete(handle as Due);
  }

  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [next] = [...this.#due]
        .filter((due) => due.at <= end)
        .sort((a, b) => a.at - b.at || a.order - b.order);
      if (next === undefined) break;
      this.now = next.at;
      this.#due.delete(next);
      next.callback();
    }
    this.now = end;
  }
}

/** An environment that lives on `timers`, its log and metrics silent. */
export function fakeEnvironment(timers: FakeTimers): Environment {
  return {
    clock: { now: () => timers.now },
    timers,
    random: systemRandom,
    log: silentLog,
    metrics: silentMetrics,
  };
}
