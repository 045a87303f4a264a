/** Counters and gauges of the whole program, exposed as Prometheus text. */
export { METRICS } from './catalogue.js';
export { MetricRegistry } from './registry.js';
