/**
 * Finds an Asterisk, or makes one: the files of Debian's package with every library they need, in the
 * cache folder. They are started through their own dynamic loader, so that neither installation, nor
 * chroot, nor root is needed to run them, and the machine's own libraries play no part.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, withLock } from './cache.mjs';
import { makeDebianArchive, readyMirror } from './debian-root.mjs';
import { capture, onPath, persist } from './run.mjs';

/** Debian suites that carry Asterisk, in the order tried. */
const SUITES = ['forky', 'sid'];

/** Parts of the packages that no test reads. */
const UNUSED = ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/perl', 'dev'];

/**
 * How to start Asterisk: append `-f -C FILE` (daemon) or `-C FILE -rx COMMAND` to `args`.
 * `dataDir` and `moduleDir` are null where the program's own defaults are right.
 * @typedef {{command: string, args: string[], version: string, dataDir: string | null,
 *   moduleDir: string | null, source: 'path' | 'made'}} AsteriskProgram
 */

function versionOf(command, args) {
  const result = capture(command, [...args, '-V']);
  return result.status === 0 && result.stdout.startsWith('Asterisk') ? result.stdout.trim() : null;
}

/** The program below a folder made by `make`, or null when it does not run. */
function programIn(root) {
  const base = join(root, 'usr/lib');
  if (!existsSync(base)) return null;
  for (const name of readdirSync(base).filter((entry) => entry.includes('-linux-gnu'))) {
    const libraries = join(base, name);
    const loader = readdirSync(libraries).find((entry) => /^ld-linux.*\.so\.\d+$/.test(entry));
    if (loader === undefined) continue;
    const command = join(libraries, loader);
    const args = ['--library-path', libraries, join(root, 'usr/sbin/asterisk')];
    const version = versionOf(command, args);
    if (version === null) continue;
    return {
      command,
      args,
      version,
      dataDir: join(root, 'usr/share/asterisk'),
      moduleDir: join(libraries, 'asterisk/modules'),
      source: 'made',
    };
  }
  return null;
}

function programOnPath() {
  const command = onPath('asterisk');
  if (command === null) return null;
  const version = versionOf(command, []);
  if (version === null) return null;
  return { command, args: [], version, dataDir: null, moduleDir: null, source: 'path' };
}

/** One try with one suite. @returns {string | null} what went wrong */
function make(suite, mirror, folder) {
  const archive = `${folder}.tar`;
  mkdirSync(folder, { recursive: true });
  try {
    const failure = makeDebianArchive({
      archive,
      suite,
      mirror,
      // Packages are only unpacked, so no user needs more rights than to write here.
      variant: 'extract',
      packages: ['asterisk', 'asterisk-modules'],
    });
    if (failure !== null) return failure;
    const exclude = UNUSED.map((path) => `--exclude=./${path}`);
    const unpacked = capture('tar', ['-xf', archive, '-C', folder, '--no-same-owner', ...exclude]);
    return unpacked.status === 0 ? null : unpacked.stderr;
  } finally {
    rmSync(archive, { force: true });
  }
}

/** One try with each suite. @returns {string[]} what went wrong; nothing when there is a program now */
function makeFromAny(mirror, target) {
  const failures = [];
  for (const suite of SUITES) {
    const partial = `${target}.${process.pid}.partial`;
    try {
      console.error(`Making an Asterisk from Debian ${suite} in ${target} ...`);
      const failure = make(suite, mirror, partial);
      if (failure !== null || programIn(partial) === null) {
        failures.push(`${suite}: ${failure ?? 'the program made does not run'}`);
        continue;
      }
      writeFileSync(join(partial, 'suite'), `${suite}\n`);
      rmSync(target, { recursive: true, force: true });
      renameSync(partial, target);
      return [];
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
  return failures;
}

async function makeProgram() {
  const mirror = await readyMirror('Asterisk');
  const target = join(cacheFolder(), 'asterisk');
  let failures = [];
  const isMade = await persist('Making an Asterisk', async () => {
    failures = makeFromAny(mirror, target);
    return failures.length === 0;
  });
  if (!isMade) throw new Error(`no Asterisk could be made.\n${failures.join('\n')}`);
  return programIn(target);
}

/**
 * The Asterisk to test with: `asterisk` on PATH, else the one in the cache folder, else a new one there.
 * Safe to call from several processes at once. @returns {Promise<AsteriskProgram>}
 */
export async function findOrMakeAsterisk() {
  const installed = programOnPath();
  if (installed !== null) return installed;
  const target = join(cacheFolder(), 'asterisk');
  const cached = programIn(target);
  if (cached !== null) return cached;
  return withLock('asterisk', async () => programIn(target) ?? (await makeProgram()));
}

/** The Debian suite that the cached Asterisk came from, for messages. */
export function suiteOf(program) {
  if (program.source !== 'made') return null;
  return readFileSync(join(program.dataDir, '../../../suite'), 'utf8').trim();
}
