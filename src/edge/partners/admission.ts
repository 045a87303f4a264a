/**
 * Who may speak to the edge at all, decided by the source alone and before anything is parsed.
 * Outer side: the partners, by address, over TLS also or instead by a name of the certificate.
 * Inner side: the configured PBX address and nothing else.
 */
import type { Environment } from '../../base/environment.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { PartnerConfig } from '../../config/index.js';
import { normaliseHost, type SipSource } from '../../sip/index.js';
import type { HostAddresses } from '../dependencies.js';

/** What a message from the outer side gets. */
export type OuterAdmission =
  | { readonly kind: 'partner'; readonly partner: PartnerConfig }
  /** was the partner until `since`, and carries calls from before; may do nothing but go on with them */
  | { readonly kind: 'former'; readonly partner: PartnerConfig; readonly since: number }
  /** no partner; may be told so in a SIP response */
  | { readonly kind: 'stranger' };

/** Messages of every sort that a partner may send for each request it is allowed. */
const MESSAGES_PER_REQUEST = 20;
/** Strangers that are answered at all, in messages a second over all of them. */
const STRANGERS_PER_SECOND = 5;

interface PartnerState {
  readonly config: PartnerConfig;
  readonly requests: TokenBucket;
  readonly messages: TokenBucket;
  /** configured hosts, some of them names */
  readonly hosts: readonly string[];
  readonly sources: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
  /** over which the partner is reached; it may send over no other */
  readonly transports: ReadonlySet<string>;
}

/** Does the partner have a call that began before `since`? */
export type CarriesCalls = (partner: string, since: number) => boolean;

export class OuterSources {
  readonly #env: Environment;
  #partners: readonly PartnerState[];
  /** profiles that a reload took away, while calls of theirs go on */
  #former: { readonly state: PartnerState; readonly since: number }[] = [];
  readonly #strangers: TokenBucket;
  readonly #addresses: KnownAddresses;
  readonly #carries: CarriesCalls;

  constructor(
    partners: readonly PartnerConfig[],
    env: Environment,
    addresses: KnownAddresses,
    carries: CarriesCalls = () => false,
  ) {
    this.#addresses = addresses;
    this.#carries = carries;
    this.#strangers = new TokenBucket(env.clock, STRANGERS_PER_SECOND, 2 * STRANGERS_PER_SECOND);
    this.#env = env;
    this.#partners = partners.map((config) => stateOf(config, env));
  }

  /** Takes other partners; a profile that is the same object keeps its rates. */
  update(partners: readonly PartnerConfig[]): void {
    const since = this.#env.clock.now();
    const before = new Map(this.#partners.map((state) => [state.config, state]));
    this.#partners = partners.map((config) => before.get(config) ?? stateOf(config, this.#env));
    const gone = [...before.values()].filter(({ config }) => !partners.includes(config));
    this.#former = [...this.#former, ...gone.map((state) => ({ state, since }))].filter((former) =>
      this.#carries(former.state.config.name, former.since),
    );
  }

  /** The partner that `source` is, or a stranger. Takes nothing from any rate. */
  identify(source: SipSource): OuterAdmission {
    const state = this.#find(source);
    if (state !== undefined) return { kind: 'partner', partner: state.config };
    const former = this.#findFormer(source);
    if (former === undefined) return { kind: 'stranger' };
    return { kind: 'former', partner: former.state.config, since: former.since };
  }

  /**
   * True when a message of `source` may be parsed. A partner has a generous rate of messages;
   * strangers share a small one, so that a few learn by a 403 that they are unknown.
   */
  admit(source: SipSource): boolean {
    const state = this.#find(source) ?? this.#findFormer(source)?.state;
    return state === undefined ? this.#strangers.take() : state.messages.take();
  }

  /** Takes one request that opens something new from the partner's rate. */
  takeRequest(partner: PartnerConfig): boolean {
    return this.#partners.find((state) => state.config === partner)?.requests.take() ?? false;
  }

  #find(source: SipSource): PartnerState | undefined {
    const address = normaliseHost(source.address);
    return this.#partners.find((state) => this.#matches(state, source, address));
  }

  /** A partner known by certificate names is known over TLS by them alone, whatever its address. */
  #matches(state: PartnerState, source: SipSource, address: string): boolean {
    if (!state.transports.has(source.protocol)) return false;
    if (source.protocol !== 'tls') return this.#comesFrom(state, address);
    if (state.names.size === 0) return this.#comesFrom(state, address);
    if (source.tls?.authorized !== true) return false;
    return source.tls.subjectAltNames.some((name) => state.names.has(bareName(name)));
  }

  #comesFrom({ config, hosts, sources }: PartnerState, address: string): boolean {
    if (sources.has(address)) return true;
    if (hosts.some((host) => this.#addresses.of(host).includes(address))) return true;
    const { discover } = config.sip;
    if (discover === undefined) return false;
    return this.#addresses.located(config).some((target) => target.address === address);
  }

  /** A source that DNS named until lately, as long as calls of that time go on. */
  #findFormer(source: SipSource): { state: PartnerState; since: number } | undefined {
    const address = normaliseHost(source.address);
    for (const former of this.#former) {
      const { state, since } = former;
      const isSame = this.#matches(state, source, address) || this.#cameFrom(state, source, since);
      if (isSame && this.#carries(state.config.name, since)) return former;
    }
    for (const state of this.#partners) {
      const since = this.#addresses.leftAt(state.config.name, source.address);
      if (since === undefined || !this.#cameFrom(state, source, since)) continue;
      if (this.#carries(state.config.name, since)) return { state, since };
    }
    return undefined;
  }

  /** By an address that was the partner's until `since` or later; never by that alone where certificates tell. */
  #cameFrom(
    { config, transports, names }: PartnerState,
    source: SipSource,
    since: number,
  ): boolean {
    if (!transports.has(source.protocol)) return false;
    if (source.protocol === 'tls' && names.size > 0) return false;
    const left = this.#addresses.leftAt(config.name, source.address);
    return left !== undefined && left >= since;
  }
}

function stateOf(config: PartnerConfig, { clock }: Environment): PartnerState {
  const { requestsPerSecond, burst } = config.limits;
  return {
    config,
    requests: new TokenBucket(clock, requestsPerSecond, burst),
    messages: new TokenBucket(
      clock,
      requestsPerSecond * MESSAGES_PER_REQUEST,
      burst * MESSAGES_PER_REQUEST,
    ),
    hosts: config.sip.addresses.map((entry) => entry.host),
    sources: new Set(config.sip.sources.map(normaliseHost)),
    names: new Set(config.sip.tlsNames.map((name) => name.toLowerCase())),
    transports: transportsOf(config),
  };
}

/** What of the addresses tells who a source is. */
type KnownAddresses = Pick<HostAddresses, 'of' | 'located' | 'leftAt'>;

/** Over TCP comes also what is too large for UDP (RFC 3261 clause 18.1.1). */
function transportsOf({ sip }: PartnerConfig): ReadonlySet<string> {
  const configured = [
    ...sip.addresses.map((entry) => entry.transport),
    ...(sip.discover?.transports ?? []),
  ];
  return new Set([...configured, ...(configured.includes('udp') ? ['tcp'] : [])]);
}

/** `DNS:sip.example` and `sip.example` alike. */
function bareName(name: string): string {
  return name.replace(/^(DNS|URI|IP Address):/i, '').toLowerCase();
}

/** The inner side's only peer. */
export class InnerSource {
  readonly #address: string;

  /** @param address IP address of the PBX's SIP side */
  constructor(address: string) {
    this.#address = normaliseHost(address);
  }

  admit(source: SipSource): boolean {
    return normaliseHost(source.address) === this.#address;
  }
}
