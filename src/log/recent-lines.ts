/** The last lines of the log in memory, for whoever asks what happened to one call. */
import type { LogFields } from '../base/environment.js';
import type { LogLine } from './tap.js';

export interface RecentLine extends LogLine {
  /** milliseconds since 1970 */
  readonly at: number;
}

export class RecentLines {
  readonly #lines: RecentLine[] = [];
  readonly #limit: number;
  readonly #now: () => number;
  #next = 0;

  /** @param limit lines kept, 0 for none */
  constructor(limit: number, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /** A listener for `tapLog`. */
  readonly take = (line: LogLine): void => {
    if (this.#limit === 0) return;
    this.#lines[this.#next] = { ...line, at: this.#now() };
    this.#next = (this.#next + 1) % this.#limit;
  };

  /** Lines of which any of `names` is the value of a field, the oldest first. */
  about(names: ReadonlySet<string>): RecentLine[] {
    const inOrder = [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)];
    return inOrder.filter(({ fields }) => valuesOf(fields).some((value) => names.has(value)));
  }
}

function valuesOf(fields: LogFields): string[] {
  return Object.values(fields).filter((value) => typeof value === 'string');
}
