/** Server transactions of an endpoint: matching requests, ACK and CANCEL, refusing what cannot be served. */
import { toHex } from '../../base/bytes.js';
import type { Environment } from '../../base/environment.js';
import { sameHost } from '../host.js';
import type { SipEndpointLimits } from '../limits.js';
import { serialiseSip, type SipRequest } from '../message.js';
import type { SipSource } from '../peers.js';
import { createResponse } from '../response.js';
import type { SipTiming } from '../timing.js';
import type { Transports } from '../transport/transports.js';
import { formatVia, type Via } from '../via.js';
import { guarded, type ServerTransaction } from './context.js';
import { callKey, serverKey, topVia, toTag } from './keys.js';
import type { Incoming, ServerBase } from './server-base.js';
import { ServerInvite } from './server-invite.js';
import { ServerPlain } from './server-plain.js';

export interface ServerSideOptions {
  readonly env: Environment;
  readonly limits: SipEndpointLimits;
  readonly timing: SipTiming;
  readonly transports: Transports;
  readonly userAgent?: string;
  onRequest(transaction: ServerTransaction): void;
  onAck(ack: SipRequest, source: SipSource): void;
}

/** Seconds a peer shall wait when there are too many transactions. */
const RETRY_AFTER = '5';

export class ServerSide {
  readonly #options: ServerSideOptions;
  readonly #byKey = new Map<string, ServerBase>();
  /** INVITEs by call: an ACK of a 2xx has a branch of its own */
  readonly #invites = new Map<string, Set<ServerInvite>>();
  /** by call and method, for merged requests (RFC 3261 clause 8.2.2.2) */
  readonly #initial = new Map<string, string>();

  constructor(options: ServerSideOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Takes a request that `checkMessage` has passed. */
  receive(request: SipRequest, source: SipSource): void {
    const via = topVia(request);
    completeVia(request, via, source);
    if (request.method === 'ACK') this.#acknowledge(request, via, source);
    else this.#request(request, via, source);
  }

  #request(request: SipRequest, via: Via, source: SipSource): void {
    const key = serverKey(request, via, request.method);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      known.repeated();
      return;
    }
    const merged = toTag(request) === '' ? `${callKey(request)}|${request.method}` : undefined;
    if (merged !== undefined && this.#initial.has(merged) && request.method !== 'CANCEL') {
      this.refuse(request, source, 482);
    } else if (this.#byKey.size >= this.#options.limits.serverTransactions) {
      this.refuse(request, source, 503);
    } else this.#create({ request, via, source, key, merged });
  }

  #create(o: {
    request: SipRequest;
    via: Via;
    source: SipSource;
    key: string;
    merged: string | undefined;
  }): void {
    const { request, via, source, key, merged } = o;
    const { env, timing, transports, userAgent } = this.#options;
    const outlet = transports.outletBack(source, via);
    const localTag = toHex(env.random(8));
    const base: Incoming = { request, source, outlet, localTag };
    const incoming = userAgent === undefined ? base : { ...base, server: userAgent };
    const ended = (): void => {
      this.#byKey.delete(key);
      if (merged !== undefined) this.#initial.delete(merged);
      if (transaction instanceof ServerInvite) this.#forget(transaction);
    };
    const context = { env, timing, ended };
    const transaction =
      request.method === 'INVITE'
        ? new ServerInvite(context, incoming)
        : new ServerPlain(context, incoming);
    this.#byKey.set(key, transaction);
    if (merged !== undefined) this.#initial.set(merged, key);
    if (transaction instanceof ServerInvite) this.#remember(transaction);
    if (request.method === 'CANCEL') this.#cancel(transaction, via);
    else this.#tell(transaction);
  }

  #tell(transaction: ServerBase): void {
    const told = guarded(this.#options.env, 'onRequest', () =>
      this.#options.onRequest(transaction),
    );
    if (!told) transaction.respond(createResponse(transaction.request, 500));
  }

  /**
   * RFC 3261 clause 9.2: 200 when the INVITE is known, whatever its state; 481 else. A CANCEL goes hop
   * by hop, so it comes from the host that sent the INVITE; one from elsewhere is another peer's.
   */
  #cancel(cancel: ServerBase, via: Via): void {
    const known = this.#byKey.get(serverKey(cancel.request, via, 'INVITE'));
    const isOfSender = known !== undefined && sameHost(known.source.address, cancel.source.address);
    const invite = isOfSender ? known : undefined;
    cancel.respond(createResponse(cancel.request, invite === undefined ? 481 : 200));
    invite?.cancelled(cancel.request);
  }

  #acknowledge(ack: SipRequest, via: Via, source: SipSource): void {
    const invite = this.#byKey.get(serverKey(ack, via, 'INVITE'));
    if (invite instanceof ServerInvite) invite.acknowledgedRefusal();
    const tag = toTag(ack);
    for (const candidate of this.#invites.get(callKey(ack)) ?? []) {
      if (candidate.acknowledgedSuccess(tag)) {
        guarded(this.#options.env, 'onAck', () => this.#options.onAck(ack, source));
        return;
      }
    }
  }

  #remember(invite: ServerInvite): void {
    const call = callKey(invite.request);
    const known = this.#invites.get(call);
    if (known === undefined) this.#invites.set(call, new Set([invite]));
    else known.add(invite);
  }

  #forget(invite: ServerInvite): void {
    const call = callKey(invite.request);
    const known = this.#invites.get(call);
    known?.delete(invite);
    if (known?.size === 0) this.#invites.delete(call);
  }

  /** Answers without a transaction; nothing to an ACK. A failure to send is the peer's loss. */
  refuse(request: SipRequest, source: SipSource, status: number, reason?: string): void {
    if (request.method === 'ACK') return;
    const options = { toTag: toHex(this.#options.env.random(8)) };
    const response = createResponse(request, status, reason, options);
    if (status === 503) response.headers.add('Retry-After', RETRY_AFTER);
    const outlet = this.#options.transports.outletBack(source, topVia(request));
    outlet.send(serialiseSip(response), () => undefined);
  }

  close(): void {
    for (const transaction of [...this.#byKey.values()]) transaction.end('transport');
  }
}

/** Notes in the top Via where the request came from (RFC 3261 clause 18.2.1, RFC 3581 clause 4). */
export function completeVia(request: SipRequest, via: Via, source: SipSource): void {
  // what the sender claims about this counts for nothing
  via.params.delete('received');
  const asked = via.params.has('rport');
  if (asked) via.params.set('rport', String(source.port));
  if (asked || !sameHost(via.host, source.address)) via.params.set('received', source.address);
  request.headers.replaceFirst('Via', formatVia(via));
}
