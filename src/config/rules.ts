/**
 * What is wrong between settings that are each right: addresses and ports that meet, partners that no
 * listener can reach, names that stand for nothing. Pure: neither files nor the network are looked at.
 */
import { isIP } from 'node:net';
import { isLoopback } from '../base/address.js';
import { locate, type ConfigFinding } from './load.js';
import type { PartnerConfig, SegyConfig } from './schema.js';

type Path = readonly PropertyKey[];
type Note = (path: Path, message: string, cure: string) => void;

/** Longest path of a unix socket, in octets. */
const MAX_SOCKET_PATH = 107;

export interface RuleFindings {
  /** a gateway with one of these does not start */
  readonly findings: readonly ConfigFinding[];
  /** allowed, and worth a look */
  readonly warnings: readonly ConfigFinding[];
}

/** @param text what `config` was read from, for the lines */
export function checkRules(config: SegyConfig, text: string): RuleFindings {
  const findings: ConfigFinding[] = [];
  const warnings: ConfigFinding[] = [];
  const noteIn =
    (list: ConfigFinding[]): Note =>
    (path, message, cure) =>
      void list.push({ ...locate(text, path), message, cure });
  const wrong = noteIn(findings);
  const warn = noteIn(warnings);
  checkSockets(config, wrong);
  checkMediaPorts(config, wrong, warn);
  checkOuter(config, wrong, warn);
  checkInner(config, wrong);
  checkListenerNames(config, wrong);
  for (const [index, partner] of config.partners.entries()) {
    checkPartner(config, partner, ['partners', index], wrong, warn);
  }
  if (config.partners.length === 0) {
    warn(['partners'], 'there is no partner, so every call is refused', 'add one to partners');
  }
  return { findings, warnings };
}

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

function checkSockets(config: SegyConfig, wrong: Note): void {
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

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || /^[0:]+$/.test(address);
}

function checkMediaPorts(config: SegyConfig, wrong: Note, warn: Note): void {
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

function checkOuter({ outer }: SegyConfig, wrong: Note, warn: Note): void {
  for (const [index, { address, tls, transport }] of outer.listeners.entries()) {
    const path = ['outer', 'listeners', index];
    if (isWildcard(address) && outer.advertised === undefined) {
      wrong(
        [...path, 'address'],
        'every address, and none that a peer could be told',
        'set outer.advertised, or listen at one address',
      );
    }
    if (tls !== undefined && tls.requestClientCert && tls.caFile === undefined) {
      warn(
        [...path, 'tls'],
        'any authority that this host trusts may sign for partners',
        'set caFile to the authorities of the partners',
      );
    }
    if (tls?.requestClientCert === false) {
      warn(
        [...path, 'tls', 'requestClientCert'],
        'partners come in without a certificate',
        'set it to true',
      );
    }
    if (transport !== 'tls' && !isLoopback(address)) {
      warn(
        [...path, 'transport'],
        `${transport} carries signalling in clear`,
        'use tls where the partner can',
      );
    }
  }
  if (isWildcard(outer.mediaAddress)) {
    wrong(
      ['outer', 'mediaAddress'],
      'SDP needs one address',
      "write this host's address towards the partners",
    );
  }
}

function checkInner({ inner, pbx }: SegyConfig, wrong: Note): void {
  if (isWildcard(inner.address)) {
    wrong(
      ['inner', 'address'],
      'clear SIP and RTP would be taken at every address',
      'write a loopback address such as 127.0.0.2',
    );
  }
  for (const [index, address] of inner.allowedMediaAddresses.entries()) {
    if (inner.allowNonLoopback || isLoopback(address)) continue;
    wrong(
      ['inner', 'allowedMediaAddresses', index],
      `clear media would go to ${address}`,
      'write a loopback address, or set inner.allowNonLoopback to insist',
    );
  }
  if (!inner.allowNonLoopback && !isLoopback(pbx.sip.address)) {
    wrong(
      ['pbx', 'sip', 'address'],
      'clear SIP would leave the host',
      'write a loopback address, or set inner.allowNonLoopback to insist',
    );
  }
  if (isIP(inner.address) !== isIP(pbx.sip.address)) {
    wrong(
      ['pbx', 'sip', 'address'],
      'the PBX and inner.address are of different IP versions',
      'use two addresses of one version',
    );
  }
  if (!inner.transports.includes(pbx.sip.transport)) {
    wrong(
      ['pbx', 'sip', 'transport'],
      `inner.transports does not have ${pbx.sip.transport}`,
      'add it there, or change it here',
    );
  }
}

/** Names of listeners, each once, and those that a partner names. */
function checkListenerNames({ outer, partners }: SegyConfig, wrong: Note): void {
  const names = outer.listeners.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    if (name === undefined || names.indexOf(name) === index) continue;
    const path = ['outer', 'listeners', index, 'name'];
    wrong(path, `${name} is already the name of a listener`, 'give it another name');
  }
  for (const [index, { sip }] of partners.entries()) {
    for (const [i, name] of (sip.listeners ?? []).entries()) {
      if (names.includes(name)) continue;
      const path = ['partners', index, 'sip', 'listeners', i];
      wrong(path, `no outer listener is named ${name}`, 'name one in outer.listeners');
    }
  }
}

function checkPartner(
  config: SegyConfig,
  { name, sip, domains, groups, gms, media, subscription, limits }: PartnerConfig,
  path: Path,
  wrong: Note,
  warn: Note,
): void {
  const at = (...more: Path): Path => [...path, ...more];
  const { listeners } = config.outer;
  const transports = [
    ...sip.addresses.map(
      ({ transport }, i) => [transport, at('sip', 'addresses', i, 'transport')] as const,
    ),
    ...(sip.discover?.transports ?? []).map(
      (transport) => [transport, at('sip', 'discover')] as const,
    ),
  ];
  for (const [transport, where] of transports) {
    const kinds = transport === 'udp' ? ['udp'] : transport === 'tcp' ? ['tcp', 'tls'] : ['tls'];
    if (listeners.some((listener) => kinds.includes(listener.transport))) continue;
    wrong(
      where,
      `no outer listener is for ${transport}`,
      `add a listener with transport: ${transport}`,
    );
  }
  for (const [i, { host, transport, serverName }] of sip.addresses.entries()) {
    const version = isIP(host);
    if (version > 0 && !listeners.some(({ address }) => isIP(address) === version)) {
      wrong(
        at('sip', 'addresses', i, 'host'),
        `no outer listener is IPv${version}`,
        'add one, or write the other address of the partner',
      );
    }
    if (serverName !== undefined && transport !== 'tls') {
      wrong(
        at('sip', 'addresses', i, 'serverName'),
        `${transport} has no certificate to carry a name`,
        'use transport: tls, or remove it',
      );
    }
    if (
      listeners.some(({ address, port }) => address === host && port === sip.addresses[i]?.port)
    ) {
      wrong(
        at('sip', 'addresses', i, 'host'),
        'the partner is this gateway',
        "write the partner's own address",
      );
    }
  }
  const isTls = transports.some(([transport]) => transport === 'tls');
  if (isTls && sip.tlsNames.length === 0) {
    warn(
      at('sip'),
      'the partner is known by its address alone',
      'set sip.tlsNames to the names in its certificate',
    );
  }
  if (!isTls && sip.tlsNames.length > 0) {
    wrong(
      at('sip', 'tlsNames'),
      'certificate names, and no address over tls',
      'use transport: tls, or remove them',
    );
  }
  const uriHost =
    /^sips?:(?:[^@]*@)?(\[[^\]]*\]|[^:;>]+)/.exec(sip.requestUri)?.[1]?.toLowerCase() ?? '';
  if (!domains.includes(uriHost) && isIP(uriHost) === 0) {
    warn(
      at('sip', 'requestUri'),
      `${uriHost} is none of the partner's domains`,
      'compare it with domains',
    );
  }
  if (media.policy === 'allow-clear') {
    warn(
      at('media', 'policy'),
      'calls without protection are carried',
      'set it to protected when the partner can',
    );
  }
  if (limits.calls > config.limits.calls) {
    warn(
      at('limits', 'calls'),
      `${name} may have more calls than the gateway`,
      'raise limits.calls or lower this',
    );
  }
  const users = new Set(config.users.map(({ uri }) => uri));
  const signers = [...gms, ...groups.flatMap((group) => group.gms ?? [])];
  if (subscription.enabled && subscription.requestUri === undefined && signers.length === 0) {
    wrong(
      at('subscription'),
      'a subscription, and no GMS to ask',
      "name the partner's gms, or subscription.requestUri",
    );
  }
  for (const [i, group] of groups.entries()) {
    for (const [j, user] of group.affiliate.entries()) {
      if (users.has(user) || config.users.some(({ uri }) => uri.includes('*'))) continue;
      warn(
        at('groups', i, 'affiliate', j),
        `${user} is no user of this configuration`,
        'add the user, here or by segy user add',
      );
    }
  }
}
