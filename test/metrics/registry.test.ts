import assert from 'node:assert/strict';
import { METRICS, MetricRegistry } from '../../src/metrics/index.js';

describe('metrics/registry', () => {
  it('exposes counters and gauges as Prometheus text, sorted by name', () => {
    const registry = new MetricRegistry();
    registry.gauge('segy_calls', 3);
    registry.count('segy_call_setups_total', { outcome: 'ok', code: 'none' });
    registry.count('segy_call_setups_total', { code: 'none', outcome: 'ok' }, 2);
    assert.equal(
      registry.expose(),
      [
        `# HELP segy_call_setups_total ${METRICS.segy_call_setups_total}`,
        '# TYPE segy_call_setups_total counter',
        'segy_call_setups_total{code="none",outcome="ok"} 3',
        `# HELP segy_calls ${METRICS.segy_calls}`,
        '# TYPE segy_calls gauge',
        'segy_calls 3',
        `# HELP segy_metrics_dropped_total ${METRICS.segy_metrics_dropped_total}`,
        '# TYPE segy_metrics_dropped_total counter',
        'segy_metrics_dropped_total 0',
        '',
      ].join('\n'),
    );
  });

  it('forgets the series of a gauge that are there no more', () => {
    const registry = new MetricRegistry({ maxSeries: 2 });
    registry.replaceGauge('segy_x', [
      [{ name: 'a' }, 1],
      [{ name: 'b' }, 2],
    ]);
    registry.replaceGauge('segy_x', [[{ name: 'c' }, 3]]);
    assert.equal(registry.expose().match(/^segy_x\{/gm)?.length, 1);
    registry.count('segy_y_total');
    assert.equal(registry.value('segy_y_total'), 1);
  });

  it('escapes label values so that a name from the network cannot forge a line', () => {
    const registry = new MetricRegistry();
    registry.count('segy_x_total', { source: 'a"} 1\nsegy_y_total 9\\' });
    assert.match(registry.expose(), /^segy_x_total\{source="a\\"\} 1\\nsegy_y_total 9\\\\"\} 1$/m);
  });

  it('stops at its bound and counts what it dropped', () => {
    const registry = new MetricRegistry({ maxSeries: 2 });
    for (const source of ['a', 'b', 'c', 'd', 'a']) registry.count('segy_x_total', { source });
    assert.equal(registry.value('segy_x_total', { source: 'a' }), 2);
    assert.equal(registry.value('segy_x_total', { source: 'c' }), 0);
    assert.match(registry.expose(), /^segy_metrics_dropped_total 2$/m);
  });
});
