/**
 * A FreeSWITCH to test with, where there is one: a private instance for one test file with its own
 * folders and ports, or one that runs already. A running one has the files of dialplan/freeswitch in it
 * and a sofia gateway `radio` at an address of this machine's loopback, in a profile whose context is
 * `from-radio`. It is there for tests alone: they hang up every channel that it has.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { eslCommand } from './esl-command.js';
import { RTP_PORTS, writeFreeSwitchConfig } from './freeswitch-config.js';
import type { FreeSwitchPlan } from './freeswitch-config.js';
import type { PbxInstance } from './pbx-instance.js';
import type { Peer } from './pcap.js';
import { freePort, freePortRange, isFree } from './ports.js';

export interface FreeSwitchOptions {
  /** the gateway's inner SIP listener; default 127.0.0.2 and a free port */
  readonly edge?: Peer;
  /** dialplan extensions put at the beginning of a context, by its name; not with a running one */
  readonly extensions?: Readonly<Record<string, string>>;
}

/** What the environment offers. */
export type FoundFreeSwitch =
  | { readonly program: string; readonly prefix: string | null }
  | { readonly control: Peer; readonly password: string; readonly sip: Peer }
  | { readonly missing: string };

const HOW =
  'name one by SEGY_TEST_FREESWITCH=<prefix folder>, or a running one by ' +
  'SEGY_TEST_ESL=host:port:password and SEGY_TEST_FS_SIP=host:port';

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

/** Looks for a running one first, then for the named prefix, then on PATH. */
export function findFreeSwitch(env: NodeJS.ProcessEnv = process.env): FoundFreeSwitch {
  const { SEGY_TEST_ESL: esl, SEGY_TEST_FS_SIP: sip, SEGY_TEST_FREESWITCH: prefix } = env;
  if (esl !== undefined || sip !== undefined) {
    const link = /^([\d.]+):(\d+):(\S+)$/.exec(esl ?? '');
    const profile = readPeer(sip ?? '');
    if (link === null || profile === null) {
      return { missing: `SEGY_TEST_ESL and SEGY_TEST_FS_SIP do not both name one; ${HOW}` };
    }
    const control = { address: link[1] ?? '', port: Number(link[2]) };
    return { control, password: link[3] ?? '', sip: profile };
  }
  if (prefix !== undefined) {
    const places = ['bin/freeswitch', 'usr/bin/freeswitch', 'freeswitch'];
    const program = places.map((name) => join(prefix, name)).find(isFile);
    return program !== undefined
      ? { program, prefix }
      : { missing: `there is no bin/freeswitch in ${prefix} (SEGY_TEST_FREESWITCH); ${HOW}` };
  }
  const program = (env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'freeswitch'))
    .find(isFile);
  return program === undefined
    ? { missing: `there is no FreeSWITCH on PATH; ${HOW}` }
    : { program, prefix: null };
}

/** Why tests cannot stand at `peer`, which the PBX takes to be `what`; null where they can. */
async function cannotStandAt({ address, port }: Peer, what: string): Promise<string | null> {
  if (await isFree(address, port)) return null;
  return (
    `the running FreeSWITCH takes ${what} to be at ${address}:${port}, where these tests have to be: ` +
    'it is no address of this machine, or another program, such as the gateway itself, is there'
  );
}

/** `address:port` in `text`, with or without `sip:` and a user part. */
function readPeer(text: string): Peer | null {
  const found = /^(?:sip:)?(?:[^@]*@)?(\d+\.\d+\.\d+\.\d+):(\d+)/.exec(text);
  return found === null ? null : { address: found[1] ?? '', port: Number(found[2]) };
}

/** Starts a private one, or joins the running one. @throws Error when there is none */
export async function startFreeSwitch(options: FreeSwitchOptions = {}): Promise<FreeSwitch> {
  const found = findFreeSwitch();
  if ('missing' in found) throw new Error(found.missing);
  if (!('program' in found)) return RunningFreeSwitch.join(found);
  const instance = new PrivateFreeSwitch(found, {
    edge: options.edge ?? { address: '127.0.0.2', port: await freePort('127.0.0.2') },
    radio: { address: '127.0.0.3', port: await freePort('127.0.0.3') },
    sip: { address: '127.0.0.1', port: await freePort() },
    trunk: { address: '127.0.0.1', port: await freePort() },
    control: { address: '127.0.0.1', port: await freePort() },
    password: `test-${process.pid}`,
    rtpStart: await freePortRange(RTP_PORTS),
    extensions: options.extensions ?? {},
  });
  await instance.run();
  return instance;
}

type Addresses = Pick<FreeSwitchPlan, 'edge' | 'radio' | 'sip' | 'trunk' | 'control' | 'password'>;

/** What both have in common: everything goes by the event socket. */
export abstract class FreeSwitch implements PbxInstance {
  abstract readonly isOwn: boolean;
  readonly edge: Peer;
  readonly radio: Peer;
  readonly sip: Peer;
  readonly trunk: Peer;
  readonly control: Peer;
  readonly password: string;
  version = '';

  constructor(addresses: Addresses) {
    this.edge = addresses.edge;
    this.radio = addresses.radio;
    this.sip = addresses.sip;
    this.trunk = addresses.trunk;
    this.control = addresses.control;
    this.password = addresses.password;
  }

  abstract log(): string;
  abstract kill(): Promise<void>;
  abstract run(): Promise<void>;
  abstract stop(): Promise<void>;

  settings({ address, port }: Peer, passwordFile: string): Readonly<Record<string, unknown>> {
    return { type: 'freeswitch', esl: { host: address, port, passwordFile } };
  }

  /** Answer of one `api` command. */
  api(command: string): Promise<string> {
    return eslCommand(this.control, this.password, command);
  }

  async hasModule(name: string): Promise<boolean> {
    return (await this.api(`module_exists ${name}`)).trim() === 'true';
  }

  async channelCount(): Promise<number> {
    const list = JSON.parse(await this.api('show channels as json')) as { row_count: number };
    return list.row_count;
  }

  async hangUpAll(): Promise<void> {
    await this.api('hupall NORMAL_CLEARING');
  }
}

/** One that was running before: where its trunk and the gateway are is read from it. */
class RunningFreeSwitch extends FreeSwitch {
  readonly isOwn = false;

  static async join(at: { control: Peer; password: string; sip: Peer }): Promise<FreeSwitch> {
    const ask = async (what: string, field: string): Promise<string> => {
      const answer = await eslCommand(at.control, at.password, `sofia xmlstatus ${what}`).catch(
        (cause: unknown) => {
          const { message } = cause as Error;
          throw new Error(`SEGY_TEST_ESL leads to no FreeSWITCH that lets us in: ${message}`);
        },
      );
      const value = new RegExp(`<${field}>([^<]*)</${field}>`).exec(answer)?.[1];
      if (value === undefined) {
        const said = answer.trim().slice(0, 200);
        throw new Error(
          `the running FreeSWITCH has no sofia ${what}: ${said}; what it needs is in docs/freeswitch.md`,
        );
      }
      return value;
    };
    const peer = async (what: string, field: string): Promise<Peer> => {
      const text = await ask(what, field);
      const read = readPeer(text);
      if (read === null) throw new Error(`${field} of ${what} is no address and port: ${text}`);
      return read;
    };
    const profile = await ask('gateway radio', 'profile');
    const instance = new RunningFreeSwitch({
      ...at,
      edge: await peer('gateway segy', 'proxy'),
      radio: await peer('gateway radio', 'proxy'),
      trunk: await peer(`profile ${profile}`, 'url'),
    });
    instance.version = (await instance.api('version')).trim();
    const busy =
      (await cannotStandAt(instance.edge, 'the gateway')) ??
      (await cannotStandAt(instance.radio, 'the radio trunk'));
    if (busy !== null) throw new Error(busy);
    return instance;
  }

  /** Its log is its operator's. */
  log(): string {
    return '';
  }

  kill(): Promise<void> {
    return Promise.reject(
      new Error('a FreeSWITCH that ran before the tests is not killed by them'),
    );
  }

  run(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

/** Instances that still run; ended with the test runner whatever happens. */
const running = new Set<PrivateFreeSwitch>();
process.once('exit', () => {
  for (const instance of running) instance.killNow();
});

const FOLDERS = ['log', 'db', 'run', 'storage', 'cache', 'temp', 'recordings', 'certs', 'scripts'];
const START_MS = 45_000;
const PROFILE_MS = 1200;

class PrivateFreeSwitch extends FreeSwitch {
  readonly isOwn = true;
  readonly #folder = mkdtempSync(join(tmpdir(), 'segy-freeswitch-'));
  readonly #found: { readonly program: string; readonly prefix: string | null };
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();

  constructor(
    found: { readonly program: string; readonly prefix: string | null },
    plan: FreeSwitchPlan,
  ) {
    super(plan);
    this.#found = found;
    for (const name of FOLDERS) mkdirSync(join(this.#folder, name));
    writeFreeSwitchConfig(join(this.#folder, 'conf'), plan);
  }

  log(): string {
    return ['log/freeswitch.log', 'console']
      .map((name) => join(this.#folder, name))
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
  }

  async run(): Promise<void> {
    const { program, prefix } = this.#found;
    const folders = ['conf', ...FOLDERS].flatMap((name) => [`-${name}`, join(this.#folder, name)]);
    // A prefix folder may stand elsewhere than where it was built for.
    const modules = ['lib/freeswitch/mod', 'lib64/freeswitch/mod', 'usr/lib/freeswitch/mod', 'mod']
      .map((name) => join(prefix ?? '', name))
      .find((path) => prefix !== null && existsSync(path));
    const command = [
      ...[program, '-nc', '-nf', '-nonat', '-np', ...folders],
      ...(modules === undefined ? [] : ['-mod', modules]),
    ];
    const tied = existsSync('/usr/bin/setpriv')
      ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--', ...command]
      : command;
    const own = prefix === null ? [] : ['lib', 'lib64'].map((name) => join(prefix, name));
    const libraries = [...own, process.env.LD_LIBRARY_PATH];
    const output = openSync(join(this.#folder, 'console'), 'a');
    const child = spawn(tied[0]!, tied.slice(1), {
      stdio: ['ignore', output, output],
      env: { ...process.env, LD_LIBRARY_PATH: libraries.filter(Boolean).join(delimiter) },
    });
    closeSync(output);
    this.#child = child;
    running.add(this);
    this.#exited = new Promise((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    });
    await this.#waitReady(child);
  }

  async kill(): Promise<void> {
    this.killNow();
    await this.#exited;
  }

  killNow(): void {
    this.#child?.kill('SIGKILL');
    running.delete(this);
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A profile reads its gateways after it says that it is running. */
  async #hasGateways(): Promise<boolean> {
    for (const name of ['segy', 'radio']) {
      const status = await this.api(`sofia status gateway ${name}`).catch(() => 'Invalid');
      if (/invalid/i.test(status)) return false;
    }
    return true;
  }

  /** Waits until the event socket answers and both profiles are up. */
  async #waitReady(child: ChildProcess): Promise<void> {
    const giveUp = Date.now() + START_MS;
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > giveUp) {
        this.killNow();
        throw new Error(`FreeSWITCH did not start:\n${this.log().slice(-4000)}`);
      }
      const status = await this.api('sofia status').catch(() => '');
      const up = (name: string): boolean =>
        new RegExp(`^\\s*${name}\\s+profile\\s.*RUNNING`, 'm').test(status);
      if (up('segy') && up('radio') && (await this.#hasGateways())) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // A profile that says RUNNING looks at its first message a second later.
    await new Promise((resolve) => setTimeout(resolve, PROFILE_MS));
    this.version = (await this.api('version')).trim();
  }
}
