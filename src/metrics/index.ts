/** Counters and gauges of the whole program, exposed as Prometheus text. */
export { MetricRegistry } from './registry.js';
