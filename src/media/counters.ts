/**
 * Packet counts of one direction of a session.
 */
import type { DirectionStats, DropReason } from './types.js';
import type { Reception } from './reception.js';

export type DropCounts = Partial<Record<DropReason, number>>;

export class DirectionCounters {
  packets = 0;
  octets = 0;
  readonly #dropped: DropCounts = {};
  #unreported: DropCounts | null = null;
  #reportedAt = -Infinity;

  drop(reason: DropReason, count = 1): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + count;
    this.#unreported ??= {};
    this.#unreported[reason] = (this.#unreported[reason] ?? 0) + count;
  }

  /** Drops since the last report, at most once each `windowMs`; null when there is nothing to say. */
  takeReport(now: number, windowMs: number): DropCounts | null {
    const counts = this.#unreported;
    if (!counts || now - this.#reportedAt < windowMs) return null;
    this.#unreported = null;
    this.#reportedAt = now;
    return counts;
  }

  get dropped(): Readonly<DropCounts> {
    return this.#dropped;
  }

  stats(reception: Reception): DirectionStats {
    return {
      packets: this.packets,
      octets: this.octets,
      dropped: { ...this.#dropped },
      lost: reception.lost,
      jitterMs: reception.jitterMs,
    };
  }
}
