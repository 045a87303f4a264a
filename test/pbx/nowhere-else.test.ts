import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { PROJECT_ROOT } from '../support/asterisk.js';

const SOURCES = join(PROJECT_ROOT, 'src');
/** What configures, composes and plays a PBX may say which one. */
const MAY_NAME = /^(pbx|config|cli|sim)\//;
const A_PBX = /asterisk|ari-client|freeswitch|modesl/i;

describe('the sources outside the PBX port', () => {
  it('name neither PBX nor the library of one, comments included', () => {
    const files = readdirSync(SOURCES, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    const naming = files.filter(
      (path) => A_PBX.test(path.slice(SOURCES.length)) || A_PBX.test(readFileSync(path, 'utf8')),
    );
    const names = naming.map((path) => relative(SOURCES, path));
    assert.ok(names.length > 10, 'the search finds what is there');
    assert.deepEqual(
      names.filter((name) => !MAY_NAME.test(name)),
      [],
    );
  });
});
