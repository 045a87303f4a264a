/**
 * Brings a fresh clone to where tests and demo can run: packages as the lock file has them, a build
 * without leftovers, Debian tools, an Asterisk. Each step is quick when there is nothing to do.
 */
import { existsSync, lstatSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOrMakeAsterisk, suiteOf } from './asterisk.mjs';
import { TEST_TOOLS, ensureDebianTools } from './debian-tools.mjs';
import { persist, show } from './run.mjs';

/** The root of the source tree. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** True when every package of the lock file is installed in its locked version. */
function packagesMatchLock() {
  const read = (path) => JSON.parse(readFileSync(join(ROOT, path), 'utf8')).packages;
  if (!existsSync(join(ROOT, 'node_modules/.package-lock.json'))) return false;
  const installed = read('node_modules/.package-lock.json');
  return Object.entries(read('package-lock.json')).every(
    ([path, { version, optional, peer }]) =>
      path === '' || optional || peer || installed[path]?.version === version,
  );
}

async function ensurePackages() {
  const folder = join(ROOT, 'node_modules');
  const isLink = existsSync(folder) && lstatSync(folder).isSymbolicLink();
  if (isLink || packagesMatchLock()) return;
  console.error('Installing the packages of the lock file ...');
  const npm = process.env.npm_execpath;
  const [command, args] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const options = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const install = async () => (await show(command, [...args, ...options], { cwd: ROOT })) === 0;
  if (!(await persist('npm ci', install))) throw new Error('npm ci failed');
}

/** Removes what was built from a source file that is no more, so that no old test runs. */
function pruneBuild(folder = 'dist') {
  if (!existsSync(join(ROOT, folder))) return;
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) pruneBuild(path);
    else if (/\.js(\.map)?$/.test(path)) {
      const source = path.replace(/^dist\//, '').replace(/\.js(\.map)?$/, '.ts');
      if (!existsSync(join(ROOT, source))) rmSync(join(ROOT, path));
    }
  }
}

async function build() {
  pruneBuild();
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  if ((await show(process.execPath, [tsc, '-p', ROOT], { cwd: ROOT })) !== 0) {
    throw new Error('the build failed');
  }
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(`Node ${process.versions.node} is too old: 20.19 or newer is needed`);
  }
}

/**
 * All of it. Missing tools and a missing Asterisk are told and left to the tests that need them; what
 * stops everything (packages, build) throws.
 * @returns the AsteriskProgram, or null when there is none to be had
 */
export async function setUp() {
  checkNode();
  await ensurePackages();
  await build();
  await ensureDebianTools(TEST_TOOLS);
  try {
    const program = await findOrMakeAsterisk();
    console.error(`${program.version} (${suiteOf(program) ?? program.command})`);
    return program;
  } catch (error) {
    console.error(error.message);
    return null;
  }
}
