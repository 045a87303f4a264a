/** Addresses and ports that meet: every socket of the gateway, the PBX's, and the media ranges. */
import type { Note, Path } from './rule-note.js';
import type { SegyConfig } from './schema.js';

/** Longest path of a unix socket, in octets. */
const MAX_SOCKET_PATH = 107;

interface Bound {
  readonly path: Path;
  readonly protocol: 'udp' | 'tcp';
  readonly address: string;
  readonly port: number;
}

function socketsOf(config: SegyConfig): Bound[] {
  const outer = config.outer.listeners.map(({ transport, address, port }, index) => ({
    path: ['outer', 'listeners', index, 'port'],
    protocol: transport === 'udp' ? ('udp' as const) : ('tcp' as const),
    address,
    port,
  }));
  const { address, sipPort, transports } = config.inner;
  const inner = transports.map((protocol) => ({
    path: ['inner', 'sipPort'],
    protocol,
    address,
    port: sipPort,
  }));
  const { listen } = config.metrics;
  const metrics = listen && {
    path: ['metrics', 'listen', 'port'],
    protocol: 'tcp' as const,
    ...listen,
  };
  const https = config.https && {
    path: ['https', 'port'],
    protocol: 'tcp' as const,
    address: config.https.address,
    port: config.https.port,
  };
  return [...outer, ...inner, ...[metrics, https].filter((each) => each !== undefined)];
}

export function checkSockets(config: SegyConfig, wrong: Note): void {
  const all = socketsOf(config);
  for (const [index, one] of all.entries()) {
    const other = all.slice(0, index).find((before) => isSameSocket(before, one));
    if (other === undefined) continue;
    const name = `${one.protocol} ${one.address} port ${one.port}`;
    wrong(one.path, `${name} is bound twice`, 'give one of the two another port');
  }
  const { address, port, transport } = config.pbx.sip;
  const ours = all.find((own) =>
    isSameSocket(own, { path: [], protocol: transport, address, port }),
  );
  if (ours !== undefined) {
    const message = `the PBX and this gateway share ${address} port ${port}`;
    wrong(['pbx', 'sip', 'port'], message, "write the port of the PBX's endpoint for segy");
  }
  const socket = config.admin.socket ?? `${config.stateDir}/segy.sock`;
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH) {
    const cure = `set admin.socket to a path of at most ${MAX_SOCKET_PATH} octets`;
    wrong(
      config.admin.socket === undefined ? ['stateDir'] : ['admin', 'socket'],
      'the path of the command socket is too long',
      cure,
    );
  }
}

function isSameSocket(a: Bound, b: Bound): boolean {
  const meets = a.address === b.address || isWildcard(a.address) || isWildcard(b.address);
  return a.protocol === b.protocol && a.port === b.port && meets;
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || /^[0:]+$/.test(address);
}

export function checkMediaPorts(config: SegyConfig, wrong: Note, warn: Note): void {
  const { inner, outer, limits } = config;
  const [low, high] = outer.mediaPorts;
  const meets = inner.address === outer.mediaAddress || isWildcard(outer.mediaAddress);
  if (meets && low <= inner.mediaPorts[1] && inner.mediaPorts[0] <= high) {
    const cure = 'give each side ports of its own, or other addresses';
    wrong(['inner', 'mediaPorts'], 'the media ports of both sides overlap', cure);
  }
  for (const { path, protocol, address, port } of socketsOf(config)) {
    if (protocol !== 'udp') continue;
    for (const [at, range, where] of [
      [outer.mediaAddress, outer.mediaPorts, 'outer'],
      [inner.address, inner.mediaPorts, 'inner'],
    ] as const) {
      const same = at === address || isWildcard(address) || isWildcard(at);
      if (!same || port < range[0] || port > range[1]) continue;
      wrong(path, `port ${port} lies within ${where}.mediaPorts`, 'move the port or the range');
    }
  }
  for (const [path, [first, last]] of [
    [['outer', 'mediaPorts'], outer.mediaPorts],
    [['inner', 'mediaPorts'], inner.mediaPorts],
  ] as const) {
    const pairs = Math.floor((last - first + 1) / 2);
    if (pairs >= limits.calls) continue;
    warn(
      path,
      `${pairs} pairs of ports for ${limits.calls} calls`,
      'widen the range, or lower limits.calls',
    );
  }
}
