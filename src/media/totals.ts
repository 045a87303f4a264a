/** What the workers count: into the metrics, and for each session as it stands now. */
import type { Environment } from '../base/environment.js';
import type { FloorStats } from './floor-types.js';
import { TOTALS_FIELDS, type WorkerTotals } from './protocol.js';
import type { SessionTotals } from './types.js';

export class Totals {
  readonly #env: Environment;
  readonly #isOpen: (session: string) => boolean;
  readonly #bySession = new Map<string, SessionTotals>();

  /** @param isOpen what a worker tells of a session may come after the session went */
  constructor(env: Environment, isOpen: (session: string) => boolean) {
    this.#env = env;
    this.#isOpen = isOpen;
  }

  of(session: string): SessionTotals | undefined {
    return this.#bySession.get(session);
  }

  forget(session: string): void {
    this.#bySession.delete(session);
  }

  take(totals: WorkerTotals): void {
    const { metrics } = this.#env;
    metrics.count('segy_media_packets_total', { direction: 'to_inner' }, totals.toInner);
    metrics.count('segy_media_packets_total', { direction: 'to_outer' }, totals.toOuter);
    for (const [reason, count] of Object.entries(totals.dropped)) {
      metrics.count('segy_media_dropped_total', { reason }, count);
    }
    for (const [at, session] of totals.sessions.entries()) {
      if (!this.#isOpen(session)) continue;
      const row = totals.rows.subarray(at * TOTALS_FIELDS, (at + 1) * TOTALS_FIELDS);
      this.#bySession.set(session, this.#read(row, this.#bySession.get(session)));
    }
  }

  takeFloor({ received, sent, dropped }: FloorStats): void {
    const { metrics } = this.#env;
    metrics.count('segy_floor_messages_total', { direction: 'received' }, received);
    metrics.count('segy_floor_messages_total', { direction: 'sent' }, sent);
    for (const [reason, count] of Object.entries(dropped)) {
      metrics.count('segy_floor_dropped_total', { reason }, count);
    }
  }

  #read(row: Float64Array, before: SessionTotals | undefined): SessionTotals {
    const [toInner = 0, toOuter = 0, dropped = 0, authFailures = 0, lost = 0, jitterMs = 0] = row;
    const now = this.#env.clock.now();
    const moved = (count: number, was: number | undefined, at: number | null): number | null =>
      count > (was ?? 0) ? now : at;
    return {
      ...{ toInner, toOuter, dropped, authFailures, lost, jitterMs },
      toInnerAt: moved(toInner, before?.toInner, before?.toInnerAt ?? null),
      toOuterAt: moved(toOuter, before?.toOuter, before?.toOuterAt ?? null),
    };
  }
}
