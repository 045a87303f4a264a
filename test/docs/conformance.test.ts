import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, basename } from 'node:path';

/** Whether a path of the document exists; `*` stands for any text in its last part. */
function exists(path: string): boolean {
  if (!path.includes('*')) return existsSync(path);
  const pattern = new RegExp(`^${basename(path).replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
  return existsSync(dirname(path)) && readdirSync(dirname(path)).some((name) => pattern.test(name));
}

describe('docs/conformance.md', () => {
  it('names only code and tests that are there', () => {
    const text = readFileSync('docs/conformance.md', 'utf8');
    const paths = [...text.matchAll(/`((?:src|test)\/[^`]+)`/g)].map((match) => match[1] ?? '');
    assert.ok(paths.length > 20);
    assert.deepEqual(
      paths.filter((path) => !exists(path)),
      [],
    );
  });
});
