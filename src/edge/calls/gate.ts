/**
 * Who is behind a message, on either side: the PBX, a partner, or, for a request within a call that
 * began earlier, what was a partner then.
 */
import { SegyError } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import { tagOf, type SipRequest, type SipSource } from '../../sip/index.js';
import { InnerSource, OuterSources } from '../partners/admission.js';
import type { CallRegistry } from './call-registry.js';
import type { EdgeDependencies, Side } from '../dependencies.js';

export class Gate {
  readonly #outer: OuterSources;
  readonly #inner: InnerSource;
  readonly #registry: CallRegistry;

  constructor({ partners, env, addresses, settings }: EdgeDependencies, registry: CallRegistry) {
    this.#registry = registry;
    this.#outer = new OuterSources(partners, env, addresses, (partner, since) =>
      registry.isOlder(partner, since),
    );
    this.#inner = new InnerSource(settings.pbx.address);
  }

  /** Other partners from here on; those that go may end the calls that they have. */
  update(partners: readonly PartnerConfig[]): void {
    this.#outer.update(partners);
  }

  /** True when a message of `source` may be parsed: by the source alone. */
  admit(side: Side, source: SipSource): boolean {
    return side === 'outer' ? this.#outer.admit(source) : this.#inner.admit(source);
  }

  /** Takes one request that opens something new from the partner's rate. */
  takeRequest(partner: PartnerConfig): boolean {
    return this.#outer.takeRequest(partner);
  }

  /**
   * The partner behind an outer source; undefined on the inner side.
   * @throws SegyError SEGY_E_UNKNOWN_SOURCE
   */
  partnerOf(side: Side, source: SipSource, request: SipRequest): PartnerConfig | undefined {
    if (side === 'inner') {
      if (this.#inner.admit(source)) return undefined;
      throw new SegyError('SEGY_E_UNKNOWN_SOURCE', 'only the PBX may send here');
    }
    const admission = this.#outer.identify(source);
    if (admission.kind === 'partner') return admission.partner;
    if (admission.kind === 'former' && this.#isOf(request, admission)) return admission.partner;
    throw new SegyError('SEGY_E_UNKNOWN_SOURCE', strangerText(source));
  }

  /** Does the request belong to a call that its sender, then still the partner, began? */
  #isOf(
    request: SipRequest,
    { partner, since }: { readonly partner: PartnerConfig; readonly since: number },
  ): boolean {
    const call = this.#registry.find('outer', request.headers.get('Call-ID') ?? '');
    const isWithin = tagOf(request.headers.get('To') ?? '') !== undefined;
    return isWithin && call?.partner.name === partner.name && call.startedAt <= since;
  }
}

function strangerText({ tls }: SipSource): string {
  return tls?.authorized === true
    ? 'the source is no partner: its certificate verifies and names none of theirs'
    : 'the source is no partner';
}
