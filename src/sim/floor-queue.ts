/** Floor requests that wait: the most urgent first, then the oldest. */
import type { FloorLevel, QueueInfo } from '../floor/index.js';
import { DEFAULT_FLOOR_CODE_POINTS } from '../floor/index.js';
import { RANK } from './floor-model.js';

interface Waiting {
  readonly userId: string;
  readonly level: FloorLevel;
}

export class FloorQueue {
  readonly #limit: number;
  #waiting: Waiting[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get users(): readonly string[] {
    return this.#waiting.map(({ userId }) => userId);
  }

  /**
   * False when the queue is full, unless `beyond` the limit. One who waits already keeps its place
   * unless it became more urgent.
   */
  add(userId: string, level: FloorLevel, beyond = false): boolean {
    const old = this.#waiting.find((waiting) => waiting.userId === userId);
    if (old && RANK[old.level] >= RANK[level]) return true;
    this.remove(userId);
    if (!beyond && this.#waiting.length >= this.#limit) return false;
    const behind = this.#waiting.findIndex((waiting) => RANK[waiting.level] < RANK[level]);
    const at = behind < 0 ? this.#waiting.length : behind;
    this.#waiting.splice(at, 0, { userId, level });
    return true;
  }

  remove(userId: string): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.userId !== userId);
  }

  /** The one whose turn it is, taken out. */
  next(): Waiting | undefined {
    return this.#waiting.shift();
  }

  placeOf(userId: string): QueueInfo {
    const at = this.users.indexOf(userId);
    const waiting = this.#waiting[at];
    if (!waiting) return { position: DEFAULT_FLOOR_CODE_POINTS.notQueued, priority: 0 };
    return { position: at + 1, priority: RANK[waiting.level] };
  }
}
