import { SegyError } from '../../base/errors.js';
import { serialiseSip, type SipRequest, type SipResponse } from '../message.js';
import type { Outlet } from '../peers.js';
import {
  guarded,
  type ClientTransaction,
  type Sending,
  type TransactionContext,
} from './context.js';
import { TimerSet } from './timer-set.js';

/** What both kinds of client transaction share: sending with fallback, retransmission, the end. */
export abstract class ClientBase implements ClientTransaction {
  onProvisional?: ((response: SipResponse) => void) | undefined;
  onFinal?: ((response: SipResponse) => void) | undefined;
  onError?: ((error: SegyError) => void) | undefined;

  protected readonly timers: TimerSet;
  readonly #ways: Sending[];
  #current: Sending;
  #ended = false;
  /** longest interval of retransmission, milliseconds */
  #cap = 0;

  constructor(
    protected readonly context: TransactionContext,
    first: Sending,
    fallbacks: readonly Sending[] = [],
  ) {
    this.timers = new TimerSet(context.env.timers);
    this.#current = first;
    this.#ways = [...fallbacks];
  }

  get request(): SipRequest {
    return this.#current.request;
  }

  get outlet(): Outlet {
    return this.#current.outlet;
  }

  abstract receive(response: SipResponse): void;
  abstract cancel(reason?: string): void;
  /** Has nothing been heard yet, so that sending again is right? */
  protected abstract get unanswered(): boolean;

  /** Sends the request and, unless the way is reliable, repeats it: T1, 2*T1, … up to `cap`. */
  protected transmit(cap: number): void {
    this.#cap = cap;
    this.#sendOnce();
    if (!this.outlet.reliable) this.#repeat(this.context.timing.t1, cap);
  }

  protected repeatEvery(ms: number): void {
    if (!this.outlet.reliable) this.#repeat(ms, ms);
  }

  #repeat(ms: number, cap: number): void {
    this.timers.start('repeat', ms, () => {
      this.#sendOnce();
      this.#repeat(Math.min(2 * ms, cap), cap);
    });
  }

  #sendOnce(): void {
    const sending = this.#current;
    sending.outlet.send(serialiseSip(sending.request), (cause) => {
      if (this.#current === sending) this.#sendingFailed(cause);
    });
  }

  #sendingFailed(cause: Error): void {
    if (this.#ended || !this.unanswered) return;
    const next = this.#ways.shift();
    this.timers.stop('repeat');
    if (next === undefined) {
      const message = `the SIP request could not be sent: ${cause.message}`;
      this.fail(new SegyError('SEGY_E_SIP_TRANSPORT', message, { cause }));
    } else {
      this.#current = next;
      this.transmit(this.#cap);
    }
  }

  /**
   * A connection is gone. A request that went over it and is unanswered is sent again when the
   * connection was an old one, which the peer may have been closing; else it has failed.
   */
  connectionLost(id: string, cause: Error): void {
    const age = this.outlet.uses?.(id);
    if (age === undefined || this.#ended || !this.unanswered) return;
    if (age === 'old') this.#sendOnce();
    else this.#sendingFailed(cause);
  }

  protected tell(event: 'onProvisional' | 'onFinal', response: SipResponse): void {
    guarded(this.context.env, event, () => this[event]?.(response));
  }

  protected fail(error: SegyError): void {
    if (this.#ended) return;
    this.end();
    guarded(this.context.env, 'onError', () => this.onError?.(error));
  }

  protected timedOut(what: string): void {
    this.fail(new SegyError('SEGY_E_TIMEOUT', `${what} to ${this.request.method}`));
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.timers.stopAll();
    this.context.ended();
  }

  /** The endpoint closes. */
  abort(): void {
    this.fail(new SegyError('SEGY_E_SIP_TRANSPORT', 'the SIP endpoint is closed'));
  }
}
