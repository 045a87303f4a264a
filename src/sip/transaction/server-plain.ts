import type { SipResponse } from '../message.js';
import type { TransactionContext } from './context.js';
import { ServerBase, type Incoming } from './server-base.js';

/**
 * Non-INVITE server transaction (RFC 3261 clause 17.2.2).
 *
 * | state      | event            | next       | action                    |
 * |------------|------------------|------------|---------------------------|
 * | trying     | request again    | trying     |                           |
 * | trying     | 64*T1 pass       | terminated | end: timeout              |
 * | both       | 1xx from user    | proceeding | send                      |
 * | proceeding | request again    | proceeding | last 1xx again            |
 * | both       | final from user  | completed  | send; timer J             |
 * | completed  | request again    | completed  | final again               |
 * | completed  | timer J          | terminated | end: done                 |
 * | any        | sending failed   | terminated | end: transport            |
 */
export class ServerPlain extends ServerBase {
  #state: 'trying' | 'proceeding' | 'completed' = 'trying';
  #last: Uint8Array | undefined;

  constructor(context: TransactionContext, incoming: Incoming) {
    super(context, incoming);
    // the client has given up by then (timer F)
    this.timers.start('answer', 64 * context.timing.t1, () => this.end('timeout'));
  }

  override get open(): boolean {
    return this.#state !== 'completed' && !this.ended;
  }

  override respond(response: SipResponse): boolean {
    if (!this.open) return false;
    const final = response.status >= 200;
    this.#state = final ? 'completed' : 'proceeding';
    this.#last = this.send(this.complete(response));
    if (!final) return true;
    this.timers.stopAll();
    // a reliable way has no repeated requests, yet the end comes after this call has returned
    const wait = this.incoming.outlet.reliable ? 0 : 64 * this.context.timing.t1;
    this.timers.start('J', wait, () => this.end('done'));
    return true;
  }

  override repeated(): void {
    if (this.#last !== undefined) this.sendOctets(this.#last);
  }
}
