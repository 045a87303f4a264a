/**
 * Root folders of a Debian suite, made with mmdebstrap from the mirror that this machine already uses.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mirrorOf, readAptSources, versionCodename } from './apt-sources.mjs';
import { cacheFolder, withLock } from './cache.mjs';
import { ensureDebianTools } from './debian-tools.mjs';
import { capture } from './run.mjs';

/** The proxies that apt is set up with; mmdebstrap does not read apt's configuration. */
function proxyOptions() {
  const dump = capture('apt-config', ['dump', '--no-empty']).stdout;
  return dump
    .split('\n')
    .filter((line) => /^Acquire::https?::Proxy(::[^ ]+)? "/.test(line))
    .map((line) => `--aptopt=${line}`);
}

/**
 * The mirror, with mmdebstrap there to use it. `what` names what is to be made, for the messages.
 * @throws Error when there is no mirror or no mmdebstrap
 */
export async function readyMirror(what) {
  const codename = versionCodename();
  const mirror = codename === null ? null : mirrorOf(readAptSources(), codename);
  if (mirror === null) {
    throw new Error(
      `no apt source of this machine serves the suite '${codename}', so there is no mirror to take ` +
        `${what} from.`,
    );
  }
  const missing = await ensureDebianTools([{ command: 'mmdebstrap', package: 'mmdebstrap' }]);
  if (missing.length > 0) {
    throw new Error(
      `mmdebstrap is needed to make ${what}. Run: sudo apt-get install -y mmdebstrap`,
    );
  }
  return mirror;
}

/** A root folder as an archive. @returns {string | null} what went wrong */
export function makeDebianArchive({ archive, suite, mirror, variant, packages }) {
  const signed = mirror.signedBy === null ? '' : `[signed-by=${mirror.signedBy}] `;
  const made = capture('mmdebstrap', [
    `--variant=${variant}`,
    ...(process.getuid?.() === 0 || variant !== 'extract' ? [] : ['--mode=chrootless']),
    '--format=tar',
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--aptopt=Acquire::Retries "3"',
    ...proxyOptions(),
    `--include=${packages.join(',')}`,
    suite,
    archive,
    `deb ${signed}${mirror.uri} ${suite} main`,
  ]);
  return made.status === 0 ? null : made.stderr.split('\n').slice(-8).join('\n');
}

/** Debian suites whose Node is new enough, in the order tried. */
const NODE_SUITES = ['forky', 'sid'];

/**
 * A small Debian with Node in it, as an archive in the cache folder; to be unpacked and entered by root.
 * @returns {Promise<string>} the archive
 */
export function findOrMakeNodeRoot() {
  const archive = join(cacheFolder(), 'node-root.tar');
  return withLock('node-root', async () => {
    if (existsSync(archive)) return archive;
    const mirror = await readyMirror('a Debian with Node');
    const partial = `${archive}.${process.pid}.partial`;
    const failures = [];
    for (const suite of NODE_SUITES) {
      const packages = ['nodejs', 'systemd', 'libstdc++6'];
      const how = { archive: partial, suite, mirror, variant: 'apt', packages };
      const failure = makeDebianArchive(how);
      if (failure === null) {
        renameSync(partial, archive);
        return archive;
      }
      rmSync(partial, { force: true });
      failures.push(`${suite}: ${failure}`);
    }
    throw new Error(`no Debian with Node could be made.\n${failures.join('\n')}`);
  });
}
