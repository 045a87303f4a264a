/** Client transactions of an endpoint: making requests, matching responses, repeating ACKs. */
import { toHex } from '../../base/bytes.js';
import type { Environment } from '../../base/environment.js';
import { SegyError } from '../../base/errors.js';
import type { SipEndpointLimits } from '../limits.js';
import { serialiseSip, type SipRequest, type SipResponse } from '../message.js';
import type { SipTarget } from '../peers.js';
import type { SipTiming } from '../timing.js';
import type { Transports } from '../transport/transports.js';
import { BRANCH_COOKIE, formatVia } from '../via.js';
import type { ClientBase } from './client-base.js';
import { ClientInvite } from './client-invite.js';
import { ClientPlain } from './client-plain.js';
import type { ClientTransaction, Sending } from './context.js';
import { callKey, clientKey, toTag } from './keys.js';

export interface ClientSideOptions {
  readonly env: Environment;
  readonly limits: SipEndpointLimits;
  readonly timing: SipTiming;
  readonly transports: Transports;
  readonly userAgent?: string;
}

export class ClientSide {
  readonly #options: ClientSideOptions;
  readonly #byKey = new Map<string, ClientBase>();
  readonly #invites = new Map<string, ClientInvite>();

  constructor(options: ClientSideOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** @throws SegyError SEGY_E_SIP_TRANSPORT without a socket for the target, SEGY_E_BUSY at the limit */
  request(request: SipRequest, target: SipTarget): ClientTransaction {
    if (request.method === 'ACK' || request.method === 'CANCEL') {
      throw new SegyError('SEGY_E_ARGUMENT', `${request.method} is not sent by request()`);
    }
    if (this.#byKey.size >= this.#options.limits.clientTransactions) {
      throw new SegyError('SEGY_E_BUSY', 'too many SIP client transactions');
    }
    const [first, ...fallbacks] = this.#waysFor(request, target);
    const key = clientKey(first.request);
    if (request.method !== 'INVITE') {
      return this.#enter(key, (ended) => {
        return new ClientPlain({ ...this.#options, ended }, first, fallbacks);
      });
    }
    const call = callKey(request);
    const sendCancel = (cancel: SipRequest, invite: ClientInvite): void =>
      this.#cancel(cancel, invite);
    const invite = this.#enter(key, (forget) => {
      const ended = (): void => {
        forget();
        this.#invites.delete(call);
      };
      return new ClientInvite({ ...this.#options, ended, sendCancel }, first, fallbacks);
    });
    this.#invites.set(call, invite);
    return invite;
  }

  #enter<T extends ClientBase>(key: string, make: (ended: () => void) => T): T {
    const transaction = make(() => this.#byKey.delete(key));
    this.#byKey.set(key, transaction);
    return transaction;
  }

  #cancel(cancel: SipRequest, invite: ClientInvite): void {
    this.#enter(clientKey(cancel), (ended) => {
      return new ClientPlain(
        { ...this.#options, ended },
        { outlet: invite.outlet, request: cancel },
      );
    });
  }

  /** The ways to send a request: as the target says, a large one over TCP first (RFC 3261 clause 18.1.1). */
  #waysFor(request: SipRequest, target: SipTarget): [Sending, ...Sending[]] {
    const branch = `${BRANCH_COOKIE}${toHex(this.#options.env.random(16))}`;
    const plain = this.#way(request, target, branch);
    const large = serialiseSip(plain.request).length > this.#options.limits.udpRequestOctets;
    if (target.protocol !== 'udp' || !large || target.largeOverTcp === false) return [plain];
    return [this.#way(request, { ...target, protocol: 'tcp' }, branch), plain];
  }

  #way(request: SipRequest, target: SipTarget, branch: string): Sending {
    const { transports, userAgent } = this.#options;
    const headers = request.headers.clone();
    const params = new Map<string, string | null>([['branch', branch]]);
    if (target.protocol === 'udp') params.set('rport', null);
    const transport = target.protocol.toUpperCase();
    headers.prepend('Via', formatVia({ transport, ...transports.sentByFor(target), params }));
    if (!headers.has('Max-Forwards')) headers.set('Max-Forwards', '70');
    if (userAgent !== undefined && !headers.has('User-Agent')) headers.add('User-Agent', userAgent);
    return { outlet: transports.outletTo(target), request: { ...request, headers } };
  }

  /** @throws SegyError SEGY_E_SIP_TRANSPORT without a socket for the target */
  sendAck(ack: SipRequest, target: SipTarget): void {
    const ways = this.#waysFor(ack, target);
    const send = (index: number): void => {
      const way = ways[index];
      way?.outlet.send(serialiseSip(way.request), () => send(index + 1));
    };
    send(0);
    this.#invites.get(callKey(ack))?.acknowledged(toTag(ack), () => send(0));
  }

  /** False when no transaction waits for it. */
  receive(response: SipResponse): boolean {
    const transaction = this.#byKey.get(clientKey(response));
    transaction?.receive(response);
    return transaction !== undefined;
  }

  /** Requests that wait on this connection fail or are sent again. */
  connectionLost(id: string, cause: Error): void {
    for (const transaction of [...this.#byKey.values()]) transaction.connectionLost(id, cause);
  }

  close(): void {
    for (const transaction of [...this.#byKey.values()]) transaction.abort();
  }
}
