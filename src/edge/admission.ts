/**
 * Who may speak to the edge at all, decided by the source alone and before anything is parsed.
 * Outer side: the partners, by address, over TLS also or instead by a name of the certificate.
 * Inner side: the configured PBX address and nothing else.
 */
import type { Environment } from '../base/environment.js';
import type { PartnerConfig } from '../config/index.js';
import { normaliseHost, type SipSource } from '../sip/index.js';
import type { HostAddresses } from './dependencies.js';
import { TokenBucket } from './token-bucket.js';

/** What a message from the outer side gets. */
export type OuterAdmission =
  | { readonly kind: 'partner'; readonly partner: PartnerConfig }
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
  readonly tlsOnly: boolean;
}

/** The form in which hosts are compared: lower case, no brackets, IPv6 compressed or, if mapped, IPv4. */
export function canonicalAddress(address: string): string {
  return normaliseHost(address.replace(/^\[|\]$/g, ''));
}

export class OuterSources {
  readonly #partners: readonly PartnerState[];
  readonly #strangers: TokenBucket;
  readonly #addresses: Pick<HostAddresses, 'of'>;

  constructor(
    partners: readonly PartnerConfig[],
    env: Environment,
    addresses: Pick<HostAddresses, 'of'>,
  ) {
    this.#addresses = addresses;
    this.#strangers = new TokenBucket(env.clock, STRANGERS_PER_SECOND, 2 * STRANGERS_PER_SECOND);
    this.#partners = partners.map((config) => ({
      config,
      requests: new TokenBucket(env.clock, config.limits.requestsPerSecond, config.limits.burst),
      messages: new TokenBucket(
        env.clock,
        config.limits.requestsPerSecond * MESSAGES_PER_REQUEST,
        config.limits.burst * MESSAGES_PER_REQUEST,
      ),
      hosts: config.sip.addresses.map((entry) => entry.host),
      sources: new Set(config.sip.sources.map(canonicalAddress)),
      names: new Set(config.sip.tlsNames.map((name) => name.toLowerCase())),
      tlsOnly: config.sip.addresses.every((entry) => entry.transport === 'tls'),
    }));
  }

  /** The partner that `source` is, or a stranger. Takes nothing from any rate. */
  identify(source: SipSource): OuterAdmission {
    const state = this.#find(source);
    return state === undefined ? { kind: 'stranger' } : { kind: 'partner', partner: state.config };
  }

  /**
   * True when a message of `source` may be parsed. A partner has a generous rate of messages;
   * strangers share a small one, so that a few learn by a 403 that they are unknown.
   */
  admit(source: SipSource): boolean {
    const state = this.#find(source);
    return state === undefined ? this.#strangers.take() : state.messages.take();
  }

  /** Takes one request that opens something new from the partner's rate. */
  takeRequest(partner: PartnerConfig): boolean {
    return this.#partners.find((state) => state.config === partner)?.requests.take() ?? false;
  }

  #find(source: SipSource): PartnerState | undefined {
    const address = canonicalAddress(source.address);
    return this.#partners.find((state) => this.#matches(state, source, address));
  }

  /** A partner known by certificate names is known over TLS by them alone, whatever its address. */
  #matches(state: PartnerState, source: SipSource, address: string): boolean {
    if (source.protocol !== 'tls') return !state.tlsOnly && this.#comesFrom(state, address);
    if (state.names.size === 0) return this.#comesFrom(state, address);
    if (source.tls?.authorized !== true) return false;
    return source.tls.subjectAltNames.some((name) => state.names.has(bareName(name)));
  }

  #comesFrom({ hosts, sources }: PartnerState, address: string): boolean {
    if (sources.has(address)) return true;
    return hosts.some((host) => this.#addresses.of(host).includes(address));
  }
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
    this.#address = canonicalAddress(address);
  }

  admit(source: SipSource): boolean {
    return canonicalAddress(source.address) === this.#address;
  }
}
