/**
 * Packets that wait for the floor, the oldest first. Those that waited too long are let go, so that
 * what is sent in the end is the speech right before it and nothing older.
 */
export class HeldPackets<T> {
  readonly #entries: { readonly at: number; readonly packet: T }[] = [];
  readonly #limit: number;
  readonly #dropped: (count: number) => void;

  /**
   * @param limit packets at most
   * @param dropped is told how many were let go
   */
  constructor(limit: number, dropped: (count: number) => void) {
    this.#limit = limit;
    this.#dropped = dropped;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** @param maxAgeMs what waited longer goes */
  push(packet: T, now: number, maxAgeMs: number): void {
    this.#entries.push({ at: now, packet });
    this.#letGo(now, maxAgeMs);
  }

  /** Everything that waits, which waits no more. */
  take(now: number, maxAgeMs: number): T[] {
    this.#letGo(now, maxAgeMs);
    return this.#entries.splice(0).map(({ packet }) => packet);
  }

  #letGo(now: number, maxAgeMs: number): void {
    let gone = Math.max(0, this.#entries.length - this.#limit);
    while ((this.#entries[gone]?.at ?? now) < now - maxAgeMs) gone += 1;
    if (gone === 0) return;
    this.#entries.splice(0, gone);
    this.#dropped(gone);
  }

  /** Lets everything go. */
  drop(): void {
    const gone = this.#entries.length;
    this.#entries.length = 0;
    if (gone > 0) this.#dropped(gone);
  }
}
