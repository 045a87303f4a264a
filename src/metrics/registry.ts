/**
 * Counters and gauges in memory, written out as Prometheus text (exposition format 0.0.4).
 * The number of series is bounded: a label taken from the network must not fill the memory.
 */
import type { MetricLabels, Metrics } from '../base/environment.js';
import { METRICS } from './catalogue.js';

/** Series kept at most; later new ones are counted under `segy_metrics_dropped_total`. */
const DEFAULT_MAX_SERIES = 5000;

interface Series {
  readonly type: 'counter' | 'gauge';
  readonly values: Map<string, number>;
}

export class MetricRegistry implements Metrics {
  readonly #maxSeries: number;
  readonly #byName = new Map<string, Series>();
  #seriesCount = 0;
  #dropped = 0;

  constructor(options: { maxSeries?: number } = {}) {
    this.#maxSeries = options.maxSeries ?? DEFAULT_MAX_SERIES;
  }

  count(name: string, labels: MetricLabels = {}, by = 1): void {
    this.#update(name, 'counter', labels, (old) => old + by);
  }

  gauge(name: string, value: number, labels: MetricLabels = {}): void {
    this.#update(name, 'gauge', labels, () => value);
  }

  /** Replaces every series of a gauge, so that what is there no more is gone from it. */
  replaceGauge(name: string, entries: Iterable<readonly [MetricLabels, number]>): void {
    this.#seriesCount -= this.#byName.get(name)?.values.size ?? 0;
    this.#byName.delete(name);
    for (const [labels, value] of entries) this.gauge(name, value, labels);
  }

  /** The current value of one series; zero where there is none. */
  value(name: string, labels: MetricLabels = {}): number {
    return this.#byName.get(name)?.values.get(formatLabels(labels)) ?? 0;
  }

  /** All series as Prometheus text, sorted by name. */
  expose(): string {
    const lines: string[] = [];
    for (const [name, series] of [...this.#byName].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const help = METRICS[name];
      if (help !== undefined) lines.push(`# HELP ${name} ${help}`);
      lines.push(`# TYPE ${name} ${series.type}`);
      for (const [labels, value] of series.values) lines.push(`${name}${labels} ${value}`);
    }
    lines.push(`# HELP segy_metrics_dropped_total ${METRICS.segy_metrics_dropped_total ?? ''}`);
    lines.push('# TYPE segy_metrics_dropped_total counter');
    lines.push(`segy_metrics_dropped_total ${this.#dropped}`);
    return `${lines.join('\n')}\n`;
  }

  #update(
    name: string,
    type: Series['type'],
    labels: MetricLabels,
    next: (old: number) => number,
  ): void {
    let series = this.#byName.get(name);
    if (series === undefined) {
      series = { type, values: new Map() };
      this.#byName.set(name, series);
    }
    const key = formatLabels(labels);
    const old = series.values.get(key);
    if (old === undefined) {
      if (this.#seriesCount >= this.#maxSeries) {
        this.#dropped += 1;
        return;
      }
      this.#seriesCount += 1;
    }
    series.values.set(key, next(old ?? 0));
  }
}

function formatLabels(labels: MetricLabels): string {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
