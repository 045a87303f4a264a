import type { SipResponse } from '../message.js';
import { ClientBase } from './client-base.js';
import type { Sending, TransactionContext } from './context.js';

/**
 * Non-INVITE client transaction (RFC 3261 clause 17.1.2).
 *
 * | state      | event          | next       | action                             |
 * |------------|----------------|------------|------------------------------------|
 * | trying     | timer E        | trying     | send again                         |
 * | trying     | 1xx            | proceeding | tell; timer E is T2 from now on    |
 * | both       | final          | completed  | tell; timer K                      |
 * | both       | timer F        | terminated | SEGY_E_TIMEOUT                     |
 * | both       | sending failed | terminated | SEGY_E_SIP_TRANSPORT               |
 * | completed  | timer K        | terminated |                                    |
 */
export class ClientPlain extends ClientBase {
  #state: 'trying' | 'proceeding' | 'completed' = 'trying';

  constructor(context: TransactionContext, first: Sending, fallbacks?: readonly Sending[]) {
    super(context, first, fallbacks);
    this.timers.start('F', 64 * context.timing.t1, () => this.timedOut('no response'));
    this.transmit(context.timing.t2);
  }

  protected get unanswered(): boolean {
    return this.#state === 'trying';
  }

  override receive(response: SipResponse): void {
    if (this.#state === 'completed') return;
    if (response.status < 200) {
      if (this.#state === 'trying') {
        this.#state = 'proceeding';
        this.repeatEvery(this.context.timing.t2);
      }
      this.tell('onProvisional', response);
      return;
    }
    this.#state = 'completed';
    this.timers.stopAll();
    this.tell('onFinal', response);
    if (this.outlet.reliable) this.end();
    else this.timers.start('K', this.context.timing.t4, () => this.end());
  }

  /** Only an INVITE can be cancelled (RFC 3261 clause 9.1). */
  override cancel(): void {
    return;
  }
}
