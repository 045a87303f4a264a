/**
 * The SIP servers of a domain (RFC 3263 clause 4): NAPTR names the transports, SRV the servers of each,
 * A and AAAA their addresses; where one kind of record is missing the next one stands in. Only transports
 * that the operator configured are considered, so a DNS answer never takes a partner from TLS to UDP.
 */
import type { RandomBytes } from '../../base/environment.js';
import { SegyError } from '../../base/errors.js';
import type { SipTarget } from '../../sip/index.js';

export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly service: string;
  readonly replacement: string;
}

export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly name: string;
}

/** What is asked of DNS. Each gives an empty list where there is no such record, and rejects when nobody answers. */
export interface DnsPort {
  naptr(domain: string): Promise<readonly NaptrRecord[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** IPv4 and IPv6 */
  addresses(host: string): Promise<readonly string[]>;
}

export interface SipServer {
  readonly transport: SipTarget['protocol'];
  readonly host: string;
  readonly port: number;
  /** those of a lower one first; counts through transports and SRV priorities */
  readonly priority: number;
  /** share among servers of one priority */
  readonly weight: number;
  readonly addresses: readonly string[];
}

type Transport = SipTarget['protocol'];

const SERVICES: Readonly<Record<string, Transport>> = {
  'SIPS+D2T': 'tls',
  'SIP+D2T': 'tcp',
  'SIP+D2U': 'udp',
};
const SRV_PREFIX: Readonly<Record<Transport, string>> = {
  tls: '_sips._tcp.',
  tcp: '_sip._tcp.',
  udp: '_sip._udp.',
};
/** SRV records of a domain that are followed */
const MAX_SERVERS = 32;

/**
 * @param transports those that may be used, the preferred one first
 * @throws SegyError SEGY_E_SIP_TRANSPORT when the domain has no server for them
 */
export async function locateSipServers(
  domain: string,
  transports: readonly Transport[],
  dns: DnsPort,
): Promise<SipServer[]> {
  const services = await srvNames(domain, transports, dns);
  const found: (Omit<SipServer, 'addresses' | 'priority'> & { readonly rank: [number, number] })[] =
    [];
  for (const [index, { transport, name }] of services.entries()) {
    for (const { priority, weight, port, name: host } of await dns.srv(name)) {
      // a target of "." says that the service is not offered (RFC 2782)
      if (host === '' || host === '.' || port === 0) continue;
      found.push({ transport, host, port, weight, rank: [index, priority] });
    }
  }
  if (found.length === 0) return [await bareServer(domain, transports, dns)];
  const ranked = found
    .sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1])
    .slice(0, MAX_SERVERS);
  const ranks = [...new Set(ranked.map(({ rank }) => rank.join()))];
  const servers = await Promise.all(
    ranked.map(async ({ rank, ...server }) => ({
      ...server,
      priority: ranks.indexOf(rank.join()),
      addresses: await dns.addresses(server.host).catch((): readonly string[] => []),
    })),
  );
  const usable = servers.filter(({ addresses }) => addresses.length > 0);
  if (usable.length > 0) return usable;
  throw new SegyError('SEGY_E_SIP_TRANSPORT', `no SIP server of ${domain} has an address`);
}

/** The SRV names to ask for, best first: those of NAPTR, else one for each transport. */
async function srvNames(
  domain: string,
  transports: readonly Transport[],
  dns: DnsPort,
): Promise<{ readonly transport: Transport; readonly name: string }[]> {
  const records = (await dns.naptr(domain)).flatMap((record) => {
    const transport = SERVICES[record.service.toUpperCase()];
    const usable =
      transport !== undefined &&
      transports.includes(transport) &&
      record.flags.toLowerCase() === 's' &&
      record.replacement !== '';
    return usable ? [{ ...record, transport }] : [];
  });
  // of several orders only the lowest one counts (RFC 3403 clause 4.1)
  const lowest = Math.min(...records.map(({ order }) => order));
  if (records.length > 0) {
    return records
      .filter(({ order }) => order === lowest)
      .sort((a, b) => a.preference - b.preference)
      .map(({ transport, replacement }) => ({ transport, name: replacement }));
  }
  return transports.map((transport) => ({ transport, name: `${SRV_PREFIX[transport]}${domain}` }));
}

/** Neither NAPTR nor SRV: the domain itself at the port of the first transport. */
async function bareServer(
  domain: string,
  transports: readonly Transport[],
  dns: DnsPort,
): Promise<SipServer> {
  const transport = transports[0] ?? 'tls';
  const addresses = await dns.addresses(domain);
  if (addresses.length === 0) {
    throw new SegyError('SEGY_E_SIP_TRANSPORT', `${domain} has no SIP server for ${transport}`);
  }
  const port = transport === 'tls' ? 5061 : 5060;
  return { transport, host: domain, port, priority: 0, weight: 0, addresses };
}

/** The order in which servers are tried for one request: by priority, drawn by weight within one (RFC 2782). */
export function drawOrder(servers: readonly SipServer[], random: RandomBytes): SipServer[] {
  const out: SipServer[] = [];
  for (const priority of [...new Set(servers.map((server) => server.priority))].sort(ascending)) {
    const left = servers.filter((server) => server.priority === priority);
    while (left.length > 0) {
      // one more than the weight, so that servers of weight 0 are drawn at times
      const total = left.reduce((sum, { weight }) => sum + weight + 1, 0);
      let drawn = fraction(random) * total;
      const index = left.findIndex(({ weight }) => (drawn -= weight + 1) < 0);
      out.push(...left.splice(Math.max(index, 0), 1));
    }
  }
  return out;
}

const ascending = (a: number, b: number): number => a - b;

/** From 0 to just under 1. */
function fraction(random: RandomBytes): number {
  const octets = random(4);
  return new DataView(octets.buffer, octets.byteOffset, 4).getUint32(0) / 2 ** 32;
}
