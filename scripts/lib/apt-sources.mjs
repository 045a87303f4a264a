/**
 * Which package mirror this machine already uses, read from its own apt sources: one-line lists
 * (sources.list(5)) and deb822 files. Nothing here knows the address of a mirror.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Stanzas of a deb822 file, each a map of lower-case field name to value. */
function deb822(text) {
  return text
    .split(/\n\s*\n/)
    .map((stanza) => {
      const fields = new Map();
      let last;
      for (const line of stanza.split('\n')) {
        if (line.startsWith('#')) continue;
        const field = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line);
        if (field) {
          last = field[1].toLowerCase();
          fields.set(last, field[2].trim());
        } else if (last !== undefined && /^\s/.test(line)) {
          fields.set(last, `${fields.get(last)}\n${line.trim()}`);
        }
      }
      return fields;
    })
    .filter((fields) => fields.size > 0);
}

const words = (value) => (value ?? '').split(/\s+/).filter((word) => word !== '');

/** Entries of a `.sources` file: {types, uris, suites, components, signedBy}. */
export function readDeb822Sources(text) {
  return deb822(text)
    .filter((fields) => !/^(no|false|off|0|without|disable)$/i.test(fields.get('enabled') ?? 'yes'))
    .map((fields) => ({
      types: words(fields.get('types')),
      uris: words(fields.get('uris')),
      suites: words(fields.get('suites')),
      components: words(fields.get('components')),
      signedBy: fields.get('signed-by') ?? null,
    }));
}

/** Entries of a `.list` file, in the same shape. */
export function readListSources(text) {
  const entries = [];
  for (const raw of text.split('\n')) {
    const line = raw.replace(/#.*$/, '').trim();
    const parts = /^(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)$/.exec(line);
    if (!parts) continue;
    const signedBy = words(parts[2]).find((option) => option.startsWith('signed-by='));
    entries.push({
      types: [parts[1]],
      uris: [parts[3]],
      suites: [parts[4]],
      components: words(parts[5]),
      signedBy: signedBy?.slice('signed-by='.length) ?? null,
    });
  }
  return entries;
}

/**
 * The mirror of the entry whose suite is `codename` and that offers `main`.
 * @returns {{uri: string, signedBy: string | null} | null} `signedBy` only where it is a file
 */
export function mirrorOf(entries, codename) {
  const entry = entries.find(
    ({ types, uris, suites, components }) =>
      types.includes('deb') &&
      uris.length > 0 &&
      suites.includes(codename) &&
      components.includes('main'),
  );
  if (!entry) return null;
  return {
    uri: entry.uris[0],
    signedBy: entry.signedBy?.startsWith('/') ? words(entry.signedBy)[0] : null,
  };
}

/** All entries under an apt configuration folder. */
export function readAptSources(folder = '/etc/apt') {
  const read = (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  };
  let names = [];
  try {
    names = readdirSync(join(folder, 'sources.list.d')).sort();
  } catch {
    // a machine may have the one old file only
  }
  return [
    ...readListSources(read(join(folder, 'sources.list'))),
    ...names
      .filter((name) => name.endsWith('.list'))
      .flatMap((name) => readListSources(read(join(folder, 'sources.list.d', name)))),
    ...names
      .filter((name) => name.endsWith('.sources'))
      .flatMap((name) => readDeb822Sources(read(join(folder, 'sources.list.d', name)))),
  ];
}

/** VERSION_CODENAME of os-release(5), or null. */
export function versionCodename(text = readFileSync('/etc/os-release', 'utf8')) {
  return /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(text)?.[1] ?? null;
}
