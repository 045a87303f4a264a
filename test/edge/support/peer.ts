/** A SIP user agent for tests: one endpoint, what came to it, and requests by few words. */
import { listenOnFreePort } from '../../support/ports.js';
import { utf8 } from '../../../src/base/bytes.js';
import {
  silentLog,
  silentMetrics,
  systemClock,
  systemRandom,
  systemTimers,
} from '../../../src/base/environment.js';
import type { Environment } from '../../../src/base/environment.js';
import {
  createResponse,
  makeMultipart,
  SipEndpoint,
  SipHeaders,
  tagOf,
  type ClientTransaction,
  type ServerTransaction,
  type SipRequest,
  type SipResponse,
  type SipTarget,
} from '../../../src/sip/index.js';

export const TEST_ENV: Environment = {
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
  log: silentLog,
  metrics: silentMetrics,
};

/** Short timers, so that a lost peer shows itself within a test. */
export const TEST_TIMING = { t1: 20, t2: 80, t4: 100 };

/** A queue whose reader waits. */
export class Inbox<T> {
  readonly all: T[] = [];
  #next = 0;
  #wake: (() => void) | null = null;

  put(item: T): void {
    this.all.push(item);
    this.#wake?.();
  }
  async next(what: string, ms = 30_000): Promise<T> {
    const end = Date.now() + ms;
    while (this.#next >= this.all.length) {
      const left = end - Date.now();
      if (left <= 0) throw new Error(`nothing came: ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.all[this.#next++]!;
  }
  get waiting(): number {
    return this.all.length - this.#next;
  }
}

/** Waits until `condition` holds, for half a minute at most. */
export async function until(condition: () => boolean): Promise<void> {
  const giveUp = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > giveUp) throw new Error('it never became so');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A client transaction with its responses in a queue. */
export class Sent {
  readonly responses = new Inbox<SipResponse>();
  readonly errors = new Inbox<Error>();
  #seen = 0;
  constructor(readonly transaction: ClientTransaction) {
    transaction.onProvisional = (response) => {
      if (response.status > 100) this.responses.put(response);
    };
    transaction.onFinal = (response) => this.responses.put(response);
    transaction.onError = (error) => this.errors.put(error);
  }
  async expect(status: number): Promise<SipResponse> {
    let response = await this.responses.next(`a ${status}`);
    // an INVITE that was sent again, on a busy machine, is answered with the last response again
    while (response.status === this.#seen && this.#seen < 200 && status !== this.#seen) {
      response = await this.responses.next(`a ${status}`);
    }
    this.#seen = response.status;
    if (response.status !== status) {
      throw new Error(`${response.status} ${response.headers.get('Warning') ?? ''}, not ${status}`);
    }
    return response;
  }
}

export class Peer {
  readonly endpoint: SipEndpoint;
  readonly requests = new Inbox<ServerTransaction>();
  readonly acks = new Inbox<SipRequest>();
  readonly cancels = new Inbox<ServerTransaction>();
  port = 0;

  constructor(
    readonly address: string,
    readonly name: string,
  ) {
    this.endpoint = new SipEndpoint({
      name,
      env: TEST_ENV,
      timing: TEST_TIMING,
      userAgent: `${name}-agent/1`,
    });
    this.endpoint.onRequest = (transaction) => {
      transaction.onCancel = () => {
        this.cancels.put(transaction);
        transaction.respond(createResponse(transaction.request, 487));
      };
      this.requests.put(transaction);
    };
    this.endpoint.onAck = (ack) => this.acks.put(ack);
  }

  async listen(): Promise<void> {
    this.port = await listenOnFreePort(this.endpoint, this.address);
  }

  get contact(): string {
    return `<sip:${this.name}@${this.address}:${this.port}>`;
  }

  async expect(method: string): Promise<ServerTransaction> {
    const transaction = await this.requests.next(`a ${method} at ${this.name}`);
    if (transaction.request.method !== method) {
      throw new Error(`${transaction.request.method} came to ${this.name}, not ${method}`);
    }
    return transaction;
  }

  send(request: SipRequest, target: SipTarget): Sent {
    return new Sent(this.endpoint.request(request, target));
  }

  /** A response of this peer with its Contact, a tag and perhaps SDP. */
  answer(
    transaction: ServerTransaction,
    status: number,
    o: { sdp?: string; tag?: string; headers?: [string, string][] } = {},
  ): void {
    const response = createResponse(transaction.request, status, undefined, {
      toTag: o.tag ?? transaction.localTag,
    });
    response.headers.set('Contact', this.contact);
    for (const [name, value] of o.headers ?? []) response.headers.set(name, value);
    if (o.sdp !== undefined) {
      response.headers.set('Content-Type', 'application/sdp');
      response.body = utf8(o.sdp);
    }
    transaction.respond(response);
  }
}

export interface InviteParts {
  uri: string;
  from: string;
  callId?: string;
  cseq?: number;
  sdp?: string | null;
  info?: string | null;
  lists?: string;
  headers?: [string, string][];
  /** last of all: puts protection over the request */
  protect?: (request: SipRequest) => void;
}

let counter = 0;

/** An INVITE outside any dialog, multipart where it has more than SDP. */
export function invite(peer: Peer, parts: InviteParts): SipRequest {
  counter += 1;
  const headers = new SipHeaders([
    ['From', `${parts.from};tag=from-${counter}`],
    ['To', `<${parts.uri}>`],
    ['Call-ID', parts.callId ?? `call-${counter}@${peer.address}`],
    ['CSeq', `${parts.cseq ?? 101} INVITE`],
    ['Contact', peer.contact],
    ...(parts.headers ?? []),
  ]);
  const bodies = [
    ['application/sdp', parts.sdp],
    ['application/vnd.3gpp.mcptt-info+xml', parts.info],
    ['application/resource-lists+xml', parts.lists],
  ].flatMap(([type, text]) =>
    typeof text === 'string'
      ? [{ headers: new SipHeaders([['Content-Type', type!]]), body: utf8(text) }]
      : [],
  );
  const request: SipRequest = {
    kind: 'request',
    method: 'INVITE',
    uri: parts.uri,
    headers,
    body: new Uint8Array(),
  };
  if (bodies.length === 0) return request;
  const { contentType, body } = makeMultipart(bodies, systemRandom);
  headers.set('Content-Type', contentType);
  request.body = body;
  parts.protect?.(request);
  return request;
}

/** A request in the dialog that `own` (our last message in it) belongs to. */
export function within(
  method: string,
  cseq: number,
  dialog: { from: string; to: string; callId: string; uri: string },
  o: { sdp?: string; headers?: [string, string][]; body?: [string, string] } = {},
): SipRequest {
  const headers = new SipHeaders([
    ['From', dialog.from],
    ['To', dialog.to],
    ['Call-ID', dialog.callId],
    ['CSeq', `${cseq} ${method}`],
    ...(o.headers ?? []),
  ]);
  const body = o.sdp === undefined ? o.body : (['application/sdp', o.sdp] as const);
  if (body !== undefined) headers.set('Content-Type', body[0]);
  return { kind: 'request', method, uri: dialog.uri, headers, body: utf8(body?.[1] ?? '') };
}

/** The dialog as its caller knows it, from the request and a response to it. */
export function callerDialog(request: SipRequest, response: SipResponse) {
  const contact = /<([^>]*)>/.exec(response.headers.get('Contact') ?? '')?.[1] ?? request.uri;
  return {
    from: request.headers.get('From') ?? '',
    to: response.headers.get('To') ?? '',
    callId: request.headers.get('Call-ID') ?? '',
    uri: contact,
  };
}

/** The dialog as its called side knows it. */
export function calleeDialog(transaction: ServerTransaction, tag = transaction.localTag) {
  const { headers } = transaction.request;
  const contact = /<([^>]*)>/.exec(headers.get('Contact') ?? '')?.[1] ?? '';
  const to = headers.get('To') ?? '';
  return {
    from: tagOf(to) === undefined ? `${to};tag=${tag}` : to,
    to: headers.get('From') ?? '',
    callId: headers.get('Call-ID') ?? '',
    uri: contact,
  };
}
