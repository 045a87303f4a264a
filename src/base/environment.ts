/**
 * What the program takes from outside: time, timers, randomness, log and counters.
 * All of it is handed in, so that a unit can be tested without patching globals.
 */
import { randomBytes as nodeRandomBytes } from 'node:crypto';

/** Wall clock, in milliseconds since 1970-01-01T00:00:00Z. */
export interface Clock {
  now(): number;
}

export type TimerHandle = object | number;

export interface Timers {
  setTimeout(callback: () => void, ms: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

/** `count` octets fit for keys. */
export type RandomBytes = (count: number) => Uint8Array;

export type LogFields = Readonly<Record<string, unknown>>;

/** Operational log: one event a line; `event` is a short constant name such as `pbx.link.down`. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export type MetricLabels = Readonly<Record<string, string>>;

/** Counters and gauges; names carry the `segy_` prefix. */
export interface Metrics {
  count(name: string, labels?: MetricLabels, by?: number): void;
  gauge(name: string, value: number, labels?: MetricLabels): void;
}

export interface Environment {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly metrics: Metrics;
}

export const systemClock: Clock = { now: () => Date.now() };

export const systemTimers: Timers = {
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

export const systemRandom: RandomBytes = (count) => new Uint8Array(nodeRandomBytes(count));

const nothing = (): void => undefined;

export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
export const silentMetrics: Metrics = { count: nothing, gauge: nothing };
