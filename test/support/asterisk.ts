/**
 * A private Asterisk for one test file: its own folders and ports, the operator's snippets of
 * asterisk-conf/ and dialplan/asterisk/ as they are (only segy_local.conf is written anew, as its
 * comment tells an operator to), and a second PJSIP endpoint `radio` for a fake radio trunk.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { PbxInstance } from './pbx-instance.js';
import type { Peer } from './pcap.js';
import { freePort, freePortRange } from './ports.js';

const execute = promisify(execFile);

/** The root of the source tree, seen from dist/test/support. */
export const PROJECT_ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/** What scripts/asterisk.mjs prints. */
interface AsteriskProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly version: string;
  readonly dataDir: string | null;
  readonly moduleDir: string | null;
}

export interface AsteriskOptions {
  /** the gateway's inner SIP listener; default 127.0.0.2 and a free port */
  readonly edge?: { readonly address: string; readonly port: number };
  /** the fake radio trunk; default 127.0.0.3 and a free port */
  readonly radio?: { readonly address: string; readonly port: number };
  /** the gateway's side on ::1; the radio trunk stays on IPv4 */
  readonly ipv6?: boolean;
  /** dialplan appended to extensions.conf */
  readonly dialplan?: string;
  /** text appended to a configuration file, by file name */
  readonly append?: Readonly<Record<string, string>>;
  /** leave out dialplan/asterisk/*.conf, for a test that brings a broken one of its own */
  readonly withoutDialplan?: boolean;
}

const START_MS = 90_000;

let program: AsteriskProgram | undefined;

function findProgram(): AsteriskProgram {
  if (program === undefined) {
    const found = spawnSync(process.execPath, [join(PROJECT_ROOT, 'scripts/asterisk.mjs')], {
      encoding: 'utf8',
    });
    if (found.status !== 0) throw new Error(`no Asterisk: ${found.stderr}`);
    program = JSON.parse(found.stdout) as AsteriskProgram;
  }
  return program;
}

/** Instances that still run; ended with the test runner whatever happens. */
const running = new Set<AsteriskInstance>();
process.once('exit', () => {
  for (const instance of running) instance.killNow();
});

export class AsteriskInstance implements PbxInstance {
  readonly isOwn = true;
  readonly folder: string;
  readonly edge: { readonly address: string; readonly port: number };
  readonly radio: { readonly address: string; readonly port: number };
  /** where this Asterisk takes SIP from the gateway and from the radio trunk (UDP and TCP) */
  readonly sip: { readonly address: string; readonly port: number };
  readonly ari: {
    readonly url: string;
    readonly username: string;
    readonly password: string;
    readonly app: string;
  };
  readonly #program: AsteriskProgram;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();

  private constructor(
    found: AsteriskProgram,
    ports: { edge: number; radio: number; sip: number; http: number; rtp: number },
    options: AsteriskOptions,
  ) {
    this.#program = found;
    this.folder = mkdtempSync(join(tmpdir(), 'segy-asterisk-'));
    const edge = options.ipv6 === true ? '::1' : '127.0.0.2';
    this.edge = options.edge ?? { address: edge, port: ports.edge };
    this.radio = options.radio ?? { address: '127.0.0.3', port: ports.radio };
    this.sip = { address: options.ipv6 === true ? '::1' : '127.0.0.1', port: ports.sip };
    this.ari = {
      url: `http://127.0.0.1:${ports.http}`,
      username: 'segy',
      password: `test-${ports.http}`,
      app: 'segy',
    };
    this.#writeConfiguration(ports.http, ports.rtp, options);
  }

  /** Starts one and waits until it is fully booted. */
  static async start(options: AsteriskOptions = {}): Promise<AsteriskInstance> {
    const ports = {
      edge: await freePort('127.0.0.2'),
      radio: await freePort('127.0.0.3'),
      sip: await freePort(),
      http: await freePort(),
      rtp: await freePortRange(400),
    };
    const instance = new AsteriskInstance(findProgram(), ports, options);
    await instance.run();
    return instance;
  }

  get version(): string {
    return this.#program.version;
  }

  get trunk(): Peer {
    return { address: '127.0.0.1', port: this.sip.port };
  }

  get control(): Peer {
    return { address: '127.0.0.1', port: Number(new URL(this.ari.url).port) };
  }

  get password(): string {
    return this.ari.password;
  }

  settings({ address, port }: Peer, passwordFile: string): Readonly<Record<string, unknown>> {
    const { username, app } = this.ari;
    const ari = { url: `http://${address}:${port}`, username, passwordFile, app };
    return { type: 'asterisk', ari };
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Everything Asterisk logged and printed since the first start. */
  log(): string {
    return ['log/full', 'log/segy_security.log', 'console']
      .map((name) => join(this.folder, name))
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
  }

  /** How its command line is reached, for `segy config check --asterisk`. */
  get commandLine(): string {
    const { command, args } = this.#program;
    return [command, ...args, '-C', join(this.folder, 'etc/asterisk.conf')].join(' ');
  }

  /** Output of one command of the Asterisk command line. */
  async cli(command: string): Promise<string> {
    const { stdout } = await execute(this.#program.command, [
      ...this.#program.args,
      ...['-C', join(this.folder, 'etc/asterisk.conf'), '-rx', command],
    ]);
    return stdout;
  }

  /** How many channels there are now. */
  async channelCount(): Promise<number> {
    const output = await this.cli('core show channels count');
    return Number(/^(\d+) active channel/m.exec(output)?.[1] ?? Number.NaN);
  }

  async hangUpAll(): Promise<void> {
    await this.cli('channel request hangup all');
  }

  /** Starts the process again after `kill` or `shutdown`, on the same ports. */
  async run(): Promise<void> {
    const console_ = openSync(join(this.folder, 'console'), 'a');
    const { command, args } = this.#program;
    const asterisk = [command, ...args, '-f', '-C', join(this.folder, 'etc/asterisk.conf')];
    const tied = existsSync('/usr/bin/setpriv')
      ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--', ...asterisk]
      : asterisk;
    const child = spawn(tied[0]!, tied.slice(1), { stdio: ['ignore', console_, console_] });
    closeSync(console_);
    this.#child = child;
    running.add(this);
    this.#exited = new Promise((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    });
    await this.#waitBooted(child);
  }

  /** Ends the process as a crash would (SIGKILL) and waits until it is gone. */
  async kill(): Promise<void> {
    this.killNow();
    await this.#exited;
  }

  killNow(): void {
    this.#child?.kill('SIGKILL');
    running.delete(this);
  }

  /** Kills the process and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #waitBooted(child: ChildProcess): Promise<void> {
    const giveUp = Date.now() + START_MS;
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > giveUp) {
        this.killNow();
        throw new Error(`Asterisk did not start:\n${this.log().slice(-4000)}`);
      }
      const output = await this.cli('core waitfullybooted').catch(() => '');
      if (output.includes('fully booted')) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  #writeConfiguration(httpPort: number, rtpStart: number, options: AsteriskOptions): void {
    for (const name of ['etc', 'run', 'lib', 'db', 'spool', 'log']) {
      mkdirSync(join(this.folder, name));
    }
    const etc = join(this.folder, 'etc');
    for (const source of ['asterisk-conf', 'dialplan/asterisk']) {
      const names = readdirSync(join(PROJECT_ROOT, source));
      for (const name of names.filter((each) => each.endsWith('.conf'))) {
        cpSync(join(PROJECT_ROOT, source, name), join(etc, name));
      }
    }
    const files: Record<string, string> = {
      'asterisk.conf': this.#directories(),
      'segy_local.conf': this.#local(httpPort),
      'modules.conf': '[modules]\nautoload=yes\n',
      'logger.conf':
        '[general]\n[logfiles]\nfull => notice,warning,error,verbose(4)\n#include segy_logger.conf\n',
      'pjsip.conf': `#include segy_pjsip.conf\n${this.#radioEndpoint()}`,
      'ari.conf': '[general]\nenabled=yes\n#include segy_ari.conf\n',
      'http.conf': '#include segy_http.conf\n',
      'rtp.conf': `[general]\nrtpstart=${rtpStart}\nrtpend=${rtpStart + 399}\nicesupport=no\n`,
      'extensions.conf':
        '[general]\n' +
        (options.withoutDialplan === true
          ? ''
          : '#include segy.conf\n#include segy_routes.conf\n#include segy_groups.conf\n#include segy_floor.conf\n') +
        (options.dialplan ?? ''),
    };
    for (const [name, text] of Object.entries(options.append ?? {})) {
      files[name] = `${files[name] ?? ''}\n${text}\n`;
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(etc, name), text);
  }

  #directories(): string {
    const at = (name: string): string => join(this.folder, name);
    const { dataDir, moduleDir } = this.#program;
    return [
      '[directories]',
      `astetcdir => ${at('etc')}`,
      `astvarlibdir => ${at('lib')}`,
      `astdbdir => ${at('db')}`,
      `astkeydir => ${at('lib')}`,
      `astagidir => ${at('lib')}`,
      `astspooldir => ${at('spool')}`,
      `astrundir => ${at('run')}`,
      `astlogdir => ${at('log')}`,
      ...(dataDir === null ? [] : [`astdatadir => ${dataDir}`]),
      ...(moduleDir === null ? [] : [`astmoddir => ${moduleDir}`]),
      '',
    ].join('\n');
  }

  #local(httpPort: number): string {
    const { address } = this.sip;
    return [
      '[segy-contact](!)',
      `contact=sip:${hostPort(this.edge)}`,
      '[segy-match](!)',
      `match=${this.edge.address}`,
      '[segy-listen-udp](!)',
      `bind=${hostPort(this.sip)}`,
      '[segy-listen-tcp](!)',
      `bind=${hostPort(this.sip)}`,
      '[segy-media](!)',
      `media_address=${address}`,
      ...(address.includes(':') ? ['rtp_ipv6=yes'] : []),
      '[segy-http](!)',
      'bindaddr=127.0.0.1',
      `bindport=${httpPort}`,
      '[segy-password](!)',
      `password=${this.ari.password}`,
      '',
    ].join('\n');
  }

  #radioEndpoint(): string {
    const isApart = this.sip.address !== '127.0.0.1';
    return [
      ...(isApart
        ? ['[radio-udp]', 'type=transport', 'protocol=udp', `bind=127.0.0.1:${this.sip.port}`]
        : []),
      '[radio]',
      'type=aor',
      `contact=sip:${this.radio.address}:${this.radio.port}`,
      '[radio]',
      'type=identify',
      'endpoint=radio',
      `match=${this.radio.address}`,
      '[radio]',
      'type=endpoint',
      `transport=${isApart ? 'radio-udp' : 'segy-udp'}`,
      'aors=radio',
      'context=from-radio',
      'direct_media=no',
      'disallow=all',
      'allow=ulaw,alaw,amr,amrwb',
      '',
    ].join('\n');
  }
}

function hostPort({ address, port }: Peer): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
