/**
 * The deliveries of one partner in the order in which they go out: those of one route together, and
 * those that failed only after their wait.
 */
import { type Delivery, deliveryName } from './delivery.js';

export class DeliveryLane {
  /** by route; the oldest route first */
  readonly #ready = new Map<string, Map<string, Delivery>>();
  readonly #routes = new Map<string, string>();
  readonly #delayed = new Map<string, Delivery>();
  readonly #underWay = new Set<string>();
  /** exchanges under way */
  busy = 0;
  /** how often the partner could not be reached in a row */
  pauses = 0;
  pausedUntil = 0;
  /** code of why it could not be reached last; null once it was */
  unreached: string | null = null;

  /** How many wait, ready or delayed. */
  get waiting(): number {
    return this.#routes.size + this.#delayed.size;
  }

  get isReady(): boolean {
    return this.#ready.size > 0;
  }

  /** Takes in what is new or has changed; what is under way comes back by `end`. */
  put(delivery: Delivery, route: string, now: number): void {
    this.remove(delivery);
    const name = deliveryName(delivery);
    if (this.#underWay.has(name)) return;
    if (delivery.notBefore > now) this.#delayed.set(name, delivery);
    else {
      const names = this.#ready.get(route) ?? new Map<string, Delivery>();
      this.#ready.set(route, names.set(name, delivery));
      this.#routes.set(name, route);
    }
  }

  remove(delivery: Delivery): void {
    const name = deliveryName(delivery);
    this.#delayed.delete(name);
    const route = this.#routes.get(name);
    if (route === undefined) return;
    this.#routes.delete(name);
    const names = this.#ready.get(route);
    names?.delete(name);
    if (names?.size === 0) this.#ready.delete(route);
  }

  /** Those whose wait is over by `now`; they are taken out. */
  takeDue(now: number): Delivery[] {
    const due = [...this.#delayed.values()].filter(({ notBefore }) => notBefore <= now);
    for (const each of due) this.#delayed.delete(deliveryName(each));
    return due;
  }

  /** When the next wait is over; Infinity where nothing waits. */
  nextDue(): number {
    return Math.min(...[...this.#delayed.values()].map(({ notBefore }) => notBefore));
  }

  /** The delayed ones of a group; they are taken out. */
  takeDelayed(group: string): Delivery[] {
    return [...this.#delayed.values()].filter((each) => {
      const isOf = each.group === group;
      if (isOf) this.#delayed.delete(deliveryName(each));
      return isOf;
    });
  }

  /** The oldest route's, as many as may go together. One that failed before goes alone, so that it holds up no other. */
  takeBatch(mostOf: (delivery: Delivery) => number): Delivery[] {
    const [first] = this.#ready;
    if (first === undefined) return [];
    const [route, names] = first;
    const batch: Delivery[] = [];
    for (const delivery of names.values()) {
      const isAlone = delivery.failures > 0;
      if (batch.length >= mostOf(delivery) || (isAlone && batch.length > 0)) break;
      batch.push(delivery);
      if (isAlone) break;
    }
    for (const each of batch) {
      this.remove(each);
      this.#underWay.add(deliveryName(each));
    }
    // what is left of the route stands behind the others
    if (names.size > 0) {
      this.#ready.delete(route);
      this.#ready.set(route, names);
    }
    return batch;
  }

  /** The exchange of these is over. */
  end(batch: readonly Delivery[]): void {
    for (const each of batch) this.#underWay.delete(deliveryName(each));
  }
}
