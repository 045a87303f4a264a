/**
 * Debian tools that the tests and the demo use, installed when missing and when the rights are there.
 */
import { withLock } from './cache.mjs';
import { onPath, persist, show } from './run.mjs';
import { existsSync } from 'node:fs';

/** What the whole suite uses: a file or a command that shows it is there, and the package it is in. */
export const TEST_TOOLS = [
  { command: 'tshark', package: 'tshark' },
  { command: 'xmlsec1', package: 'xmlsec1' },
  { file: '/usr/include/srtp2/srtp.h', package: 'libsrtp2-dev' },
  { file: '/usr/include/sofia-sip-1.12/sofia-sip/nua.h', package: 'libsofia-sip-ua-dev' },
  { command: 'sipp', package: 'sip-tester' },
  { command: 'xmllint', package: 'libxml2-utils' },
  { command: 'curl', package: 'curl' },
  { command: 'gcc', package: 'gcc' },
  { file: '/usr/include/stdio.h', package: 'libc6-dev' },
  { command: 'openssl', package: 'openssl' },
  { command: 'fail2ban-regex', package: 'fail2ban' },
  { file: '/usr/bin/python3', package: 'python3' },
  { file: '/usr/lib/python3/dist-packages/gmpy2', package: 'python3-gmpy2' },
  {
    file: '/usr/lib/python3/dist-packages/prometheus_client/parser.py',
    package: 'python3-prometheus-client',
  },
  { command: 'nft', package: 'nftables' },
  { command: 'chromium', package: 'chromium' },
  { command: 'dpkg-deb', package: 'dpkg' },
  { command: 'lintian', package: 'lintian' },
  { command: 'systemd-analyze', package: 'systemd' },
];

const isThere = (tool) =>
  tool.command === undefined ? existsSync(tool.file) : onPath(tool.command) !== null;

/**
 * Installs the packages of those `tools` that are missing. Without root, or off Debian, it says what
 * to run instead.
 * @returns {Promise<string[]>} the packages still missing
 */
export async function ensureDebianTools(tools) {
  const missing = () => tools.filter((tool) => !isThere(tool)).map((tool) => tool.package);
  if (missing().length === 0) return [];
  if (process.getuid?.() !== 0 || onPath('apt-get') === null) {
    console.error(`Missing tools. Run: sudo apt-get install -y ${missing().join(' ')}`);
    return missing();
  }
  return withLock('apt', async () => {
    if (missing().length === 0) return [];
    console.error(`Installing ${missing().join(', ')} ...`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const patient = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3'];
    const install = ['-qq', '-y', ...patient, '--no-install-recommends'];
    const get = (packages) => show('apt-get', ['install', ...install, ...packages], { env });
    await persist('apt-get', async () => {
      await show('apt-get', ['-qq', ...patient, 'update'], { env });
      return (await get(missing())) === 0;
    });
    // One package that is not to be had keeps all others away where they are asked for together.
    for (const name of missing()) await get([name]);
    return missing();
  });
}
