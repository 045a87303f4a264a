/** Floor messages of one session, counted. */
import type { FloorDrop, FloorStats } from './floor-types.js';

export class FloorCounters {
  received = 0;
  sent = 0;
  readonly dropped: Partial<Record<FloorDrop, number>> = {};
  /** what `since` told last */
  #told: FloorStats = { received: 0, sent: 0, dropped: {} };
  #used = false;

  /** The session has floor control. */
  use(): void {
    this.#used = true;
  }

  drop(reason: FloorDrop): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + 1;
  }

  /** null where there never was floor control. */
  stats(): FloorStats | null {
    if (!this.#used) return null;
    return { received: this.received, sent: this.sent, dropped: { ...this.dropped } };
  }

  /** What was counted since the last call; null for nothing. */
  since(): FloorStats | null {
    const now = this.stats();
    const before = this.#told;
    if (now === null) return null;
    this.#told = now;
    const dropped: Partial<Record<FloorDrop, number>> = {};
    for (const reason of Object.keys(now.dropped) as FloorDrop[]) {
      const more = (now.dropped[reason] ?? 0) - (before.dropped[reason] ?? 0);
      if (more > 0) dropped[reason] = more;
    }
    const received = now.received - before.received;
    const sent = now.sent - before.sent;
    const any = received + sent > 0 || Object.keys(dropped).length > 0;
    return any ? { received, sent, dropped } : null;
  }
}
