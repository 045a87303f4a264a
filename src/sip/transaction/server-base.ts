import { serialiseSip, type SipRequest, type SipResponse } from '../message.js';
import type { Outlet, SipSource } from '../peers.js';
import { withTag } from '../response.js';
import {
  guarded,
  type ServerEnd,
  type ServerTransaction,
  type TransactionContext,
} from './context.js';
import { TimerSet } from './timer-set.js';

/** What a server transaction is made of. */
export interface Incoming {
  readonly request: SipRequest;
  readonly source: SipSource;
  /** the way back to the sender */
  readonly outlet: Outlet;
  readonly localTag: string;
  /** value of a Server header for responses that have none */
  readonly server?: string;
}

/** What both kinds of server transaction share. */
export abstract class ServerBase implements ServerTransaction {
  onCancel?: ((cancel: SipRequest) => void) | undefined;
  onAckTimeout?: ((response: SipResponse) => void) | undefined;
  onEnd?: ((why: ServerEnd) => void) | undefined;

  protected readonly timers: TimerSet;
  #ended = false;

  constructor(
    protected readonly context: TransactionContext,
    protected readonly incoming: Incoming,
  ) {
    this.timers = new TimerSet(context.env.timers);
  }

  get request(): SipRequest {
    return this.incoming.request;
  }

  get source(): SipSource {
    return this.incoming.source;
  }

  get localTag(): string {
    return this.incoming.localTag;
  }

  /** Is the final response still to come? */
  abstract get open(): boolean;
  abstract respond(response: SipResponse): boolean;
  /** The same request came again. */
  abstract repeated(): void;

  /** `response` with the fields that tie it to the request. */
  protected complete(response: SipResponse): SipResponse {
    const headers = response.headers.clone();
    const own = this.request.headers;
    for (const name of ['From', 'Via']) {
      headers.remove(name);
      for (const value of own.getAll(name).reverse()) headers.prepend(name, value);
    }
    for (const name of ['Call-ID', 'CSeq']) headers.set(name, own.getAll(name));
    const to = headers.get('To') ?? own.get('To') ?? '';
    headers.set('To', response.status > 100 ? withTag(to, this.localTag) : to);
    const { server } = this.incoming;
    if (server !== undefined && !headers.has('Server')) headers.add('Server', server);
    return { ...response, headers };
  }

  protected send(response: SipResponse): Uint8Array {
    const octets = serialiseSip(response);
    this.sendOctets(octets);
    return octets;
  }

  protected sendOctets(octets: Uint8Array): void {
    this.incoming.outlet.send(octets, () => this.end('transport'));
  }

  protected get ended(): boolean {
    return this.#ended;
  }

  protected tellAckTimeout(response: SipResponse): void {
    guarded(this.context.env, 'onAckTimeout', () => this.onAckTimeout?.(response));
  }

  /** True when the CANCEL met a request that is still open. */
  cancelled(cancel: SipRequest): boolean {
    if (!this.open) return false;
    guarded(this.context.env, 'onCancel', () => this.onCancel?.(cancel));
    return true;
  }

  end(why: ServerEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.timers.stopAll();
    this.context.ended();
    guarded(this.context.env, 'onEnd', () => this.onEnd?.(why));
  }
}
