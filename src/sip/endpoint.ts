import type { Environment } from '../base/environment.js';
import { SegyError, toSegyError, type SegyErrorCode } from '../base/errors.js';
import { checkMessage } from './check.js';
import { DEFAULT_ENDPOINT_LIMITS, type SipEndpointLimits } from './limits.js';
import { parseSip, skipLineEnds, type SipMessage, type SipRequest } from './message.js';
import type { SipSource, SipTarget } from './peers.js';
import { createResponse } from './response.js';
import { salvageRequest } from './salvage.js';
import { DEFAULT_TIMING, type SipTiming } from './timing.js';
import { describeFault } from './transport/handshake-fault.js';
import type { TlsIdentity, TlsListenOptions } from './transport/tls.js';
import { Transports, type ListenOptions } from './transport/transports.js';
import { ClientSide } from './transaction/client-side.js';
import { guarded, type ClientTransaction, type ServerTransaction } from './transaction/context.js';
import { completeVia, ServerSide } from './transaction/server-side.js';
import { topVia } from './transaction/keys.js';
import { parseVia } from './via.js';

export interface SipEndpointOptions {
  /** name of this side, for logs and metrics */
  readonly name: string;
  readonly env: Environment;
  readonly limits?: Partial<SipEndpointLimits>;
  readonly timing?: Partial<SipTiming>;
  /** for User-Agent and Server where a message has none; absent: none is added */
  readonly userAgent?: string;
  /** our certificate and whom we trust when we open TLS connections */
  readonly tls?: TlsIdentity;
}

export interface ProtocolError {
  readonly source: SipSource;
  readonly code: SegyErrorCode;
  readonly message: string;
  /** status of the answer that was sent; absent when there was none */
  readonly answered?: number;
  /** a TLS handshake failed; the message holds nothing of the peer's */
  readonly handshake?: true;
}

/**
 * One side of the gateway: its sockets and its transactions (RFC 3261 clauses 17 and 18, RFC 6026,
 * RFC 3581). It knows no dialogs. Handlers may be set at any time; what they throw is logged.
 */
export class SipEndpoint {
  /** every new request but ACK and CANCEL; without a handler 503 is answered */
  onRequest?: ((transaction: ServerTransaction) => void) | undefined;
  /** the ACK of a 2xx, once for each 2xx; other ACKs end here */
  onAck?: ((request: SipRequest, source: SipSource) => void) | undefined;
  /**
   * Asked before anything is parsed, for each datagram and each message of a stream, and with 0 octets
   * when a connection comes up. False: the message is dropped, the connection ended.
   */
  onAdmission?: ((source: SipSource, octets: number) => boolean) | undefined;
  /** told once for each malformed message, failed handshake and broken stream */
  onProtocolError?: ((error: ProtocolError) => void) | undefined;

  readonly #name: string;
  readonly #env: Environment;
  readonly #limits: SipEndpointLimits;
  readonly #transports: Transports;
  readonly #clients: ClientSide;
  readonly #servers: ServerSide;
  #closed = false;

  constructor(options: SipEndpointOptions) {
    const { env } = options;
    this.#name = options.name;
    this.#env = env;
    this.#limits = { ...DEFAULT_ENDPOINT_LIMITS, ...options.limits };
    const limits = this.#limits;
    this.#transports = new Transports({
      env,
      limits,
      tls: options.tls ?? {},
      admit: (source) => this.#admits(source, 0),
      handshakeFailed: (source, reason) => {
        env.metrics.count('segy_tls_handshakes_failed_total', { side: this.#name, reason });
        this.#report(source, new SegyError('SEGY_E_SIP_TRANSPORT', describeFault(reason)), {
          handshake: true,
        });
      },
      closed: (id, cause) => this.#clients.connectionLost(id, cause),
      onDatagram: (octets, source) => this.#receive(octets, source),
      events: {
        message: (octets, { source }) => this.#receive(octets, source),
        broken: (error, rest, { source }) => this.#malformed(rest, source, error),
      },
    });
    const shared = {
      env,
      limits,
      timing: { ...DEFAULT_TIMING, ...options.timing },
      transports: this.#transports,
      ...(options.userAgent === undefined ? {} : { userAgent: options.userAgent }),
    };
    this.#clients = new ClientSide(shared);
    this.#servers = new ServerSide({
      ...shared,
      onRequest: (transaction) => this.#deliver(transaction),
      onAck: (ack, source) => this.onAck?.(ack, source),
    });
  }

  /**
   * Binds a socket; several may be bound, also of one protocol.
   * @returns the address and the port, which matters where port 0 was asked for
   * @throws SegyError SEGY_E_ARGUMENT, SEGY_E_IO
   */
  listen(options: ListenOptions): Promise<{ address: string; port: number }> {
    return this.#transports.listen(options);
  }

  /**
   * Takes other certificates, for connections that are made from here on.
   * @param incoming for the TLS listener at an address and port; undefined leaves it as it is
   * @throws Error when one cannot be used; `checkTlsIdentity` tells that before
   */
  setTls(
    outgoing: TlsIdentity,
    incoming: (address: string, port: number) => TlsListenOptions | undefined,
  ): void {
    this.#transports.setTls(outgoing, incoming);
  }

  /**
   * Sends a request other than ACK and CANCEL in a transaction of its own. Via is added, Max-Forwards
   * and User-Agent where they are missing. A request above `udpRequestOctets` for a UDP target goes over
   * TCP, and over UDP after all when no connection can be made.
   * @throws SegyError SEGY_E_SIP_TRANSPORT when no socket fits the target, SEGY_E_BUSY, SEGY_E_ARGUMENT
   */
  request(request: SipRequest, target: SipTarget): ClientTransaction {
    if (this.#closed) throw new SegyError('SEGY_E_SIP_TRANSPORT', 'the SIP endpoint is closed');
    return this.#clients.request(request, target);
  }

  /**
   * Sends the ACK of a 2xx; the endpoint repeats it when the 2xx comes again.
   * @throws SegyError SEGY_E_SIP_TRANSPORT when no socket fits the target
   */
  sendAck(ack: SipRequest, target: SipTarget): void {
    if (!this.#closed) this.#clients.sendAck(ack, target);
  }

  /** Has the request passed here before, by a Via of ours (RFC 3261 clause 16.3)? */
  isLoop(request: SipRequest): boolean {
    return request.headers
      .list('Via')
      .map(parseVia)
      .some(({ host, port }) => this.#transports.isOwn(host, port));
  }

  /** Transactions and connections alive. */
  stats(): { clientTransactions: number; serverTransactions: number; connections: number } {
    return {
      clientTransactions: this.#clients.size,
      serverTransactions: this.#servers.size,
      connections: this.#transports.connections,
    };
  }

  /** Ends every transaction (clients get SEGY_E_SIP_TRANSPORT), connection and socket. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#clients.close();
    this.#servers.close();
    await this.#transports.close();
  }

  #admits(source: SipSource, octets: number): boolean {
    const answer = { admitted: false };
    guarded(this.#env, 'onAdmission', () => {
      answer.admitted = this.onAdmission?.(source, octets) ?? true;
    });
    if (!answer.admitted) this.#count('not-admitted');
    return answer.admitted;
  }

  #receive(octets: Uint8Array, source: SipSource): void {
    // keep-alives over UDP are line ends, or nothing at all
    if (this.#closed || skipLineEnds(octets) === octets.length) return;
    if (!this.#admits(source, octets.length)) return;
    let message: SipMessage;
    try {
      message = parseSip(octets, this.#limits);
      checkMessage(message);
    } catch (error) {
      this.#malformed(octets, source, toSegyError(error));
      return;
    }
    guarded(this.#env, 'message', () => this.#dispatch(message, source));
  }

  #dispatch(message: SipMessage, source: SipSource): void {
    if (message.kind === 'request') this.#servers.receive(message, source);
    else if (!this.#clients.receive(message)) this.#count('unmatched-response');
  }

  #deliver(transaction: ServerTransaction): void {
    if (this.onRequest !== undefined) this.onRequest(transaction);
    else transaction.respond(createResponse(transaction.request, 503));
  }

  /** Answers what can be answered, and reports. */
  #malformed(octets: Uint8Array, source: SipSource, error: SegyError): void {
    this.#count('malformed');
    const request = salvageRequest(octets);
    const status = error.sipStatus;
    if (request === undefined || !this.#refuse(request, source, status))
      this.#report(source, error);
    else this.#report(source, error, { answered: status });
  }

  #refuse(request: SipRequest, source: SipSource, status: number): boolean {
    return guarded(this.#env, 'malformed', () => {
      completeVia(request, topVia(request), source);
      this.#servers.refuse(request, source, status);
    });
  }

  #report(
    source: SipSource,
    { code, message }: SegyError,
    more: Pick<ProtocolError, 'answered' | 'handshake'> = {},
  ): void {
    guarded(this.#env, 'onProtocolError', () =>
      this.onProtocolError?.({ source, code, message, ...more }),
    );
  }

  #count(reason: string): void {
    this.#env.metrics.count('segy_sip_dropped_total', { side: this.#name, reason });
  }
}
