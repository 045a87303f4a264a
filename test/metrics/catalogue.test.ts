import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRICS } from '../../src/metrics/index.js';

const USE = /(?:count|gauge|replaceGauge)\(\s*'(segy_[a-z_]+)'/g;

describe('metrics/catalogue', () => {
  it('has a help text for every metric that the program counts', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' });
    const used = files
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [...readFileSync(join('src', name), 'utf8').matchAll(USE)])
      .map(([, name = '']) => name);
    const missing = [...new Set(used)].filter((name) => METRICS[name] === undefined);
    assert.ok(used.length > 15);
    assert.deepEqual(missing, []);
  });
});
