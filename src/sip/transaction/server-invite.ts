import { createResponse } from '../response.js';
import type { SipResponse } from '../message.js';
import { tagOf } from '../name-addr.js';
import type { TransactionContext } from './context.js';
import { ServerBase, type Incoming } from './server-base.js';

interface Success {
  readonly response: SipResponse;
  readonly octets: Uint8Array;
  acknowledged: boolean;
}

/**
 * INVITE server transaction (RFC 3261 clause 17.2.1 with RFC 6026), which also repeats each 2xx for the
 * user until its ACK (RFC 3261 clause 13.3.1.4).
 *
 * | state      | event             | next       | action                                       |
 * |------------|-------------------|------------|----------------------------------------------|
 * | proceeding | 200 ms without a response | proceeding | send 100                             |
 * | proceeding | INVITE again      | proceeding | last 1xx again                               |
 * | proceeding | 2xx from user     | accepted   | send; timer L; repeat T1, 2*T1 … T2          |
 * | proceeding | 300-699 from user | completed  | send; timer G where unreliable; timer H      |
 * | accepted   | 2xx, new To tag   | accepted   | send; repeat                                 |
 * | accepted   | ACK of a 2xx      | accepted   | told once; its repetition stops              |
 * | accepted   | 64*T1 since a 2xx without ACK | accepted | onAckTimeout                       |
 * | accepted   | timer L           | terminated | end: done, or timeout when an ACK is missing |
 * | completed  | INVITE again, timer G | completed | send again                                |
 * | completed  | ACK               | confirmed  | timer I                                      |
 * | completed  | timer H           | terminated | end: timeout                                 |
 * | confirmed  | timer I           | terminated | end: done                                    |
 */
export class ServerInvite extends ServerBase {
  #state: 'proceeding' | 'accepted' | 'completed' | 'confirmed' = 'proceeding';
  #last: Uint8Array | undefined;
  readonly #successes = new Map<string, Success>();

  constructor(context: TransactionContext, incoming: Incoming) {
    super(context, incoming);
    this.timers.start('trying', context.timing.trying, () => {
      this.#last = this.send(this.complete(createResponse(this.request, 100)));
    });
  }

  override get open(): boolean {
    return this.#state === 'proceeding' && !this.ended;
  }

  override respond(response: SipResponse): boolean {
    const success = response.status >= 200 && response.status < 300;
    if (!this.open && !(success && this.#state === 'accepted' && !this.ended)) return false;
    const complete = this.complete(response);
    this.timers.stop('trying');
    if (success) return this.#succeed(complete);
    this.#last = this.send(complete);
    if (response.status >= 300) this.#refuse(this.#last);
    return true;
  }

  #succeed(response: SipResponse): boolean {
    const tag = tagOf(response.headers.get('To') ?? '') ?? '';
    if (this.#successes.has(tag)) return false;
    const { t1 } = this.context.timing;
    this.#state = 'accepted';
    const success = { response, octets: this.send(response), acknowledged: false };
    this.#successes.set(tag, success);
    this.#repeatSuccess(tag, success, t1);
    this.timers.start(`unacknowledged ${tag}`, 64 * t1, () => {
      this.timers.stop(`2xx ${tag}`);
      this.tellAckTimeout(response);
    });
    this.timers.start('L', 64 * t1, () => {
      const all = [...this.#successes.values()].every((one) => one.acknowledged);
      this.end(all ? 'done' : 'timeout');
    });
    return true;
  }

  #repeatSuccess(tag: string, success: Success, ms: number): void {
    this.timers.start(`2xx ${tag}`, ms, () => {
      this.sendOctets(success.octets);
      this.#repeatSuccess(tag, success, Math.min(2 * ms, this.context.timing.t2));
    });
  }

  #refuse(octets: Uint8Array): void {
    this.#state = 'completed';
    const { t1, t2 } = this.context.timing;
    this.timers.start('H', 64 * t1, () => this.end('timeout'));
    const repeat = (ms: number): void =>
      this.timers.start('G', ms, () => {
        this.sendOctets(octets);
        repeat(Math.min(2 * ms, t2));
      });
    if (!this.incoming.outlet.reliable) repeat(t1);
  }

  override repeated(): void {
    const again = this.#state === 'proceeding' || this.#state === 'completed';
    if (again && this.#last !== undefined) this.sendOctets(this.#last);
  }

  /** An ACK with the branch of the INVITE came: that of a 300-699. */
  acknowledgedRefusal(): void {
    if (this.#state !== 'completed') return;
    this.#state = 'confirmed';
    this.timers.stopAll();
    const wait = this.incoming.outlet.reliable ? 0 : this.context.timing.t4;
    this.timers.start('I', wait, () => this.end('done'));
  }

  /** An ACK with this To tag came: is it the first one of a 2xx sent here? */
  acknowledgedSuccess(toTag: string): boolean {
    const success = this.#successes.get(toTag);
    if (success === undefined || success.acknowledged) return false;
    success.acknowledged = true;
    this.timers.stop(`2xx ${toTag}`);
    this.timers.stop(`unacknowledged ${toTag}`);
    return true;
  }
}
