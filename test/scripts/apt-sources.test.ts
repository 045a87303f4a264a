import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_ROOT } from '../support/asterisk.js';

interface Source {
  readonly uris: readonly string[];
}

interface AptSources {
  readDeb822Sources(text: string): Source[];
  readListSources(text: string): Source[];
  mirrorOf(
    entries: readonly Source[],
    codename: string,
  ): { uri: string; signedBy: string | null } | null;
  versionCodename(text: string): string | null;
}

describe('the mirror that this machine already uses', () => {
  let apt: AptSources;
  before(async () => {
    const path = join(PROJECT_ROOT, 'scripts/lib/apt-sources.mjs');
    apt = (await import(pathToFileURL(path).href)) as AptSources;
  });

  it('is that of the deb822 entry with this release as suite', () => {
    const text = [
      '# a comment',
      'Types: deb',
      'URIs: http://packages.example/vendor',
      'Suites: stable',
      'Components: main',
      '',
      'Types: deb deb-src',
      'URIs: http://mirror.example/debian http://other.example/debian',
      'Suites: bookworm bookworm-updates',
      'Components: main contrib',
      'Signed-By: /usr/share/keyrings/debian.gpg',
    ].join('\n');
    assert.deepEqual(apt.mirrorOf(apt.readDeb822Sources(text), 'bookworm'), {
      uri: 'http://mirror.example/debian',
      signedBy: '/usr/share/keyrings/debian.gpg',
    });
  });

  it('is that of the one-line entry with this release as suite, options or not', () => {
    const text = [
      'deb-src http://sources.example/debian bookworm main',
      'deb http://security.example/debian bookworm-security main',
      'deb [arch=amd64 signed-by=/etc/apt/keys/d.gpg] http://mirror.example/debian bookworm main # ours',
    ].join('\n');
    assert.deepEqual(apt.mirrorOf(apt.readListSources(text), 'bookworm'), {
      uri: 'http://mirror.example/debian',
      signedBy: '/etc/apt/keys/d.gpg',
    });
  });

  it('is not that of an entry that is switched off, nor of another release', () => {
    const text =
      'Enabled: no\nTypes: deb\nURIs: http://a.example\nSuites: bookworm\nComponents: main\n' +
      '\nTypes: deb\nURIs: http://b.example\nSuites: trixie\nComponents: main\n';
    assert.equal(apt.mirrorOf(apt.readDeb822Sources(text), 'bookworm'), null);
  });

  it('has a key of its own only where that is a file', () => {
    const text =
      'Types: deb\nURIs: http://a.example\nSuites: bookworm\nComponents: main\n' +
      'Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abcd\n';
    assert.equal(apt.mirrorOf(apt.readDeb822Sources(text), 'bookworm')?.signedBy, null);
  });

  it('belongs to the release that os-release names', () => {
    assert.equal(apt.versionCodename('ID=debian\nVERSION_CODENAME=bookworm\n'), 'bookworm');
    assert.equal(apt.versionCodename('ID=other\n'), null);
  });
});
