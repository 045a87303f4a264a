/** Host names in the configuration: how they are resolved, and which of them are not. */
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { isLoopback } from '../base/address.js';
import { locate } from '../config/index.js';
import type { ConfigFinding, SegyConfig } from '../config/index.js';
import { locateSipServers, type DnsPort } from '../edge/index.js';

/** Answers that say that there is nothing of the kind. */
const NOTHING = new Set(['ENOTFOUND', 'ENODATA', 'ENONAME']);

/**
 * DNS as the configuration says: by the servers it names, else as this host resolves names (NAPTR and
 * SRV by its servers, addresses also by its hosts file). An answer never makes this host's own programs
 * partners: addresses of this host alone are dropped, unless the gateway itself listens at one.
 */
export function createDns({ dns, outer }: SegyConfig): DnsPort {
  const resolver = new Resolver({ timeout: dns.timeoutMs, tries: 2 });
  if (dns.servers.length > 0) resolver.setServers(dns.servers);
  const inside = outer.listeners.some(({ address }) => isLoopback(address));
  const byHost = async (host: string): Promise<string[]> =>
    (await lookup(host, { all: true })).map(({ address }) => address);
  const byServers = async (host: string): Promise<string[]> => {
    const both = [resolver.resolve4(host), resolver.resolve6(host)].map(orEmpty);
    return (await Promise.all(both)).flat();
  };
  return {
    naptr: (domain) => orEmpty(resolver.resolveNaptr(domain)),
    srv: (name) => orEmpty(resolver.resolveSrv(name)),
    addresses: async (host) => {
      const found = await (dns.servers.length > 0 ? byServers(host) : byHost(host));
      const usable = found.filter((address) => isUsable(address, inside));
      if (usable.length > 0) return usable;
      const why = found.length > 0 ? 'no address that a partner can have' : 'no address';
      throw new Error(`${host} has ${why}`);
    },
  };
}

/** A unicast address of somebody else; of this host only where `inside` says so. */
function isUsable(address: string, inside: boolean): boolean {
  if (isLoopback(address)) return inside;
  if (isIP(address) === 6) return !/^(?:ff|[0:]+$)/i.test(address);
  const [first = 0] = address.split('.').map(Number);
  return isIP(address) === 4 && first > 0 && first < 224;
}

/** No such record is an empty answer; no answer is a failure. */
async function orEmpty<T>(answer: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await answer;
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : '';
    if (typeof code === 'string' && NOTHING.has(code)) return [];
    throw error;
  }
}

/**
 * A warning for each partner host or domain that does not resolve now. It is no fault of the file: the
 * gateway starts all the same and goes on asking.
 */
export async function unresolvedHosts(
  config: SegyConfig,
  text: string,
  dns: DnsPort,
): Promise<ConfigFinding[]> {
  const finding = (path: readonly PropertyKey[], name: string): ConfigFinding[] => [
    {
      ...locate(text, path),
      message: `${name} does not resolve; calls with this partner wait for that`,
      cure: 'compare the name with the partner, and the servers of dns with this host',
    },
  ];
  const checks = config.partners.flatMap(({ sip }, partner) => {
    const at = ['partners', partner, 'sip'] as const;
    const hosts = sip.addresses.map(async ({ host }, index) => {
      if (isIP(host) > 0) return [];
      const found = await dns.addresses(host).catch(() => []);
      return found.length > 0 ? [] : finding([...at, 'addresses', index, 'host'], host);
    });
    const { discover } = sip;
    if (discover === undefined) return hosts;
    const { domain, transports } = discover;
    const servers = locateSipServers(domain, transports, dns).then(
      () => [],
      () => finding([...at, 'discover', 'domain'], domain),
    );
    return [...hosts, servers];
  });
  return (await Promise.all(checks)).flat();
}
