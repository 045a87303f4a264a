import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ERROR_CODES } from '../../src/base/errors.js';

describe('docs/errors.md', () => {
  it('lists exactly the codes of the product, with their SIP status and meaning', () => {
    const rows = readFileSync('docs/errors.md', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const expected = Object.entries(ERROR_CODES).map(
      ([code, { sip, summary }]) => `| \`${code}\` | ${sip ?? '–'} | ${summary} |`,
    );
    assert.deepEqual(rows, expected);
  });
});
