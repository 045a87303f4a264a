/** A bounded queue whose callers take turns, each in its own order. */
export class FairQueue<T> {
  readonly #limit: number;
  readonly #byCaller = new Map<string, T[]>();
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns false when the queue is full */
  push(caller: string, item: T): boolean {
    if (this.#size >= this.#limit) return false;
    const items = this.#byCaller.get(caller);
    if (items === undefined) this.#byCaller.set(caller, [item]);
    else items.push(item);
    this.#size++;
    return true;
  }

  /** The oldest item of the caller whose turn it is; that caller goes to the end of the round. */
  take(): T | undefined {
    for (const [caller, items] of this.#byCaller) {
      const item = items.shift();
      this.#byCaller.delete(caller);
      if (items.length > 0) this.#byCaller.set(caller, items);
      this.#size--;
      return item;
    }
    return undefined;
  }

  /** @returns whether the item was waiting */
  remove(caller: string, item: T): boolean {
    const items = this.#byCaller.get(caller);
    const index = items?.indexOf(item) ?? -1;
    if (items === undefined || index < 0) return false;
    items.splice(index, 1);
    if (items.length === 0) this.#byCaller.delete(caller);
    this.#size--;
    return true;
  }
}
