/**
 * One request within a dialog on its way to the other side, with its CSeq end to end, and its response
 * on the way back.
 */
import { SegyError, toSegyError } from '../../base/errors.js';
import type {
  ClientTransaction,
  ServerTransaction,
  SipRequest,
  SipResponse,
} from '../../sip/index.js';
import { otherSide, type Side } from '../dependencies.js';
import { passPlainBody, sdpOf, setSdp } from '../messages/bodies.js';
import { openedBody } from '../partners/protected.js';
import type { Call, OpenRelay } from './call.js';
import { takeLevel } from './call-level.js';
import { refreshesTarget, type Composer } from './compose.js';
import { keepRecord } from './dialog-record.js';
import type { Pair } from './pair.js';
import type { Referral } from './referrals.js';
import { composeTransfer, isTransfer, settleTransfer } from './transfer.js';
import { translateAnswer, translateCapabilities, translateOffer } from './translate.js';

/** What the SDP of a request was, which says what the SDP of its response is. */
type Carried = 'offer' | 'answer' | 'other' | 'none';

/** One request on its way through. */
export interface Passage {
  readonly call: Call;
  readonly pair: Pair;
  /** side the request came from */
  readonly side: Side;
  readonly uas: ServerTransaction;
  readonly cseq: number;
}

export class RequestRelay implements OpenRelay {
  readonly #composer: Composer;
  readonly #at: Passage;
  readonly #far: Side;
  #carried: Carried = 'none';
  #referral: Referral | null = null;
  #done = false;
  #uac: ClientTransaction | null = null;

  constructor(composer: Composer, at: Passage) {
    this.#composer = composer;
    this.#at = at;
    this.#far = otherSide(at.side);
    at.call.relays.add(this);
    at.uas.onCancel = () => this.#uac?.cancel();
    at.uas.onAckTimeout = () => {
      at.call.abort(new SegyError('SEGY_E_TIMEOUT', 'the ACK of a re-INVITE never came'));
    };
  }

  giveUp(status: number): void {
    if (this.#done) return;
    this.#respond(this.#at.call.refusals.plain(this.#at.uas.request, status));
  }

  /** Sends the request to the other side, or refuses it alone when it cannot be passed. */
  async forward(): Promise<void> {
    const { call, pair, side, uas, cseq } = this.#at;
    const { request } = uas;
    const to = pair.on(this.#far);
    try {
      const passed = to.request(request.method, cseq);
      this.#composer.passRequest(call, request, passed, to);
      if (side === 'outer' && request.method === 'INVITE') takeLevel(call, request);
      if (isTransfer(request)) {
        this.#referral = composeTransfer(this.#composer, { call, pair, side, request }, passed);
      } else await this.#passBody(request, passed);
      if (!call.isLive()) {
        this.giveUp(481);
        return;
      }
      if (refreshesTarget(request.method)) pair.on(side).refreshTarget(request);
      this.#send(passed);
      if (to.side === 'outer') await keepRecord(call);
    } catch (error) {
      const refusal = toSegyError(error);
      this.#settleTransfer(null);
      call.refusals.note(side, uas.source.address, refusal, 'dialog');
      this.#respond(call.refusals.response(request, side, refusal, call.partner));
      await this.#offerRefused();
    }
  }

  #send(passed: SipRequest): void {
    const { call, pair } = this.#at;
    const transaction = call.deps[this.#far].request(passed, pair.on(this.#far).target);
    this.#uac = transaction;
    transaction.onProvisional = (response) => call.enqueue(() => this.#take(response));
    transaction.onFinal = (response) => call.enqueue(() => this.#take(response));
    transaction.onError = (error) => call.enqueue(() => this.#failed(error));
  }

  async #passBody(request: SipRequest, passed: SipRequest): Promise<void> {
    const { call, pair, side } = this.#at;
    const sdp = sdpOf(request);
    if (sdp === null) {
      if (request.method === 'INFO') passPlainBody(request, passed);
      return;
    }
    const { negotiation } = pair;
    const answers = request.method === 'PRACK' && negotiation.offerer === this.#far;
    const offers = request.method === 'INVITE' || request.method === 'UPDATE';
    if (answers) {
      this.#carried = 'answer';
      if (pair.invite !== null) pair.invite.awaitsAnswer = false;
      setSdp(passed, await translateAnswer(call, negotiation, side, sdp, { final: true }));
    } else if (offers || request.method === 'PRACK') {
      this.#carried = 'offer';
      setSdp(passed, await translateOffer(call, negotiation, side, sdp));
    } else {
      this.#carried = 'other';
      setSdp(passed, translateCapabilities(negotiation, side, sdp));
    }
  }

  async #take(response: SipResponse): Promise<void> {
    const { call, pair, side, uas } = this.#at;
    const { method } = uas.request;
    if (response.status === 100 || this.#done) return;
    const rseq = response.status < 200 ? response.headers.get('RSeq') : undefined;
    if (rseq !== undefined && pair.lastReliable?.rseq === rseq) {
      uas.respond(pair.lastReliable.response);
      return;
    }
    const { status } = response;
    if (method === 'INVITE' && status >= 200 && status < 300 && pair.invite !== null) {
      pair.invite.state = 'answered';
    }
    const passed = this.#composer.passResponse(call, response, uas.request, pair.on(side));
    await this.#passResponseBody(response, passed, rseq !== undefined || status >= 200);
    if (!call.isLive()) return;
    if (status >= 200 && status < 300 && this.#carried === 'offer') requireAnswered(pair, side);
    if (rseq !== undefined) pair.lastReliable = { rseq, response: passed };
    if (status >= 200) this.#settleTransfer(response);
    if (status < 300) pair.on(this.#far).refreshTarget(response);
    this.#respond(passed);
    if (status >= 300) await this.#offerRefused();
    if (status === 481 || status === 408) this.#dialogLost(status);
  }

  async #passResponseBody(from: SipResponse, to: SipResponse, settled: boolean): Promise<void> {
    const { call, pair, uas } = this.#at;
    const { negotiation } = pair;
    if (isTransfer(uas.request)) {
      openedBody(from);
      return;
    }
    const sdp = sdpOf(from);
    if (sdp === null) return;
    if (from.status >= 300 || this.#carried === 'other') {
      setSdp(to, translateCapabilities(negotiation, this.#far, sdp));
    } else if (this.#carried === 'offer') {
      setSdp(to, await translateAnswer(call, negotiation, this.#far, sdp, { final: settled }));
    } else if (uas.request.method === 'INVITE' && pair.negotiation.offerer === null) {
      if (pair.invite !== null) pair.invite.awaitsAnswer = true;
      setSdp(to, await translateOffer(call, negotiation, this.#far, sdp));
    } else setSdp(to, translateCapabilities(negotiation, this.#far, sdp));
  }

  async #failed(error: SegyError): Promise<void> {
    const { call, side, uas } = this.#at;
    if (this.#done) return;
    this.#settleTransfer(null);
    call.refusals.note(side, uas.source.address, error, 'dialog');
    this.#respond(call.refusals.response(uas.request, side, error, call.partner, 408));
    await this.#offerRefused();
    this.#dialogLost(408);
  }

  /** RFC 3261 clause 12.2.1.2: the peer has no such dialog any more, or does not answer. */
  #dialogLost(status: number): void {
    const { call, uas } = this.#at;
    // the end of a subscription is not that of the call (RFC 5057)
    if (isTransfer(uas.request)) return;
    if (status === 408 && uas.request.method === 'INFO') return;
    call.abort(new SegyError('SEGY_E_SIP_NO_DIALOG', 'one side has lost the dialog'));
  }

  #settleTransfer(response: SipResponse | null): void {
    const { pair, uas } = this.#at;
    if (this.#referral !== null) settleTransfer(pair, this.#referral, uas.request, response);
  }

  #respond(response: SipResponse): void {
    const { call, pair, side, uas, cseq } = this.#at;
    if (this.#done) return;
    uas.respond(response);
    if (response.status < 200) return;
    this.#done = true;
    call.relays.delete(this);
    const exchange = pair.invite;
    const own = exchange?.from === side && exchange.cseq === cseq;
    if (uas.request.method === 'INVITE' && own && response.status >= 300) exchange.state = 'acked';
  }

  async #offerRefused(): Promise<void> {
    if (this.#carried === 'offer') await this.#at.pair.negotiation.refused();
  }
}

/** An offer of `side` that is left open would block every later one. */
function requireAnswered(pair: Pair, side: Side): void {
  if (pair.negotiation.offerer !== side) return;
  throw new SegyError('SEGY_E_MEDIA', 'an offer was accepted without an answer');
}
