/**
 * The addresses behind the hosts in the partners' configuration. A host that is an address stands for
 * itself; a name stands for what the resolver gave last. Names are asked again on a timer, soon after
 * a failure, and when a partner could not be reached. What was known stays known while the resolver
 * fails, and no partner waits for the names of another.
 */
import { isIP } from 'node:net';
import type { Environment, TimerHandle } from '../base/environment.js';
import { toSegyError } from '../base/errors.js';
import type { PartnerConfig } from '../config/index.js';
import { canonicalAddress } from './admission.js';
import type { HostAddresses } from './dependencies.js';

/** Every address of a host name. Rejects when there is none. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

export interface PartnerAddressesLimits {
  /** between two questions for the same name, in milliseconds */
  readonly refreshMs: number;
  /** after a failure, doubled up to `refreshMs`; also the shortest time between two questions */
  readonly retryMs: number;
  /** how long the start waits for first answers, in milliseconds */
  readonly startMs: number;
  /** addresses kept of one name */
  readonly perHost: number;
}

export const DEFAULT_PARTNER_ADDRESSES_LIMITS: PartnerAddressesLimits = {
  refreshMs: 300_000,
  retryMs: 5000,
  startMs: 3000,
  perHost: 16,
};

interface Name {
  readonly host: string;
  addresses: readonly string[];
  failures: number;
  askedAt: number;
  asking: boolean;
  timer: TimerHandle | null;
}

export class PartnerAddresses implements HostAddresses {
  readonly #names = new Map<string, Name>();
  readonly #resolve: ResolveHost;
  readonly #env: Environment;
  readonly #limits: PartnerAddressesLimits;
  #stopped = false;

  constructor(
    partners: readonly PartnerConfig[],
    resolve: ResolveHost,
    env: Environment,
    limits: PartnerAddressesLimits = DEFAULT_PARTNER_ADDRESSES_LIMITS,
  ) {
    this.#resolve = resolve;
    this.#env = env;
    this.#limits = limits;
    for (const host of partners.flatMap(namesOf)) {
      const state = { addresses: [], failures: 0, askedAt: 0, asking: false, timer: null };
      this.#names.set(host, { host, ...state });
    }
  }

  /** Asks for every name; resolves when all have answered or `startMs` is over. Never rejects. */
  async start(): Promise<void> {
    const { timers } = this.#env;
    const asked = Promise.all([...this.#names.values()].map((name) => this.#ask(name)));
    let limit: TimerHandle | undefined;
    const late = new Promise<void>((resolve) => {
      limit = timers.setTimeout(resolve, this.#limits.startMs);
    });
    await Promise.race([asked, late]);
    if (limit !== undefined) timers.clearTimeout(limit);
  }

  stop(): void {
    this.#stopped = true;
    for (const name of this.#names.values()) this.#clear(name);
  }

  of(host: string): readonly string[] {
    const canonical = canonicalAddress(host);
    return isIP(canonical) > 0 ? [canonical] : (this.#names.get(canonical)?.addresses ?? []);
  }

  unreached(partner: PartnerConfig): void {
    const now = this.#env.clock.now();
    for (const host of namesOf(partner)) {
      const name = this.#names.get(host);
      if (name && now - name.askedAt >= this.#limits.retryMs) void this.#ask(name);
    }
  }

  async #ask(name: Name): Promise<void> {
    if (name.asking || this.#stopped) return;
    this.#clear(name);
    name.asking = true;
    name.askedAt = this.#env.clock.now();
    try {
      const found = (await this.#resolve(name.host)).map(canonicalAddress);
      name.failures = 0;
      this.#keep(name, [...new Set(found)].slice(0, this.#limits.perHost));
    } catch (error) {
      name.failures += 1;
      const { message } = toSegyError(error);
      const known = name.addresses.length;
      this.#env.log.warn('partner.host.unresolved', { host: name.host, known, message });
    }
    name.asking = false;
    this.#askLater(name);
  }

  #askLater(name: Name): void {
    if (this.#stopped) return;
    name.timer = this.#env.timers.setTimeout(() => void this.#ask(name), this.#pause(name));
  }

  #keep(name: Name, addresses: readonly string[]): void {
    const same =
      addresses.length === name.addresses.length &&
      addresses.every((address) => name.addresses.includes(address));
    // the old order stays, so that resolvers that rotate do not move every next call
    if (same) return;
    name.addresses = addresses;
    this.#env.log.info('partner.host.resolved', { host: name.host, addresses });
  }

  #pause({ failures }: Name): number {
    const { refreshMs, retryMs } = this.#limits;
    return failures === 0 ? refreshMs : Math.min(refreshMs, retryMs * 2 ** (failures - 1));
  }

  #clear(name: Name): void {
    if (name.timer !== null) this.#env.timers.clearTimeout(name.timer);
    name.timer = null;
  }
}

/** The hosts of a partner that are names, in the form in which they are compared. */
function namesOf(partner: PartnerConfig): string[] {
  return partner.sip.addresses
    .map((entry) => canonicalAddress(entry.host))
    .filter((host) => isIP(host) === 0);
}
