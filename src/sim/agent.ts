/** A SIP user agent of a simulated party: one endpoint, and its calls by Call-ID. */
import type { Environment, TimerHandle } from '../base/environment.js';
import { toHex } from '../base/bytes.js';
import { createResponse, parseNameAddr, parseSipUri, SipEndpoint } from '../sip/index.js';
import type {
  ClientTransaction,
  ServerTransaction,
  SipRequest,
  SipTarget,
  TlsListenOptions,
} from '../sip/index.js';
import type { CallMedia, SipBody } from './call-media.js';
import { SimCall } from './call.js';
import type { CallHost, HeaderList } from './call-model.js';

/** How long `close` waits for the answers to what it sent. */
const CLOSE_PATIENCE_MS = 1000;

export interface AgentOptions {
  /** short name for logs */
  readonly name: string;
  readonly address: string;
  /** 0 for any free port */
  readonly port?: number;
  readonly protocol?: 'udp' | 'tcp' | 'tls';
  /** with `udp`: takes what is too large for it over TCP, on the same port (RFC 3261 clause 18.1.1) */
  readonly large?: boolean;
  /** our certificate and whom we trust; required for `tls` */
  readonly tls?: TlsListenOptions;
  /** port that Contact names, where a relay stands before ours */
  readonly advertisedPort?: number;
  /** parameters after the Contact URI, each with its semicolon */
  readonly contactParameters?: string;
}

export interface Destination {
  readonly target: SipTarget;
  readonly requestUri: string;
  /** URIs of From and To */
  readonly from: string;
  readonly to: string;
  readonly headers?: HeaderList;
}

export class SimAgent<M extends CallMedia> implements CallHost {
  readonly endpoint: SipEndpoint;
  /** makes the media side of an incoming call; a number refuses it with that status */
  onInvite?: (request: SipRequest) => M | number;
  /** an incoming call; without a handler it is answered at once */
  onCall?: (call: SimCall<M>) => void;
  /** a request outside any dialog */
  onOther?: (transaction: ServerTransaction) => void;
  readonly #last = new Set<Promise<void>>();
  readonly #calls = new Map<string, SimCall<M>>();
  #port = 0;

  constructor(
    readonly options: AgentOptions,
    readonly env: Environment,
  ) {
    this.endpoint = new SipEndpoint({
      name: options.name,
      env,
      userAgent: `segy-sim ${options.name}`,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    });
    this.endpoint.onRequest = (transaction) => this.#onRequest(transaction);
  }

  /** The local port, once it is open. */
  get port(): number {
    return this.#port;
  }

  /** Opens the transport. @returns the local port */
  async open(): Promise<number> {
    const { address, port = 0, protocol = 'udp', large = false, tls } = this.options;
    const bound = await this.endpoint.listen({
      protocol,
      address,
      port,
      ...(tls === undefined ? {} : { tls }),
    });
    this.#port = bound.port;
    if (large && protocol === 'udp') await this.endpoint.listen({ ...bound, protocol: 'tcp' });
    return this.#port;
  }

  /** Ends all calls with BYE or CANCEL, waits a moment for the answers, and closes the transport. */
  async close(): Promise<void> {
    for (const call of this.#calls.values()) {
      if (call.state === 'up') call.bye();
      else if (call.invite) call.refuse(503);
      else call.cancel();
    }
    const { timers } = this.env;
    let late: TimerHandle | undefined;
    const patience = new Promise((resolve) => {
      late = timers.setTimeout(() => resolve(undefined), CLOSE_PATIENCE_MS);
    });
    await Promise.race([Promise.all(this.#last), patience]);
    if (late !== undefined) timers.clearTimeout(late);
    await this.endpoint.close();
  }

  get calls(): readonly SimCall<M>[] {
    return [...this.#calls.values()];
  }

  /** Places a call. Resolves when the INVITE is sent. */
  async call(destination: Destination, media: M): Promise<SimCall<M>> {
    const call = new SimCall<M>(
      this,
      {
        callId: this.#token(12),
        localTag: this.#token(6),
        localUri: destination.from,
        remoteUri: destination.to,
        target: destination.target,
      },
      media,
    );
    this.#calls.set(call.dialog.callId, call);
    await call.start({ requestUri: destination.requestUri, headers: destination.headers ?? [] });
    return call;
  }

  /** Value of our Contact header. */
  contact(): string {
    const { address, protocol = 'udp', contactParameters = '', name } = this.options;
    const { advertisedPort = this.#port } = this.options;
    const host = address.includes(':') ? `[${address}]` : address;
    const transport = protocol === 'udp' ? '' : `;transport=${protocol}`;
    return `<sip:${name}@${host}:${advertisedPort}${transport}>${contactParameters}`;
  }

  send(request: SipRequest, target: SipTarget): ClientTransaction {
    return this.endpoint.request(request, target);
  }

  sendAck(ack: SipRequest, target: SipTarget): void {
    this.endpoint.sendAck(ack, target);
  }

  sendLast(request: SipRequest, target: SipTarget): void {
    const client = this.endpoint.request(request, target);
    const answered = new Promise<void>((resolve) => {
      client.onFinal = () => resolve();
      client.onError = () => resolve();
    });
    this.#last.add(answered);
    void answered.then(() => this.#last.delete(answered));
  }

  respond(
    transaction: ServerTransaction,
    status: number,
    reason: string,
    toTag: string,
    body?: SipBody,
    headers: HeaderList = [],
  ): void {
    const response = createResponse(transaction.request, status, reason, { toTag });
    const elsewhere = headers.some(([name]) => name === 'Contact');
    if (!elsewhere) response.headers.set('Contact', this.contact());
    for (const [name, value] of headers) response.headers.add(name, value);
    if (body) {
      response.headers.set('Content-Type', body.type);
      response.body = body.bytes;
    }
    transaction.respond(response);
  }

  forget(callId: string): void {
    this.#calls.delete(callId);
  }

  #onRequest(transaction: ServerTransaction): void {
    const { request } = transaction;
    const known = this.#calls.get(request.headers.get('Call-ID') ?? '');
    if (known) void known.takeRequest(transaction);
    else if (request.method === 'INVITE') this.#onInvite(transaction);
    else if (this.onOther) this.onOther(transaction);
    else this.answerOther(transaction);
  }

  /** Answers a request outside any dialog that nobody takes. */
  answerOther(transaction: ServerTransaction): void {
    const [status, reason] =
      transaction.request.method === 'OPTIONS'
        ? ([200, 'OK'] as const)
        : ([481, 'Call/Transaction Does Not Exist'] as const);
    this.respond(transaction, status, reason, this.#token(6));
  }

  #onInvite(transaction: ServerTransaction): void {
    const { request, source } = transaction;
    const media = this.onInvite?.(request) ?? 480;
    if (typeof media === 'number') {
      this.respond(transaction, media, 'Refused', this.#token(6));
      return;
    }
    const contact = parseSipUri(parseNameAddr(request.headers.get('Contact') ?? '').uri);
    const call = new SimCall<M>(
      this,
      {
        callId: request.headers.get('Call-ID') ?? '',
        localTag: this.#token(6),
        localUri: parseNameAddr(request.headers.get('To') ?? '').uri,
        remoteUri: parseNameAddr(request.headers.get('From') ?? '').uri,
        target: {
          protocol: source.protocol,
          address: contact.host,
          port: contact.port ?? 5060,
        },
      },
      media,
      request,
    );
    this.#calls.set(call.dialog.callId, call);
    call.take(transaction, request);
    if (this.onCall) this.onCall(call);
    else void call.answer();
  }

  #token(octets: number): string {
    return toHex(this.env.random(octets));
  }
}
