/** What can be wrong around a right configuration now: ports, the PBX, the clock, the store, names. */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createConnection, createServer } from 'node:net';
import { promisify } from 'node:util';
import { defaultSocketPath } from '../admin/index.js';
import { toSegyError } from '../base/errors.js';
import { locate } from '../config/index.js';
import type { ConfigFinding, SegyConfig } from '../config/index.js';
import { checkPbx } from './check-pbx.js';
import { checkDscp } from './dscp.js';
import { createDns, unresolvedHosts } from './host-names.js';
import { commandEnvironment, openState } from './state.js';

export interface LiveFindings {
  readonly findings: readonly ConfigFinding[];
  readonly warnings: readonly ConfigFinding[];
}

type Path = readonly PropertyKey[];
type Bound = readonly [Path, 'udp' | 'tcp', string, number];

/** Takes one finding or warning: where, what and how to cure it. */
export type Note = (path: Path, message: string, cure: string) => void;

/** @param asterisk command that reaches the Asterisk's command line, its options behind it */
export async function checkLive(
  config: SegyConfig,
  text: string,
  asterisk: readonly string[],
): Promise<LiveFindings> {
  const isRunning = await answers(config.admin.socket ?? defaultSocketPath(config.stateDir));
  const all: LiveFindings[] = await Promise.all([
    isRunning ? NOTHING : checkPorts(config, text),
    isRunning ? NOTHING : checkStore(config, text),
    checkPbx(config, text, asterisk),
    checkClock(text),
    checkDscp(config, text).then((warnings) => ({ findings: [], warnings })),
    unresolvedHosts(config, text, createDns(config)).then((warnings) => ({
      findings: [],
      warnings,
    })),
  ]);
  return {
    findings: all.flatMap(({ findings }) => findings),
    warnings: all.flatMap(({ warnings }) => warnings),
  };
}

const NOTHING: LiveFindings = { findings: [], warnings: [] };

/** Does a gateway listen there? Then ports and store are its own. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function checkPorts(config: SegyConfig, text: string): Promise<LiveFindings> {
  const { inner, outer } = config;
  const sockets: Bound[] = [
    ...outer.listeners.map(({ transport, address, port }, i): Bound => [
      ['outer', 'listeners', i],
      transport === 'udp' ? 'udp' : 'tcp',
      address,
      port,
    ]),
    ...inner.transports.map((transport): Bound => [
      ['inner', 'sipPort'],
      transport,
      inner.address,
      inner.sipPort,
    ]),
    ...listenersOf(config),
    ...(config.https === undefined
      ? []
      : [[['https', 'port'], 'tcp', config.https.address, config.https.port] as Bound]),
    [['outer', 'mediaAddress'], 'udp', outer.mediaAddress, 0],
    [['inner', 'address'], 'udp', inner.address, 0],
  ];
  const checked = sockets.map(async ([path, protocol, address, port]) => {
    const code = await bindFault(protocol, address, port);
    if (code === null) return [];
    const [message, cure] = BIND_FAULTS[code] ?? [`cannot be bound (${code})`, 'choose another'];
    const name = port === 0 ? address : `${protocol} ${address} port ${port}`;
    return [{ ...locate(text, path), message: `${name} ${message}`, cure }];
  });
  return { findings: (await Promise.all(checked)).flat(), warnings: [] };
}

/** Those for operators, where they are configured. */
function listenersOf(config: SegyConfig): [Path, 'tcp', string, number][] {
  return (['metrics', 'console'] as const).flatMap((name) => {
    const { listen } = config[name];
    return listen === undefined ? [] : [[[name, 'listen'], 'tcp', listen.address, listen.port]];
  });
}

const BIND_FAULTS: Readonly<Record<string, readonly [string, string]>> = {
  EADDRINUSE: ['is used by another program', 'find it with ss -lntup, or choose another port'],
  EADDRNOTAVAIL: ['is no address of this host', 'write one that ip address shows'],
  EACCES: [
    'may not be bound by this user',
    'choose a port above 1023, or grant CAP_NET_BIND_SERVICE',
  ],
};

/** Code of the system's error; null where it can be bound. */
function bindFault(protocol: 'udp' | 'tcp', address: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const failed = (error: Error): void =>
      resolve('code' in error && typeof error.code === 'string' ? error.code : 'EUNKNOWN');
    if (protocol === 'tcp') {
      const server = createServer();
      server.once('error', failed);
      server.listen({ host: address, port, exclusive: true }, () =>
        server.close(() => resolve(null)),
      );
      return;
    }
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', failed);
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(null)));
  });
}

async function checkStore(config: SegyConfig, text: string): Promise<LiveFindings> {
  const target = { state: config.stateDir, masterKey: config.masterKeyFile };
  try {
    const state = await openState(target, commandEnvironment());
    const hasDomain = state.domain !== undefined;
    const trusted = new Set(state.trust.list().map(({ partner }) => partner));
    await state.close();
    const warnings = config.partners.flatMap(({ name }, index) =>
      trusted.has(name)
        ? []
        : [
            {
              ...locate(text, ['partners', index, 'name']),
              message: `no KMS certificate of ${name} is trusted, so no key of it is taken`,
              cure: `segy kms trust add <certificate> --partner ${name}`,
            },
          ],
    );
    if (hasDomain) return { findings: [], warnings };
    const at = locate(text, ['stateDir']);
    return {
      findings: [{ ...at, message: 'no security domain was made', cure: 'segy kms init' }],
      warnings,
    };
  } catch (error) {
    const { code, message } = toSegyError(error);
    const path = code === 'SEGY_E_STORE_KEY' ? 'masterKeyFile' : 'stateDir';
    const cure = STORE_CURES[code] ?? 'segy store verify tells more';
    return { findings: [{ ...locate(text, [path]), message, cure }], warnings: [] };
  }
}

const STORE_CURES: Readonly<Record<string, string>> = {
  SEGY_E_NOT_FOUND: 'make the domain: segy kms init',
  SEGY_E_STORE_KEY: 'name the master key that the store was made with',
  SEGY_E_STORE_LOCKED: 'end the other program that has it open',
};

/** Keys and messages have times: a clock that is off refuses them all. */
async function checkClock(text: string): Promise<LiveFindings> {
  const at = locate(text, []);
  try {
    const { stdout } = await promisify(execFile)('timedatectl', [
      'show',
      '--property=NTPSynchronized',
      '--value',
    ]);
    if (stdout.trim() === 'yes') return NOTHING;
    const message = "this host's clock is not synchronised";
    return {
      findings: [],
      warnings: [{ ...at, message, cure: 'run chrony or systemd-timesyncd' }],
    };
  } catch {
    const message = "whether this host's clock is synchronised cannot be seen";
    return {
      findings: [],
      warnings: [{ ...at, message, cure: 'look at chronyc tracking or timedatectl' }],
    };
  }
}
