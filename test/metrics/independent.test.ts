/** The exposition read by the parser of the Prometheus project's Python client. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { METRICS, MetricRegistry } from '../../src/metrics/index.js';
import { skipBecause } from '../support/skip.js';

const PYTHON = '/usr/bin/python3';
const PARSER = '/usr/lib/python3/dist-packages/prometheus_client/parser.py';
const PROGRAM = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families as families
out = []
for family in families(sys.stdin.read()):
    for sample in family.samples:
        out.append([sample.name, family.type, sample.labels, sample.value])
print(json.dumps(out))
`;

type Sample = [name: string, type: string, labels: Record<string, string>, value: number];

describe('the metrics, read by another parser', () => {
  before(function () {
    if (!existsSync(PARSER)) {
      skipBecause(this, 'metrics are read by python3-prometheus-client: it is not installed');
    }
  });

  it('have the names, types, labels and values that were counted, hostile labels too', () => {
    const registry = new MetricRegistry();
    const hostile = 'a"} 1\nsegy_forged_total 9\\n{x="y"} é';
    for (const name of Object.keys(METRICS)) {
      if (name === 'segy_metrics_dropped_total') continue;
      const labels = { name: hostile, other: name };
      if (name.endsWith('_total')) registry.count(name, labels, 3);
      else registry.gauge(name, -1.5e-7, labels);
    }
    const run = spawnSync(PYTHON, ['-c', PROGRAM], { input: registry.expose(), encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    const samples = JSON.parse(run.stdout) as Sample[];
    assert.equal(samples.length, Object.keys(METRICS).length);
    for (const [name, type, labels, value] of samples) {
      if (name === 'segy_metrics_dropped_total') continue;
      assert.deepEqual(labels, { name: hostile, other: name });
      const isCounter = name.endsWith('_total');
      assert.deepEqual([type, value], isCounter ? ['counter', 3] : ['gauge', -1.5e-7]);
    }
  });
});
