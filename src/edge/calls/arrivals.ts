/**
 * Requests of partners as they arrive: the rate, the protection taken off, and who may send them
 * (implicit and explicit authentication, TS 33.180 clause 11.1.1), before anything reads their body.
 */
import { SegyError, toSegyError } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import type { ServerTransaction, SipRequest } from '../../sip/index.js';
import type { Call } from './call.js';
import type { EdgeDependencies } from '../dependencies.js';
import { factsOf, ProtectedTransaction, requireExternal } from '../partners/protected.js';
import type { Refusals } from '../messages/refusal.js';

/** Longest time a timer takes, in milliseconds: a little under 25 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What follows an arrival. */
export interface ArrivalSteps {
  /** takes a request of no dialog whose body is clear; throws its refusal */
  take(uas: ServerTransaction, partner: PartnerConfig): void;
  refuse(uas: ServerTransaction, error: SegyError, partner: PartnerConfig): void;
  /** the call that a request started */
  callOf(request: SipRequest): Call | undefined;
}

export class Arrivals {
  readonly #deps: EdgeDependencies;
  readonly #refusals: Refusals;
  readonly #steps: ArrivalSteps;

  constructor(deps: EdgeDependencies, refusals: Refusals, steps: ArrivalSteps) {
    this.#deps = deps;
    this.#refusals = refusals;
    this.#steps = steps;
  }

  /**
   * Takes the protection off a request; its responses will be protected. A request of the PBX stays.
   * @throws SegyError SEGY_E_XML*, SEGY_E_SPK_*
   */
  open(
    uas: ServerTransaction,
    partner: PartnerConfig | undefined,
  ): { uas: ServerTransaction; ear: Uint8Array | null } {
    const { protection } = this.#deps;
    if (partner === undefined || protection === undefined) return { uas, ear: null };
    const { request } = uas;
    const ear = protection.open(partner, request, request);
    const opened = new ProtectedTransaction(
      uas,
      (response) => protection.seal(partner, response, request),
      (error) => this.#refusals.response(request, 'outer', error),
    );
    return { uas: opened, ear };
  }

  /**
   * A request of no dialog.
   * @param withinRate whether the partner's rate has room for it
   * @throws SegyError its refusal, unless that comes later
   */
  outside(uas: ServerTransaction, partner: PartnerConfig, withinRate: boolean): void {
    if (!withinRate) throw new SegyError('SEGY_E_RATE', 'the partner exceeds its rate of requests');
    const { uas: opened, ear } = this.open(uas, partner);
    const { protection, clients } = this.#deps;
    const isQuery = opened.request.method === 'OPTIONS';
    if (isQuery || protection?.demandsExternal(partner) !== true) {
      this.#steps.take(opened, partner);
      return;
    }
    const facts = factsOf(opened.request);
    requireExternal(opened.request, facts, partner, clients);
    if (!protection.demandsEar(partner)) this.#steps.take(opened, partner);
    else this.#authenticated(opened, partner, protection.admit(partner, ear, facts));
  }

  /** Goes on when the EAR is found right; what the request starts ends with the EAR. */
  #authenticated(
    uas: ServerTransaction,
    partner: PartnerConfig,
    admission: Promise<number | null>,
  ): void {
    let cancelled = false;
    uas.onCancel = () => {
      cancelled = true;
      uas.respond(this.#refusals.plain(uas.request, 487));
    };
    admission
      .then((endsAt) => {
        if (cancelled) return;
        this.#steps.take(uas, partner);
        if (endsAt !== null) this.#endAt(uas.request, endsAt);
      })
      .catch((error: unknown) => {
        if (!cancelled) this.#steps.refuse(uas, toSegyError(error), partner);
      });
  }

  #endAt(request: SipRequest, endsAt: number): void {
    const call = this.#steps.callOf(request);
    const ms = Math.min(endsAt - this.#deps.env.clock.now(), MAX_TIMER_MS);
    const expired = new SegyError('SEGY_E_EAR_EXPIRED', 'the EAR that started the call expired');
    call?.later(Math.max(ms, 0), () => call.abort(expired));
  }
}
