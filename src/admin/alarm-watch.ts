/** Looks at the views every few seconds and lets the alarms stand that follow from them. */
import type { Environment, TimerHandle } from '../base/environment.js';
import { toSegyError } from '../base/errors.js';
import type { AlarmBoard } from './alarm-board.js';
import type { ExpiryView, GatewayViews } from './ports.js';
import { daysLeft } from './status.js';

const LOOK_MS = 2000;
/** Wall clock against monotonic time: beyond this between two looks it was set. */
const JUMP_MS = 2000;
/** Refusals for their time stamp, within the span, that say that a clock is wrong. */
const WINDOW_REFUSALS = 3;
const WINDOW_SPAN_MS = 600_000;

export interface AlarmWatchOptions {
  /** a key or certificate is near its end so many days before it */
  readonly certificateDays: number;
  readonly keyDays: number;
}

export class AlarmWatch {
  readonly #views: GatewayViews;
  readonly #board: AlarmBoard;
  readonly #env: Environment;
  readonly #options: AlarmWatchOptions;
  #timer: TimerHandle | undefined;
  #offset = Date.now() - performance.now();
  #restarts = 0;
  #windowRefusals: { count: number; at: number };

  constructor(
    views: GatewayViews,
    board: AlarmBoard,
    env: Environment,
    options: AlarmWatchOptions,
  ) {
    this.#views = views;
    this.#board = board;
    this.#env = env;
    this.#options = options;
    this.#windowRefusals = { count: 0, at: views.now() };
  }

  start(): void {
    this.#timer = this.#env.timers.setTimeout(() => {
      this.start();
      try {
        this.look();
      } catch (error) {
        this.#env.log.error('alarm.watch.failed', { message: toSegyError(error).message });
      }
    }, LOOK_MS);
  }

  stop(): void {
    if (this.#timer !== undefined) this.#env.timers.clearTimeout(this.#timer);
  }

  look(): void {
    const board = this.#board;
    const views = this.#views;
    const { linked, type } = views.pbx();
    board.set('pbx-down', subjects(linked ? [] : [[type, 'the control link is down']]));
    const down = views.partners().filter(({ state }) => state === 'down');
    board.set('partner-down', subjects(down.map(({ partner }) => [partner, 'no way answers'])));
    const { audit, store } = views.health();
    board.set('audit-failed', subjects(audit === null ? [] : [['', audit]]));
    board.set('store-failed', subjects(store === null ? [] : [['', store]]));
    this.#workers();
    this.#expiries();
    this.#clock();
  }

  #expiries(): void {
    const { certificateDays, keyDays } = this.#options;
    const now = this.#views.now();
    const all = this.#views.expiries();
    const certificates = all.filter(
      (view) => view.kind !== 'key' && (daysLeft(view, now) ?? Infinity) <= certificateDays,
    );
    this.#board.set('certificate-expiry', subjects(certificates.map((view) => told(view, now))));
    const keys = all.filter(
      (view) =>
        view.kind === 'key' &&
        (daysLeft(view, now) ?? Infinity) <= keyDays &&
        view.groups.some((group) => !all.some((other) => follows(other, view, group))),
    );
    this.#board.set('key-expiry', subjects(keys.map((view) => told(view, now))));
  }

  #workers(): void {
    const restarts = this.#views.metric('segy_media_worker_restarts_total');
    if (restarts > this.#restarts) this.#board.raise('worker-lost', '', 'a media worker ended');
    this.#restarts = restarts;
  }

  #clock(): void {
    const offset = Date.now() - performance.now();
    const jump = Math.round(offset - this.#offset);
    this.#offset = offset;
    if (Math.abs(jump) > JUMP_MS) {
      this.#board.raise('clock-off', 'jump', `the clock was set by ${jump} ms`);
    }
    const refused = this.#views.metric('segy_refused_total', {
      code: 'SEGY_E_MIKEY_WINDOW',
      side: 'outer',
    });
    const now = this.#views.now();
    if (refused - this.#windowRefusals.count >= WINDOW_REFUSALS) {
      this.#board.raise('clock-off', 'window', 'time stamps of partners lie outside the window');
      this.#windowRefusals = { count: refused, at: now };
    }
    if (now - this.#windowRefusals.at >= WINDOW_SPAN_MS) {
      this.#windowRefusals = { count: refused, at: now };
    }
  }
}

/** A key that serves the group after `ending`. */
function follows(other: ExpiryView, ending: ExpiryView, group: string): boolean {
  return (
    other.kind === 'key' &&
    other.owner === ending.owner &&
    other.groups.includes(group) &&
    (other.state === 'active' || other.state === 'pending') &&
    (other.expiry ?? Infinity) > (ending.expiry ?? Infinity)
  );
}

function told(view: ExpiryView, now: number): [string, string] {
  const days = daysLeft(view, now) ?? 0;
  const text = days < 0 ? `ended ${-days} days ago` : `ends in ${days} days`;
  return [`${view.owner} ${view.name}`, text];
}

function subjects(entries: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  return new Map(entries);
}
