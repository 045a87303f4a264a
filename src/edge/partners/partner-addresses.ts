/**
 * The addresses of the partners. A host that is an address stands for itself; a name stands for what DNS
 * gave last; a domain with `discover` stands for the SIP servers that RFC 3263 finds. No partner waits
 * for the names of another. An address that DNS or a reload takes away is remembered with the time, so
 * that the calls it carries go on.
 */
import { isIP } from 'node:net';
import type { Environment, TimerHandle } from '../../base/environment.js';
import type { PartnerConfig } from '../../config/index.js';
import type { SipTarget } from '../../sip/index.js';
import { normaliseHost } from '../../sip/index.js';
import type { HostAddresses } from '../dependencies.js';
import { Lookup } from './lookup.js';
import type { PartnerHealth } from './partner-health.js';
import { drawOrder, locateSipServers, type DnsPort, type SipServer } from './sip-servers.js';

export interface PartnerAddressesLimits {
  /** between two questions for the same name, in milliseconds */
  readonly refreshMs: number;
  /** after a failure, doubled up to `refreshMs`; also the shortest time between two questions */
  readonly retryMs: number;
  /** how long the start waits for first answers, in milliseconds */
  readonly startMs: number;
  /** addresses kept of one name */
  readonly perHost: number;
  /** addresses remembered of one partner that are its own no more */
  readonly former: number;
}

export const DEFAULT_PARTNER_ADDRESSES_LIMITS: PartnerAddressesLimits = {
  refreshMs: 60_000,
  retryMs: 5000,
  startMs: 3000,
  perHost: 16,
  former: 64,
};

interface Name<T> {
  readonly lookup: Lookup<readonly T[]>;
  found: readonly T[];
}

/** One partner as it is now, and what it was. */
interface Known {
  config: PartnerConfig;
  current: ReadonlySet<string>;
  /** when each went */
  readonly former: Map<string, number>;
}

export class PartnerAddresses implements HostAddresses {
  readonly #hosts = new Map<string, Name<string>>();
  readonly #domains = new Map<string, Name<SipServer>>();
  readonly #partners = new Map<string, Known>();
  readonly #dns: DnsPort;
  readonly #env: Environment;
  readonly #health: PartnerHealth;
  readonly #limits: PartnerAddressesLimits;
  /** the addresses of a partner may have changed */
  onChange?: () => void;

  constructor(
    partners: readonly PartnerConfig[],
    dns: DnsPort,
    env: Environment,
    health: PartnerHealth,
    limits: PartnerAddressesLimits = DEFAULT_PARTNER_ADDRESSES_LIMITS,
  ) {
    this.#dns = dns;
    this.#env = env;
    this.#health = health;
    this.#limits = limits;
    this.#take(partners);
  }

  /** Asks for every name; resolves when all have answered or `startMs` is over. Never rejects. */
  async start(): Promise<void> {
    await this.#soon([...this.#hosts.values(), ...this.#domains.values()]);
  }

  /** Takes other partners; names that stay are not asked anew. Resolves as `start` does. */
  async update(partners: readonly PartnerConfig[]): Promise<void> {
    const before = new Set<Name<string> | Name<SipServer>>([
      ...this.#hosts.values(),
      ...this.#domains.values(),
    ]);
    this.#take(partners);
    const all = [...this.#hosts.values(), ...this.#domains.values()];
    await this.#soon(all.filter((name) => !before.has(name)));
  }

  stop(): void {
    for (const { lookup } of [...this.#hosts.values(), ...this.#domains.values()]) lookup.stop();
  }

  of(host: string): readonly string[] {
    const canonical = normaliseHost(host);
    return isIP(canonical) > 0 ? [canonical] : (this.#hosts.get(canonical)?.found ?? []);
  }

  located(partner: PartnerConfig): readonly SipTarget[] {
    const { discover } = partner.sip;
    if (discover === undefined) return [];
    const serverName = discover.serverName ?? discover.domain;
    const servers = this.#domains.get(domainKey(discover))?.found ?? [];
    return drawOrder(servers, this.#env.random).flatMap(({ transport, port, addresses }) =>
      addresses.map((address) => ({
        protocol: transport,
        address,
        port,
        ...(transport === 'tls' && { serverName }),
      })),
    );
  }

  ranked(partner: PartnerConfig, targets: readonly SipTarget[]): readonly SipTarget[] {
    return this.#health.ranked(partner, targets);
  }

  leftAt(partner: string, address: string): number | undefined {
    return this.#partners.get(partner)?.former.get(normaliseHost(address));
  }

  answered(partner: PartnerConfig, target: SipTarget): void {
    this.#health.answered(partner, target);
  }

  unreached(partner: PartnerConfig, target?: SipTarget): void {
    if (target !== undefined) this.#health.failed(partner, target, 'a call found it silent');
    for (const host of namesOf(partner)) this.#hosts.get(host)?.lookup.hurry();
    const { discover } = partner.sip;
    if (discover !== undefined) this.#domains.get(domainKey(discover))?.lookup.hurry();
  }

  #take(partners: readonly PartnerConfig[]): void {
    this.#reconcile(this.#hosts, partners.flatMap(namesOf), (host) => this.#hostLookup(host));
    const discovered = partners.flatMap(({ sip }) => sip.discover ?? []);
    const byKey = new Map(discovered.map((discover) => [domainKey(discover), discover]));
    this.#reconcile(this.#domains, [...byKey.keys()], (key) => {
      const { domain, transports } = byKey.get(key) ?? { domain: key, transports: [] };
      return this.#domainLookup(domain, transports);
    });
    const names = new Set(partners.map(({ name }) => name));
    for (const config of partners) {
      const known = this.#partners.get(config.name);
      if (known === undefined) {
        this.#partners.set(config.name, { config, current: new Set(), former: new Map() });
      } else known.config = config;
    }
    this.#changed(names);
  }

  #reconcile<T>(
    into: Map<string, Name<T>>,
    wanted: readonly string[],
    make: (key: string) => Name<T>,
  ): void {
    for (const [key, { lookup }] of into) {
      if (wanted.includes(key)) continue;
      lookup.stop();
      into.delete(key);
    }
    for (const key of wanted) if (!into.has(key)) into.set(key, make(key));
  }

  #hostLookup(host: string): Name<string> {
    return this.#name(host, async () => {
      const found = (await this.#dns.addresses(host)).map(normaliseHost);
      return [...new Set(found)].slice(0, this.#limits.perHost);
    });
  }

  #domainLookup(domain: string, transports: readonly SipTarget['protocol'][]): Name<SipServer> {
    return this.#name<SipServer>(domain, async () => {
      const servers = await locateSipServers(domain, transports, this.#dns);
      return servers.map((server) => ({
        ...server,
        addresses: server.addresses.map(normaliseHost).slice(0, this.#limits.perHost),
      }));
    });
  }

  #name<T>(name: string, ask: () => Promise<readonly T[]>): Name<T> {
    const state: Name<T> = {
      found: [],
      lookup: new Lookup<readonly T[]>(
        {
          name,
          ask,
          known: () => state.found.length,
          keep: (found) => {
            // the old order stays, so that resolvers that rotate do not move every next call
            if (sameSet(found, state.found)) return;
            state.found = found;
            const addresses = found.flatMap(addressesOf);
            this.#env.log.info('partner.host.resolved', { host: name, addresses });
            this.#changed();
          },
        },
        this.#env,
        this.#limits,
      ),
    };
    return state;
  }

  /** Notes which addresses each partner gained and lost. @param names those that are configured */
  #changed(names?: ReadonlySet<string>): void {
    const now = this.#env.clock.now();
    for (const [name, known] of this.#partners) {
      const gone = names !== undefined && !names.has(name);
      const current = gone ? new Set<string>() : this.#addressesOf(known.config);
      for (const address of known.current)
        if (!current.has(address)) known.former.set(address, now);
      for (const address of current) known.former.delete(address);
      for (const address of known.former.keys()) {
        if (known.former.size <= this.#limits.former) break;
        known.former.delete(address);
      }
      known.current = current;
    }
    this.onChange?.();
  }

  #addressesOf(partner: PartnerConfig): ReadonlySet<string> {
    const { addresses, sources } = partner.sip;
    return new Set([
      ...addresses.flatMap(({ host }) => this.of(host)),
      ...sources.map(normaliseHost),
      ...this.located(partner).map(({ address }) => address),
    ]);
  }

  async #soon(names: readonly (Name<string> | Name<SipServer>)[]): Promise<void> {
    const { timers } = this.#env;
    const asked = Promise.all(names.map(({ lookup }) => lookup.ask()));
    let limit: TimerHandle | undefined;
    const late = new Promise<void>((resolve) => {
      limit = timers.setTimeout(resolve, this.#limits.startMs);
    });
    await Promise.race([asked, late]);
    if (limit !== undefined) timers.clearTimeout(limit);
  }
}

/** The hosts of a partner that are names, in the form in which they are compared. */
function namesOf(partner: PartnerConfig): string[] {
  return partner.sip.addresses
    .map((entry) => normaliseHost(entry.host))
    .filter((host) => isIP(host) === 0);
}

function domainKey({ domain, transports }: NonNullable<PartnerConfig['sip']['discover']>): string {
  return `${domain} ${transports.join()}`;
}

function addressesOf(found: unknown): readonly string[] {
  return typeof found === 'string' ? [found] : (found as SipServer).addresses;
}

function sameSet(a: readonly unknown[], b: readonly unknown[]): boolean {
  const texts = new Set(b.map((item) => JSON.stringify(item)));
  return a.length === b.length && a.every((item) => texts.has(JSON.stringify(item)));
}
