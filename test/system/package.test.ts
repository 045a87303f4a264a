import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_ROOT } from '../support/asterisk.js';
import { freePort } from '../support/ports.js';
import { skipBecause } from '../support/skip.js';

interface Builder {
  readonly buildDeb: (options: { out: string; version: string }) => Promise<string>;
}
interface Roots {
  readonly findOrMakeNodeRoot: () => Promise<string>;
}

const script = async (path: string): Promise<unknown> =>
  import(pathToFileURL(join(PROJECT_ROOT, path)).href);

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** The archive of `npm pack`, and the Debian package made of it, as an operator gets them. */
describe('the packages of the gateway', function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), 'segy-package-'));
  const out = join(folder, 'out');
  const root = join(folder, 'root');
  let first: string;
  let second: string;
  let gateway: ChildProcess | undefined;

  const inside = (...command: readonly string[]): string => run('chroot', [root, ...command]);
  const asService = (...command: readonly string[]): string =>
    run('chroot', ['--userspec=segy:segy', root, ...command]);
  const owner = (path: string): string => inside('/usr/bin/stat', '-c', '%U:%G %a', path).trim();

  before(async function () {
    const { buildDeb } = (await script('scripts/packaging/deb.mjs')) as Builder;
    first = await buildDeb({ out, version: '0.1.0' });
    second = await buildDeb({ out, version: '0.1.1' });
  });
  after(() => {
    gateway?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  it('npm pack makes an archive that installs without a network and runs', () => {
    const packed = run('npm', ['pack', '--silent', '--pack-destination', folder, PROJECT_ROOT]);
    const prefix = join(folder, 'prefix');
    const archive = join(folder, packed.trim().split('\n').at(-1) ?? '');
    const offline = ['--offline', '--cache', join(folder, 'no-cache'), '--no-audit', '--no-fund'];
    run('npm', ['install', '-g', '--prefix', prefix, '--ignore-scripts', ...offline, archive]);
    const segy = join(prefix, 'bin/segy');
    assert.match(run(segy, ['--version']), /^\d+\.\d+\.\d+\n$/);
    const state = ['--state', join(folder, 'state'), '--master-key', join(folder, 'master.key')];
    run(segy, ['kms', 'init', ...state, '--kms-uri', 'kms.x', '--domain', 'x', '--json']);
  });

  it('lintian finds nothing wrong with the Debian package', () => {
    const { stdout, status } = spawnSync('lintian', ['--allow-root', '--fail-on', 'error', first], {
      encoding: 'utf8',
    });
    const warnings = stdout.split('\n').filter((line) => /^[EW]: /.test(line));
    assert.deepEqual(warnings, []);
    assert.equal(status, 0, stdout);
  });

  it('its unit passes the verifier of systemd, and its exposure is low', function () {
    const unit = join(folder, 'unit/usr/lib/systemd/system/segy.service');
    run('dpkg-deb', ['-x', first, join(folder, 'unit')]);
    const security = spawnSync(
      'systemd-analyze',
      [...['security', '--offline=true', '--threshold=30', '--no-pager', unit]],
      { encoding: 'utf8' },
    );
    const last = security.stdout.trim().split('\n').at(-1) ?? '';
    process.stdout.write(`      ${last.replace(/^\W+/, '')}\n`);
    assert.equal(security.status, 0, `${security.stdout}${security.stderr}`);
    const text = readFileSync(unit, 'utf8');
    assert.match(text, /^LimitCORE=0$/m);
    assert.doesNotMatch(text, /^MemoryDenyWriteExecute/m);
  });

  describe('in a Debian of its own', () => {
    before(async function () {
      if (process.getuid?.() !== 0) skipBecause(this, 'only root can enter another root folder');
      const { findOrMakeNodeRoot } = (await script('scripts/lib/debian-root.mjs')) as Roots;
      mkdirSync(root);
      run('tar', ['-xf', await findOrMakeNodeRoot(), '-C', root]);
      for (const path of [first, second]) copyFileSync(path, join(root, path.slice(out.length)));
    });

    it('installs, with its user, its folders, its manual and its completion', () => {
      inside('/usr/bin/dpkg', '-i', first.slice(out.length));
      assert.equal(owner('/var/lib/segy'), 'segy:segy 700');
      assert.equal(owner('/etc/segy'), 'segy:segy 750');
      assert.match(inside('/usr/bin/segy', '--version'), /^0\.1\.0\n$/);
      for (const path of ['man/man1/segy.1.gz', 'bash-completion/completions/segy']) {
        assert.equal(existsSync(join(root, 'usr/share', path)), true, path);
      }
      assert.equal(existsSync(join(root, 'usr/share/mc-segy/asterisk-conf/segy_pjsip.conf')), true);
      inside(
        '/usr/bin/systemd-analyze',
        '--man=no',
        'verify',
        '/usr/lib/systemd/system/segy.service',
      );
    });

    it('runs as its user after the steps of the README', async () => {
      const domain = ['--kms-uri', 'kms.radio.example', '--domain', 'radio.example'];
      asService('/usr/bin/segy', 'kms', 'init', ...domain);
      assert.equal(statSync(join(root, 'etc/segy/master.key')).mode & 0o777, 0o600);
      writeFileSync(join(root, 'etc/segy/ari.secret'), 'secret\n', { mode: 0o600 });
      const sip = await freePort();
      const inner = await freePort();
      writeFileSync(
        join(root, 'etc/segy/segy.yaml'),
        [
          'stateDir: /var/lib/segy',
          'masterKeyFile: /etc/segy/master.key',
          'pbx:',
          '  type: asterisk',
          `  sip: { port: ${await freePort()} }`,
          `  ari: { url: 'http://127.0.0.1:${await freePort()}', username: segy, passwordFile: /etc/segy/ari.secret }`,
          'inner:',
          '  address: 127.0.0.1',
          `  sipPort: ${inner}`,
          '  mediaPorts: [10000, 10999]',
          'outer:',
          '  mediaAddress: 127.0.0.1',
          '  mediaPorts: [11000, 11999]',
          `  listeners: [{ transport: udp, address: 127.0.0.1, port: ${sip} }]`,
          'partners: []',
          '',
        ].join('\n'),
      );
      inside('/usr/bin/chown', '-R', 'segy:segy', '/etc/segy');
      await startGateway();
    });

    it('keeps the domain, its key and its configuration over an upgrade', async () => {
      await stopGateway();
      const before = asService('/usr/bin/segy', 'kms', 'cert', '--json');
      inside('/usr/bin/dpkg', '-i', second.slice(out.length));
      assert.match(inside('/usr/bin/segy', '--version'), /^0\.1\.1\n$/);
      assert.equal(asService('/usr/bin/segy', 'kms', 'cert', '--json'), before);
      await startGateway();
      await stopGateway();
    });

    it('leaves the keys where they are when it is removed and purged', () => {
      const kept = ['etc/segy/master.key', 'etc/segy/segy.yaml', 'var/lib/segy/store'];
      inside('/usr/bin/dpkg', '--remove', 'mc-segy');
      assert.equal(existsSync(join(root, 'usr/bin/segy')), false);
      const said = inside('/usr/bin/dpkg', '--purge', 'mc-segy');
      assert.match(said, /may hold keys/);
      for (const path of kept) assert.equal(existsSync(join(root, path)), true, path);
    });
  });

  async function startGateway(): Promise<void> {
    const child = spawn(
      'chroot',
      ['--userspec=segy:segy', root, '/usr/bin/segy', 'run', '--config', '/etc/segy/segy.yaml'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    gateway = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const hear = (chunk: Buffer): void => {
        said += chunk.toString();
        if (said.includes('gateway.ready')) resolve();
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', (status) => reject(new Error(`ended with ${status}: ${said}`)));
    });
  }

  async function stopGateway(): Promise<void> {
    const child = gateway;
    assert.ok(child);
    gateway = undefined;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
  }
});
