/**
 * How much work something is, told in units that are the same on a fast, a slow and a busy machine: how
 * often a fixed piece of work fits into its time. A unit is some 10 ms of a quiet server of 2024.
 * Of several measurements the least counts, because others on the machine only ever add to one.
 */
import assert from 'node:assert/strict';

const ELEMENT = '<name of="value">text</name>';
const ELEMENTS = 60_000;
const UNIT_RUNS = 5;
const TRIES = 10;

/** What a parser does: looks for patterns in a long text, cuts it up, and keeps the pieces. */
function unitOfWork(): number {
  const kept = new Map<string, string>();
  const text = ELEMENT.repeat(ELEMENTS);
  let count = 0;
  for (const [, name = '', value = '', inner = ''] of text.matchAll(
    /<(\w+) of="(\w+)">(\w+)<\/\w+>/g,
  )) {
    count += 1;
    kept.set(`${name}${count % 1000}`, `${value}${inner}`);
  }
  return kept.size;
}

function since(start: number): number {
  return performance.now() - start;
}

/** How long one unit takes here and now. */
export function unitMs(): number {
  const runs = Array.from({ length: UNIT_RUNS }, () => {
    const start = performance.now();
    unitOfWork();
    return since(start);
  });
  return Math.min(...runs);
}

/** Judges one try after the other. */
class Judge {
  #least = Infinity;

  constructor(
    readonly what: string,
    readonly units: number,
  ) {}

  /** Whether a try that took so long is within the limit. */
  takes(ms: number): boolean {
    // Most of what is measured is far below its limit, wherever it runs.
    if (ms < this.units) return true;
    this.#least = Math.min(this.#least, ms / unitMs());
    return this.#least <= this.units;
  }

  fail(): never {
    assert.fail(`${this.what} took ${this.#least.toFixed(1)} units of work, not ${this.units}`);
  }
}

/** @throws AssertionError that names `what` when `work` is more than so many units each time it is tried */
export function assertCheap(what: string, units: number, work: () => unknown): void {
  const judge = new Judge(what, units);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const start = performance.now();
    work();
    if (judge.takes(since(start))) return;
  }
  judge.fail();
}

/** The same of work that is done when its promise resolves. */
export async function assertCheapToWait(
  what: string,
  units: number,
  work: () => Promise<unknown>,
): Promise<void> {
  const judge = new Judge(what, units);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const start = performance.now();
    await work();
    if (judge.takes(since(start))) return;
  }
  judge.fail();
}
