import assert from 'node:assert/strict';
import { MetricRegistry } from '../../src/metrics/index.js';

describe('metrics/registry', () => {
  it('exposes counters and gauges as Prometheus text, sorted by name', () => {
    const registry = new MetricRegistry();
    registry.gauge('segy_calls', 3);
    registry.count('segy_call_setups_total', { outcome: 'ok', code: 'none' });
    registry.count('segy_call_setups_total', { code: 'none', outcome: 'ok' }, 2);
    assert.equal(
      registry.expose(),
      '# TYPE segy_call_setups_total counter\n' +
        'segy_call_setups_total{code="none",outcome="ok"} 3\n' +
        '# TYPE segy_calls gauge\nsegy_calls 3\n' +
        '# TYPE segy_metrics_dropped_total counter\nsegy_metrics_dropped_total 0\n',
    );
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
