/**
 * The alarms that stand, raised and cleared with hysteresis so that what flaps is told once.
 *
 * | state    | event                          | next               |
 * |----------|--------------------------------|--------------------|
 * | (none)   | raise                          | pending            |
 * | pending  | clear                          | (none), untold     |
 * | pending  | `raiseAfterMs` over            | active, told       |
 * | active   | clear; of an event `lastsMs`   | clearing           |
 * | clearing | raise                          | active, untold     |
 * | clearing | `clearAfterMs` over            | (none), told       |
 *
 * Told means: a log line, the metric `segy_alarm`, and whoever listens.
 */
import type { AlarmName, Alarms } from '../base/alarms.js';
import { ALARMS } from '../base/alarms.js';
import type { Environment, TimerHandle } from '../base/environment.js';
import { toSegyError } from '../base/errors.js';
import type { AlarmView } from './ports.js';

const TICK_MS = 1000;
/** Alarms that stand at the same time; of more only the number grows. */
const MAX_ALARMS = 500;
const MAX_TEXT = 256;

interface Standing {
  readonly name: AlarmName;
  readonly subject: string;
  text: string;
  state: 'pending' | 'active' | 'clearing';
  /** when the state began */
  at: number;
  readonly since: number;
  lastRaised: number;
}

export interface AlarmNews {
  readonly event: 'raised' | 'cleared';
  readonly alarm: AlarmView;
}

export class AlarmBoard implements Alarms {
  readonly #env: Environment;
  readonly #standing = new Map<string, Standing>();
  readonly #listeners: ((news: AlarmNews) => void)[] = [];
  #timer: TimerHandle | undefined;

  constructor(env: Environment) {
    this.#env = env;
    for (const name of Object.keys(ALARMS)) env.metrics.gauge('segy_alarm', 0, { name });
  }

  start(): void {
    this.#timer = this.#env.timers.setTimeout(() => {
      this.start();
      this.#tick();
    }, TICK_MS);
  }

  stop(): void {
    if (this.#timer !== undefined) this.#env.timers.clearTimeout(this.#timer);
  }

  /** A listener that throws is logged and harms nothing. */
  onNews(listener: (news: AlarmNews) => void): void {
    this.#listeners.push(listener);
  }

  raise(name: AlarmName, subject: string, text: string): void {
    const now = this.#env.clock.now();
    const key = keyOf(name, subject);
    const known = this.#standing.get(key);
    if (known !== undefined) {
      known.text = cut(text);
      known.lastRaised = now;
      if (known.state === 'clearing') this.#move(known, 'active');
      return;
    }
    if (this.#standing.size >= MAX_ALARMS) {
      this.#env.metrics.count('segy_alarms_dropped_total', { name });
      return;
    }
    const raised: Standing = {
      name,
      subject: cut(subject),
      text: cut(text),
      state: 'pending',
      at: now,
      since: now,
      lastRaised: now,
    };
    this.#standing.set(key, raised);
    if (ALARMS[name].raiseAfterMs === 0) this.#activate(raised);
  }

  clear(name: AlarmName, subject: string): void {
    const key = keyOf(name, subject);
    const known = this.#standing.get(key);
    if (known === undefined) return;
    if (known.state === 'pending') this.#standing.delete(key);
    else if (known.state === 'active') this.#move(known, 'clearing');
  }

  /** Lets exactly `subjects` stand under a name, each with its text. */
  set(name: AlarmName, subjects: ReadonlyMap<string, string>): void {
    for (const { name: other, subject } of [...this.#standing.values()]) {
      if (other === name && !subjects.has(subject)) this.clear(name, subject);
    }
    for (const [subject, text] of subjects) this.raise(name, subject, text);
  }

  /** Those that were told and not yet told to be over, the newest first. */
  view(): AlarmView[] {
    return [...this.#standing.values()]
      .filter(({ state }) => state !== 'pending')
      .map(viewOf)
      .sort((a, b) => b.since - a.since);
  }

  #tick(): void {
    const now = this.#env.clock.now();
    for (const [key, standing] of [...this.#standing]) {
      const { raiseAfterMs, clearAfterMs, lastsMs } = ALARMS[standing.name];
      const { state, at, lastRaised } = standing;
      if (state === 'pending' && now - at >= raiseAfterMs) this.#activate(standing);
      if (state === 'active' && lastsMs !== null && now - lastRaised >= lastsMs) {
        this.#move(standing, 'clearing');
      }
      if (standing.state === 'clearing' && now - standing.at >= clearAfterMs) {
        this.#standing.delete(key);
        const { name, subject } = standing;
        this.#env.log.info('alarm.cleared', { alarm: name, subject });
        this.#tell('cleared', standing);
      }
    }
  }

  #activate(standing: Standing): void {
    this.#move(standing, 'active');
    const { name, subject, text } = standing;
    const write = ALARMS[name].severity === 'critical' ? 'error' : 'warn';
    this.#env.log[write]('alarm.raised', { alarm: name, subject, text });
    this.#tell('raised', standing);
  }

  #move(standing: Standing, state: Standing['state']): void {
    standing.state = state;
    standing.at = this.#env.clock.now();
  }

  #tell(event: AlarmNews['event'], standing: Standing): void {
    const { name } = standing;
    const count = this.view().filter((alarm) => alarm.name === name).length;
    this.#env.metrics.gauge('segy_alarm', count, { name });
    for (const listener of this.#listeners) {
      try {
        listener({ event, alarm: viewOf(standing) });
      } catch (error) {
        this.#env.log.error('alarm.listener', { message: toSegyError(error).message });
      }
    }
  }
}

function viewOf({ name, subject, text, since }: Standing): AlarmView {
  return { name, subject, severity: ALARMS[name].severity, text, since };
}

function keyOf(name: AlarmName, subject: string): string {
  return `${name} ${cut(subject)}`;
}

function cut(text: string): string {
  return text.slice(0, MAX_TEXT);
}
