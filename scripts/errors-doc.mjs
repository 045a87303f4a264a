/**
 * Prints the code table of docs/errors.md from the built error table; the test of that document
 * compares the two. Usage: node scripts/errors-doc.mjs > docs/errors.md
 */
import { ERROR_CODES } from '../dist/src/base/errors.js';

const lines = [
  '# Error codes',
  '',
  'Every refusal has one code of this closed list; the same code stands in the log, the metric and the SIP `Warning: 399` text. A code, once released, keeps its name and meaning. "–" means that the code never reaches SIP. This file is made by `node scripts/errors-doc.mjs`.',
  '',
  '| code | SIP status | meaning |',
  '|---|---|---|',
  ...Object.entries(ERROR_CODES).map(
    ([code, { sip, summary }]) => `| \`${code}\` | ${sip ?? '–'} | ${summary} |`,
  ),
];
console.log(lines.join('\n'));
