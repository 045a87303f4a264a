import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from './support/asterisk.js';

interface Advisory {
  readonly package: string;
  readonly id: string;
  readonly ranges: readonly (readonly [string, string | null])[];
}

interface LockEntry {
  readonly name?: string;
  readonly version?: string;
  readonly link?: boolean;
}

const read = (path: string): unknown => JSON.parse(readFileSync(join(PROJECT_ROOT, path), 'utf8'));

const { advisories } = read('test/support/advisories.json') as { advisories: Advisory[] };
const lock = read('package-lock.json') as { packages: Record<string, LockEntry> };

/** Order of two releases; a pre-release counts as its release. */
function compare(one: string, other: string): number {
  const numbers = (version: string): number[] =>
    version.split('-', 1).join('').split('.').map(Number);
  const [a, b] = [numbers(one), numbers(other)];
  for (let part = 0; part < 3; part++) {
    const difference = (a[part] ?? 0) - (b[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const isAffected = (version: string, { ranges }: Advisory): boolean =>
  ranges.some(
    ([introduced, fixed]) =>
      compare(version, introduced) >= 0 && (fixed === null || compare(version, fixed) < 0),
  );

/** `name@version: advisory` for each locked package, an alias under its real name. */
function findings(packages: Readonly<Record<string, LockEntry>>): string[] {
  return Object.entries(packages).flatMap(([path, entry]) => {
    const { version } = entry;
    if (path === '' || version === undefined) return [];
    const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 13);
    return advisories
      .filter((advisory) => advisory.package === name && isAffected(version, advisory))
      .map(({ id }) => `${name}@${version}: ${id}`);
  });
}

describe('the lock file', () => {
  it('holds no package with a known advisory', () => {
    assert.deepEqual(findings(lock.packages), []);
  });

  it('would not pass with the packages that ari-client and modesl ask for themselves', () => {
    const asked = {
      'node_modules/request': { version: '2.88.2' },
      'node_modules/modesl/node_modules/xml2js': { version: '0.4.23' },
      'node_modules/ws': { version: '6.2.3' },
      'node_modules/aliased': { name: 'cookiejar', version: '1.3.1' },
    };
    assert.equal(findings(asked).length, 4);
  });

  it('names no download address, so that a clone takes its packages from its own registry', () => {
    const text = readFileSync(join(PROJECT_ROOT, 'package-lock.json'), 'utf8');
    assert.doesNotMatch(text, /"resolved": "https?:/);
  });
});

describe('package.json', () => {
  it('names the packages that the program imports, and no others', () => {
    const source = join(PROJECT_ROOT, 'src');
    const imported = new Set<string>();
    for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const text = readFileSync(join(source, name), 'utf8');
      for (const [, specifier = ''] of text.matchAll(
        /^(?:import|}|export).* from '([a-z@][^']*)';$/gm,
      )) {
        const parts = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1);
        if (!specifier.startsWith('node:')) imported.add(parts.join('/'));
      }
    }
    const { dependencies } = read('package.json') as { dependencies: Record<string, string> };
    assert.deepEqual([...imported].sort(), Object.keys(dependencies).sort());
  });
});
