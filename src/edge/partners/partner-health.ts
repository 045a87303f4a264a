/**
 * Which ways to each partner answer. Probes and calls report here; calls take the ways in the order that
 * this gives, so that a dead one is not tried again by every call.
 *
 * | state   | event                                | next |
 * |---------|--------------------------------------|------|
 * | unknown | an answer                            | up   |
 * | unknown, up | a failure                        | down |
 * | down    | an answer                            | up   |
 * | down    | nobody probes and `restMs` is over   | tried again in its turn |
 */
import type { Environment } from '../../base/environment.js';
import type { PartnerView } from '../../base/partner-view.js';
import type { PartnerConfig } from '../../config/index.js';
import { formatHostPort, type SipTarget } from '../../sip/index.js';

interface Way {
  state: 'unknown' | 'up' | 'down';
  since: number | null;
  roundTripMs: number | null;
  reason: string | null;
}

const UNKNOWN: Way = { state: 'unknown', since: null, roundTripMs: null, reason: null };

/** How long a way that no probe watches is left alone after a failure, in milliseconds. */
const REST_MS = 30_000;

/** Names a way: its transport, address and port. */
export function wayKey({ protocol, address, port }: SipTarget): string {
  return `${protocol} ${formatHostPort({ host: address, port })}`;
}

export class PartnerHealth {
  readonly #env: Environment;
  readonly #ways = new Map<string, Map<string, Way>>();
  readonly #states = new Map<string, PartnerView['state']>();
  /** told when a way went down other than by a probe, so that it is looked after soon */
  onFailure?: (partner: PartnerConfig, target: SipTarget) => void;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** The same ways, dead ones last: they are tried only when every other failed. */
  ranked(partner: PartnerConfig, targets: readonly SipTarget[]): readonly SipTarget[] {
    const alive = targets.filter((target) => !this.#isDead(partner, target));
    return [...alive, ...targets.filter((target) => !alive.includes(target))];
  }

  /** @param roundTripMs of a probe */
  answered(partner: PartnerConfig, target: SipTarget, roundTripMs: number | null = null): void {
    const way = this.#way(partner.name, target);
    if (roundTripMs !== null) way.roundTripMs = roundTripMs;
    if (way.state === 'up') return;
    this.#move(partner.name, target, way, 'up', null);
  }

  failed(partner: PartnerConfig, target: SipTarget, reason: string, byProbe = false): void {
    const way = this.#way(partner.name, target);
    if (way.state === 'down') {
      way.reason = reason;
      if (!partner.sip.probe.enabled) way.since = this.#env.clock.now();
    } else this.#move(partner.name, target, way, 'down', reason);
    if (!byProbe) this.onFailure?.(partner, target);
  }

  /** Forgets ways and partners that are there no more. */
  keep(
    current: readonly { readonly partner: PartnerConfig; readonly targets: readonly SipTarget[] }[],
  ): void {
    const names = new Set(current.map(({ partner }) => partner.name));
    for (const name of [...this.#ways.keys()]) if (!names.has(name)) this.#ways.delete(name);
    for (const { partner, targets } of current) {
      const keys = new Set(targets.map(wayKey));
      const ways = this.#waysOf(partner.name);
      for (const key of [...ways.keys()]) {
        if (keys.has(key)) continue;
        ways.delete(key);
        this.#env.metrics.gauge('segy_partner_address_up', 0, { partner: partner.name, way: key });
      }
      for (const target of targets) this.#way(partner.name, target);
      this.#settle(partner.name);
    }
  }

  view(partner: PartnerConfig, targets: readonly SipTarget[]): PartnerView {
    const ways = targets.map((target) => ({
      transport: target.protocol,
      address: target.address,
      port: target.port,
      ...(this.#ways.get(partner.name)?.get(wayKey(target)) ?? UNKNOWN),
    }));
    return { partner: partner.name, state: stateOf(ways), ways };
  }

  #isDead(partner: PartnerConfig, target: SipTarget): boolean {
    const way = this.#ways.get(partner.name)?.get(wayKey(target));
    if (way?.state !== 'down') return false;
    return partner.sip.probe.enabled || this.#env.clock.now() - (way.since ?? 0) < REST_MS;
  }

  #waysOf(partner: string): Map<string, Way> {
    const ways = this.#ways.get(partner) ?? new Map<string, Way>();
    this.#ways.set(partner, ways);
    return ways;
  }

  #way(partner: string, target: SipTarget): Way {
    const ways = this.#waysOf(partner);
    const key = wayKey(target);
    const way = ways.get(key) ?? { ...UNKNOWN };
    ways.set(key, way);
    return way;
  }

  #move(
    partner: string,
    target: SipTarget,
    way: Way,
    state: 'up' | 'down',
    reason: string | null,
  ): void {
    const { log, metrics, clock } = this.#env;
    const first = way.state === 'unknown';
    way.state = state;
    way.since = clock.now();
    way.reason = reason;
    const fields = { partner, way: wayKey(target) };
    metrics.gauge('segy_partner_address_up', state === 'up' ? 1 : 0, fields);
    if (state === 'down') log.warn('partner.address.down', { ...fields, reason });
    else if (!first) log.info('partner.address.up', fields);
    this.#settle(partner);
  }

  /** Tells once when a partner comes or goes as a whole. */
  #settle(partner: string): void {
    const { log, metrics } = this.#env;
    const before = this.#states.get(partner) ?? 'unknown';
    const state = stateOf([...this.#waysOf(partner).values()]);
    this.#states.set(partner, state);
    if (state !== 'unknown') metrics.gauge('segy_partner_up', state === 'up' ? 1 : 0, { partner });
    if (state === before || state === 'unknown') return;
    if (state === 'down') log.error('partner.down', { partner });
    else log.info('partner.up', { partner });
  }
}

/** A partner is up while one way answers, and down when all that are known have failed. */
function stateOf(ways: readonly Pick<Way, 'state'>[]): PartnerView['state'] {
  if (ways.some(({ state }) => state === 'up')) return 'up';
  return ways.length > 0 && ways.every(({ state }) => state === 'down') ? 'down' : 'unknown';
}
