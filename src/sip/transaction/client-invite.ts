import { parseCSeq } from '../fields.js';
import { SipHeaders } from '../headers.js';
import { serialiseSip, type SipRequest, type SipResponse } from '../message.js';
import { tagOf } from '../name-addr.js';
import { ClientBase } from './client-base.js';
import type { Sending, TransactionContext } from './context.js';

export interface ClientInviteContext extends TransactionContext {
  /** Sends a CANCEL as a transaction of its own, along the same way. */
  sendCancel(cancel: SipRequest, invite: ClientInvite): void;
}

/**
 * INVITE client transaction (RFC 3261 clause 17.1.1 with RFC 6026).
 *
 * | state      | event            | next       | action                                        |
 * |------------|------------------|------------|-----------------------------------------------|
 * | calling    | timer A          | calling    | send again                                    |
 * | calling    | timer B          | terminated | SEGY_E_TIMEOUT                                |
 * | calling    | sending failed   | terminated | SEGY_E_SIP_TRANSPORT                          |
 * | calling, proceeding | 1xx     | proceeding | tell; a waiting CANCEL goes out               |
 * | proceeding | timer C, or 64*T1 behind CANCEL | terminated | SEGY_E_TIMEOUT                 |
 * | calling, proceeding | 2xx     | accepted   | tell; timer M                                 |
 * | calling, proceeding | 300-699 | completed  | ACK; tell; timer D                            |
 * | accepted   | 2xx, new To tag  | accepted   | tell                                          |
 * | accepted   | 2xx, known To tag| accepted   | the ACK given by the user goes out again      |
 * | completed  | 300-699          | completed  | ACK                                           |
 * | accepted, completed | timer M or D | terminated |                                          |
 */
export class ClientInvite extends ClientBase {
  #state: 'calling' | 'proceeding' | 'accepted' | 'completed' = 'calling';
  #cancel: 'none' | 'wanted' | 'sent' = 'none';
  #cancelReason: string | undefined;
  /** by To tag: sends the ACK of that 2xx again; undefined as long as the user has given none */
  readonly #acks = new Map<string, (() => void) | undefined>();
  readonly #context: ClientInviteContext;

  constructor(context: ClientInviteContext, first: Sending, fallbacks?: readonly Sending[]) {
    super(context, first, fallbacks);
    this.#context = context;
    this.timers.start('B', 64 * context.timing.t1, () => this.timedOut('no response'));
    this.transmit(Number.POSITIVE_INFINITY);
  }

  protected get unanswered(): boolean {
    return this.#state === 'calling';
  }

  override receive(response: SipResponse): void {
    if (response.status < 200) this.#provisional(response);
    else if (response.status < 300) this.#success(response);
    else this.#failure(response);
  }

  #provisional(response: SipResponse): void {
    if (this.#state === 'calling') {
      this.#state = 'proceeding';
      this.timers.stopAll();
      this.timers.start('C', this.#context.timing.proceeding, () =>
        this.timedOut('no final response'),
      );
    }
    if (this.#state !== 'proceeding') return;
    this.tell('onProvisional', response);
    if (this.#cancel === 'wanted') this.#sendCancel();
  }

  #success(response: SipResponse): void {
    if (this.#state === 'completed') return;
    if (this.#state !== 'accepted') {
      this.#state = 'accepted';
      this.timers.stopAll();
      this.timers.start('M', 64 * this.#context.timing.t1, () => this.end());
    }
    const tag = tagOf(response.headers.get('To') ?? '') ?? '';
    if (this.#acks.has(tag)) {
      this.#acks.get(tag)?.();
      return;
    }
    this.#acks.set(tag, undefined);
    this.tell('onFinal', response);
  }

  #failure(response: SipResponse): void {
    if (this.#state === 'accepted') return;
    this.#acknowledge(response);
    if (this.#state === 'completed') return;
    this.#state = 'completed';
    this.timers.stopAll();
    this.tell('onFinal', response);
    if (this.outlet.reliable) this.end();
    else this.timers.start('D', 64 * this.#context.timing.t1, () => this.end());
  }

  /** The user has sent the ACK of the 2xx with this To tag; `again` repeats it. */
  acknowledged(toTag: string, again: () => void): void {
    if (this.#state === 'accepted') this.#acks.set(toTag, again);
  }

  override cancel(reason?: string): void {
    if (this.#cancel !== 'none') return;
    if (this.#state !== 'calling' && this.#state !== 'proceeding') return;
    this.#cancel = 'wanted';
    this.#cancelReason = reason;
    if (this.#state === 'proceeding') this.#sendCancel();
  }

  #sendCancel(): void {
    this.#cancel = 'sent';
    const cancel = this.#sibling('CANCEL', this.request.headers.get('To') ?? '');
    if (this.#cancelReason !== undefined) cancel.headers.add('Reason', this.#cancelReason);
    this.#context.sendCancel(cancel, this);
    this.timers.start('C', 64 * this.#context.timing.t1, () =>
      this.timedOut('no final response after CANCEL'),
    );
  }

  /** RFC 3261 clause 17.1.1.3. A failure to send shows as another copy of the response. */
  #acknowledge(response: SipResponse): void {
    const ack = this.#sibling('ACK', response.headers.get('To') ?? '');
    this.outlet.send(serialiseSip(ack), () => undefined);
  }

  /** A request of the same branch: one Via, the same Request-URI, Route, From, Call-ID and CSeq number. */
  #sibling(method: 'ACK' | 'CANCEL', to: string): SipRequest {
    const { headers, uri } = this.request;
    const { number } = parseCSeq(headers.get('CSeq') ?? '');
    const fields: [string, string][] = [
      ['Via', headers.list('Via')[0] ?? ''],
      ['Max-Forwards', '70'],
      ...headers.getAll('Route').map((route): [string, string] => ['Route', route]),
      ['From', headers.get('From') ?? ''],
      ['To', to],
      ['Call-ID', headers.get('Call-ID') ?? ''],
      ['CSeq', `${number} ${method}`],
    ];
    const body = new Uint8Array();
    return { kind: 'request', method, uri, headers: new SipHeaders(fields), body };
  }
}
