import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ALARMS } from '../../src/base/alarms.js';
import { METRICS } from '../../src/metrics/index.js';

describe('docs/monitoring.md', () => {
  const text = readFileSync('docs/monitoring.md', 'utf8');

  it('lists every metric with its meaning', () => {
    for (const [name, help] of Object.entries(METRICS)) {
      assert.ok(text.includes(`| \`${name}\` |`) && text.includes(`| ${help} |`), name);
    }
  });

  it('lists every alarm with its severity and meaning', () => {
    for (const [name, { severity, summary }] of Object.entries(ALARMS)) {
      const line = text.split('\n').find((each) => each.startsWith(`| \`${name}\` |`));
      assert.ok(line?.includes(`| ${severity} |`) && line.endsWith(`| ${summary} |`), name);
    }
  });
});
