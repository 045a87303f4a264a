/**
 * How long each thread's event loop was kept from its work. A thread beats every 50 ms and writes, into
 * memory that it shares, the longest time that a beat came late and when the last one was; so a thread
 * that hangs shows, although it can say nothing.
 */

const BEAT_MS = 50;
/** Span over which the longest lag is told, in two halves of which the older is dropped. */
const HALF_SPAN_MS = 15_000;
const LONGEST = 0;
const LAST_BEAT = 1;

/** Shared by a thread that beats and the one that looks. */
export type LagCell = SharedArrayBuffer;

export interface LagView {
  /** `main`, `media`, `crypto` */
  readonly thread: string;
  /** number of the worker among its kind */
  readonly worker: number;
  /** longest lag of the last 15 to 30 seconds, in milliseconds */
  readonly lagMs: number;
}

/** Begins the beats of this thread; they keep no process alive. */
export function beat(cell: LagCell): void {
  const values = new Float64Array(cell);
  values[LAST_BEAT] = Date.now();
  let expected = performance.now() + BEAT_MS;
  setInterval(() => {
    const now = performance.now();
    values[LONGEST] = Math.max(values[LONGEST] ?? 0, now - expected);
    values[LAST_BEAT] = Date.now();
    expected = now + BEAT_MS;
  }, BEAT_MS).unref();
}

interface Watched {
  readonly thread: string;
  readonly worker: number;
  values: Float64Array;
  older: number;
  newer: number;
}

/** The cells of all threads, for whoever looks at them. */
export class LagBoard {
  readonly #watched = new Map<string, Watched>();
  #turnedAt = Date.now();

  /** A new cell for a thread; a thread that is started again takes the place of the one before. */
  cell(thread: string, worker: number): LagCell {
    const cell = new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT);
    const values = new Float64Array(cell);
    this.#watched.set(`${thread} ${worker}`, { thread, worker, values, older: 0, newer: 0 });
    return cell;
  }

  /** How long the thread that is silent longest has given no beat, in milliseconds. */
  silentMs(): number {
    const now = Date.now();
    const beats = [...this.#watched.values()].map(({ values }) => values[LAST_BEAT] ?? 0);
    return Math.max(0, ...beats.filter((at) => at > 0).map((at) => now - at));
  }

  view(): LagView[] {
    const now = Date.now();
    const turn = now - this.#turnedAt >= HALF_SPAN_MS;
    if (turn) this.#turnedAt = now;
    return [...this.#watched.values()].map((watched) => {
      const { thread, worker, values } = watched;
      if (turn) {
        watched.older = watched.newer;
        watched.newer = 0;
      }
      const lastBeat = values[LAST_BEAT] ?? 0;
      const silent = lastBeat === 0 ? 0 : now - lastBeat - BEAT_MS;
      watched.newer = Math.max(watched.newer, values[LONGEST] ?? 0, silent);
      values[LONGEST] = 0;
      return { thread, worker, lagMs: Math.max(0, watched.older, watched.newer) };
    });
  }
}
