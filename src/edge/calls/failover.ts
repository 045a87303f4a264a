/**
 * To which of the callee's addresses the INVITE of a call goes: the first that can be reached and has
 * room (RFC 3263 clause 4.3). What an address says after it was given up is acknowledged and ended.
 */
import { SegyError, toSegyError } from '../../base/errors.js';
import type { ClientTransaction, SipRequest, SipResponse, SipTarget } from '../../sip/index.js';
import { ownContact } from '../messages/contact.js';
import type { Call } from './call.js';
import { calleeDialog } from './fork-dialogs.js';

/** What follows. */
export interface FailoverSteps {
  /** a response of the address that the INVITE is at */
  take(response: SipResponse): void;
  /** the INVITE is over without a final response, or no address is left */
  fail(error: SegyError): void;
}

export class Failover {
  readonly #call: Call;
  readonly #cseq: number;
  readonly #steps: FailoverSteps;
  #request: SipRequest | null = null;
  #target: SipTarget | null = null;
  #rest: SipTarget[] = [];
  #heard = false;
  /** something but 100 came: the callee knows of the call */
  #progressed = false;

  /** @param cseq number of the INVITE */
  constructor(call: Call, cseq: number, steps: FailoverSteps) {
    this.#call = call;
    this.#cseq = cseq;
    this.#steps = steps;
  }

  /** Sends `request` to the first of `targets` that can be reached. */
  start(request: SipRequest, targets: readonly SipTarget[]): void {
    this.#request = request;
    this.#rest = [...targets];
    this.#tryNext(new SegyError('SEGY_E_SIP_TRANSPORT', 'no address of the peer is known'));
  }

  /** The INVITE and the address that it went to last; null before. */
  get sent(): { readonly request: SipRequest; readonly target: SipTarget } | null {
    if (this.#request === null || this.#target === null) return null;
    return { request: this.#request, target: this.#target };
  }

  #tryNext(failure: SegyError): void {
    const call = this.#call;
    const target = this.#rest.shift();
    if (target === undefined || this.#request === null) {
      this.#steps.fail(failure);
      return;
    }
    this.#target = target;
    this.#heard = false;
    call.noteSetup();
    const sent = { ...this.#request, headers: this.#request.headers.clone() };
    const { settings } = call.deps;
    sent.headers.set('Contact', ownContact(settings, call.calleeSide, target, 'caller'));
    let transaction: ClientTransaction;
    try {
      transaction = call.deps[call.calleeSide].request(sent, target);
    } catch (error) {
      this.#unreached(toSegyError(error));
      return;
    }
    call.uac = transaction;
    transaction.onProvisional = (response) => this.#pass(response);
    transaction.onFinal = (response) => this.#final(response);
    transaction.onError = (error) => this.#unreached(error);
    if (this.#rest.length === 0) return;
    call.later(settings.limits.silentMs, () => {
      if (!this.#heard && call.isLive() && call.uac === transaction) this.#abandon(sent, target);
    });
  }

  /** Nothing at all came from `target`: the next one is tried, and whatever comes late is ended. */
  #abandon(sent: SipRequest, target: SipTarget): void {
    const call = this.#call;
    const { uac } = call;
    if (uac === null) return;
    delete uac.onProvisional;
    delete uac.onError;
    uac.onFinal = (response) => {
      if (response.status >= 300) return;
      const dialog = calleeDialog(call, sent, target, response);
      call.deps[call.calleeSide].sendAck(dialog.request('ACK', this.#cseq), dialog.target);
      call.byes.send(dialog);
    };
    uac.cancel();
    this.#unreached(new SegyError('SEGY_E_TIMEOUT', 'an address of the peer is silent'));
  }

  #unreached(error: SegyError): void {
    const lost = error.code === 'SEGY_E_SIP_TRANSPORT' || error.code === 'SEGY_E_TIMEOUT';
    const retry = lost && !this.#heard && this.#call.isLive();
    const { addresses } = this.#call.deps;
    if (retry && this.#call.calleeSide === 'outer') {
      addresses.unreached(this.#call.partner, this.#target ?? undefined);
    }
    if (retry) this.#tryNext(error);
    else {
      this.#call.enqueue(() => {
        this.#steps.fail(error);
        return Promise.resolve();
      });
    }
  }

  /** An address that has no room now (503) is left for the next one. */
  #final(response: SipResponse): void {
    const isLast = this.#rest.length === 0 || this.#progressed || !this.#call.isLive();
    if (response.status !== 503 || isLast) this.#pass(response);
    else this.#tryNext(new SegyError('SEGY_E_BUSY', 'an address of the peer has no room'));
  }

  #pass(response: SipResponse): void {
    if (!this.#heard && this.#call.calleeSide === 'outer' && this.#target !== null) {
      this.#call.deps.addresses.answered(this.#call.partner, this.#target);
    }
    this.#heard = true;
    this.#progressed ||= response.status > 100;
    this.#steps.take(response);
  }
}
