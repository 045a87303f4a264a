#!/usr/bin/env node
/**
 * `npm run deb`: the Debian package, in artefacts/. It is made of what `npm pack` bundles, so that the
 * two hold the same files, and of what an operator's machine needs besides: user, folders, service unit,
 * manual, completion.
 *
 * Options: --out FOLDER, --version VERSION (of the package, for tests of an upgrade).
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { capture } from '../lib/run.mjs';
import { ROOT } from '../lib/setup.mjs';
import { bundle } from './bundle.mjs';
import { bashCompletion, loadProgram, manualPage } from './manual.mjs';

const PARTS = dirname(fileURLToPath(import.meta.url));
const NAME = 'mc-segy';
const PROGRAM = `usr/lib/${NAME}`;
const SHARE = `usr/share/${NAME}`;
const DOC = `usr/share/doc/${NAME}`;

/** Files of packages that no program reads, by the end of their name or the folder they are in. */
const UNUSED =
  /(\.md|\.gitmodules|\.markdown|\.map|\.d\.[cm]?ts|\.ts|\.c|\.cc|\.h|\.gyp|\.gypi|\.yml|\.eslintrc|\.npmignore|\.gitattributes|Makefile)$|\/(deps|test|tests|bench|benchmark|examples?|\.github)\//;
/** Kept all the same: terms under which a package is given on. */
const TERMS = /(^|\/)(licen[cs]e|copying|notice)[^/]*$/i;

function must(command, args, options) {
  const { status, stdout, stderr } = capture(command, args, options);
  if (status !== 0)
    throw new Error(`${command} failed: ${stderr.slice(-2000) || stdout.slice(-2000)}`);
  return stdout;
}

const put = (path, content, mode = 0o644) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode });
  chmodSync(path, mode);
};

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Architecture and libc in the names that prebuilt addons use. */
function isForeignAddon(path, architecture) {
  if (!path.endsWith('.node')) return false;
  const cpu = { amd64: 'x64', arm64: 'arm64' }[architecture] ?? architecture;
  return !(path.includes(`linux-${cpu}`) && !path.includes('musl'));
}

/** Unpacks `npm pack` into `target` and leaves only what runs. */
function installProgram(target, version, architecture, work) {
  bundle(true);
  try {
    must('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', work], {
      cwd: ROOT,
    });
  } finally {
    bundle(false);
  }
  const archive = readdirSync(work).find((name) => name.endsWith('.tgz'));
  must('tar', ['-xzf', join(work, archive), '-C', work, '--no-same-owner']);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(join(work, 'package'), target, { recursive: true });
  const description = join(target, 'package.json');
  const about = JSON.parse(readFileSync(description, 'utf8'));
  writeFileSync(description, `${JSON.stringify({ ...about, version }, null, 2)}\n`);
  const packages = join(target, 'node_modules');
  for (const path of filesBelow(packages)) {
    const inside = path.slice(packages.length);
    const isAddon = path.endsWith('.node');
    const unused = UNUSED.test(inside) && !TERMS.test(inside) && !isAddon;
    if (unused || isForeignAddon(path, architecture)) rmSync(path);
  }
  for (const path of filesBelow(target)) {
    const isScript = readFileSync(path).subarray(0, 2).toString('latin1') === '#!';
    chmodSync(path, isScript ? 0o755 : 0o644);
  }
  removeEmptyFolders(target);
}

function removeEmptyFolders(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name));
  }
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
  else chmodSync(folder, 0o755);
}

/** Snippets and documents go to their places in Debian; the program keeps none of them. */
function placeShared(root) {
  const program = join(root, PROGRAM);
  mkdirSync(join(root, SHARE), { recursive: true });
  for (const name of ['asterisk-conf', 'dialplan']) {
    renameSync(join(program, name), join(root, SHARE, name));
  }
  mkdirSync(join(root, DOC), { recursive: true });
  for (const path of [...filesBelow(join(program, 'docs'))]) {
    cpSync(path, join(root, DOC, path.slice(join(program, 'docs').length + 1)));
  }
  for (const name of ['README.md', 'SECURITY.md'])
    renameSync(join(program, name), join(root, DOC, name));
  for (const name of ['docs', 'LICENSE']) rmSync(join(program, name), { recursive: true });
}

async function placeManual(root, version, date) {
  const program = await loadProgram();
  const page = manualPage(program, version, date.toISOString().slice(0, 10));
  put(join(root, 'usr/share/man/man1/segy.1.gz'), gzipSync(page, { level: 9 }));
  put(join(root, 'usr/share/bash-completion/completions/segy'), bashCompletion(program));
}

function placeService(root) {
  const part = (name) => readFileSync(join(PARTS, name));
  put(join(root, 'usr/lib/systemd/system/segy.service'), part('segy.service'));
  put(join(root, 'usr/lib/sysusers.d/segy.conf'), part('sysusers.conf'));
  put(join(root, 'usr/share/doc', NAME, 'examples/segy.yaml'), part('segy.yaml'));
  put(join(root, DOC, 'copyright'), copyrightText(join(root, PROGRAM, 'node_modules')));
  put(join(root, 'usr/share/lintian/overrides', NAME), part('lintian-overrides'));
}

/** The licence of the program, and of each package that comes with it, by their own package.json. */
function copyrightText(packages) {
  const rows = filesBelow(packages)
    .filter((path) => /\/node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path))
    .map((path) => JSON.parse(readFileSync(path, 'utf8')))
    .filter(({ name, version }) => name !== undefined && version !== undefined)
    .map(({ name, version, license }) => `  ${name} ${version}: ${license ?? 'see its folder'}`);
  return [
    'MC Security Gateway',
    'Copyright 2026 the authors of MC Security Gateway',
    '',
    'Licensed under the Apache License, Version 2.0.',
    'On Debian systems its text is in /usr/share/common-licenses/Apache-2.0.',
    '',
    `The packages in /${PROGRAM}/node_modules are their authors' and come under their own`,
    'licences, each in the folder of its package:',
    ...[...new Set(rows)].sort(),
    '',
  ].join('\n');
}

function placeControl(root, version, architecture, date) {
  const size = filesBelow(root).reduce((sum, path) => sum + statSync(path).size, 0);
  const control = [
    `Package: ${NAME}`,
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    'Maintainer: MC Security Gateway maintainers <maintainers@mc-segy.invalid>',
    `Installed-Size: ${Math.ceil(size / 1024)}`,
    'Depends: nodejs (>= 20.19), libc6, libstdc++6, systemd',
    'Recommends: asterisk | freeswitch, fail2ban',
    'Section: comm',
    'Priority: optional',
    'Description: security gateway between mission critical systems and radio trunks',
    ' An MC Security Gateway (3GPP TS 33.180) as an add-on to an Asterisk or',
    ' FreeSWITCH: it ends the end-to-end encryption of MCPTT calls and gives the',
    ' PBX clear SIP and RTP on loopback, so that police, fire and railway users on',
    ' broadband and on land mobile radio hear each other.',
    '',
  ].join('\n');
  put(join(root, 'DEBIAN/control'), control);
  for (const name of ['postinst', 'prerm', 'postrm']) {
    put(join(root, 'DEBIAN', name), readFileSync(join(PARTS, name)), 0o755);
  }
  const changes = [
    `${NAME} (${version}) unstable; urgency=medium`,
    '',
    '  * See the history of the project.',
    '',
    ` -- MC Security Gateway maintainers <maintainers@mc-segy.invalid>  ${rfc2822(date)}`,
    '',
  ].join('\n');
  put(join(root, DOC, 'changelog.gz'), gzipSync(changes, { level: 9 }));
  const sums = must('sh', ['-c', 'find usr -type f -print0 | sort -z | xargs -0 md5sum'], {
    cwd: root,
  });
  put(join(root, 'DEBIAN/md5sums'), sums);
}

const rfc2822 = (date) => date.toUTCString().replace('GMT', '+0000');

/** Builds the package. @returns the path of the .deb */
export async function buildDeb({ out = join(ROOT, 'artefacts'), version, now = new Date() } = {}) {
  const own = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;
  const asked = version ?? own;
  if (!existsSync(join(ROOT, 'dist/src/cli/main.js')))
    throw new Error('build first: npm run build');
  const architecture = must('dpkg', ['--print-architecture']).trim();
  const work = mkdtempSync(join(tmpdir(), 'segy-deb-'));
  try {
    const root = join(work, 'root');
    installProgram(join(root, PROGRAM), asked, architecture, work);
    placeShared(root);
    await placeManual(root, asked, now);
    placeService(root);
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    symlinkSync(`../lib/${NAME}/dist/src/cli/main.js`, join(root, 'usr/bin/segy'));
    placeControl(root, asked, architecture, now);
    for (const folder of ['', ...readdirSync(root, { recursive: true })]) {
      const path = join(root, folder);
      if (statSync(path).isDirectory()) chmodSync(path, 0o755);
    }
    mkdirSync(out, { recursive: true });
    const deb = join(out, `${NAME}_${asked}_${architecture}.deb`);
    must('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', root, deb]);
    return deb;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, version: { type: 'string' } },
  });
  console.log(await buildDeb(values));
}
