/**
 * The HTTPS listener: limits first, cryptography after them, handlers last. A client over its rate
 * loses its connection before the handshake, or gets a bare 429. Bodies are read whole, within the
 * limit of their route. Answers to what is refused say the status and nothing else.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { Socket, type AddressInfo } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { Environment, LogFields } from '../base/environment.js';
import { SegyError, toSegyError, type SegyErrorCode } from '../base/errors.js';
import { SourceLog } from '../base/source-log.js';
import type { ClientLimits } from './client-limits.js';
import { answer, comesTwice, headOf, send } from './exchange.js';
import type { HttpResponse, HttpRoute } from './message.js';
import { strongTls, type TlsVersion } from './tls.js';

export interface ListenerTls {
  readonly cert: Uint8Array;
  readonly key: Uint8Array;
  /** authorities of client certificates */
  readonly ca?: Uint8Array;
  readonly clientCertificates: 'none' | 'optional' | 'required';
  readonly least: TlsVersion;
}

export interface ListenerLimits {
  /** of the request line and all header fields, in octets */
  readonly headerOctets: number;
  readonly handshakeMs: number;
  readonly headerMs: number;
  /** for the whole request */
  readonly requestMs: number;
  /** of a connection without a request, and of a peer that does not read */
  readonly idleMs: number;
  readonly requestsPerConnection: number;
  /** requests being answered at a time */
  readonly parallel: number;
}

export interface ListenerOptions {
  readonly address: string;
  readonly port: number;
  readonly tls: ListenerTls;
  readonly limits: ListenerLimits;
  readonly clients: ClientLimits;
  readonly routes: readonly HttpRoute[];
  readonly env: Environment;
}

const MAX_HEADERS = 64;
const SIDE = 'https';
export class HttpsListener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #sources: SourceLog;
  #answering = 0;

  private constructor(options: ListenerOptions) {
    this.#options = options;
    this.#sources = new SourceLog(options.env);
    const { tls, limits } = options;
    this.#server = createServer({
      ...contextOf(tls),
      requestCert: tls.clientCertificates !== 'none',
      rejectUnauthorized: tls.clientCertificates === 'required',
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: limits.handshakeMs,
      maxHeaderSize: limits.headerOctets,
      headersTimeout: limits.headerMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: 1000,
      requireHostHeader: true,
    });
    this.#server.maxHeadersCount = MAX_HEADERS;
    this.#server.maxRequestsPerSocket = limits.requestsPerConnection;
    this.#server.timeout = limits.idleMs;
    this.#admitBeforeHandshake();
    this.#server.on('request', (request, response) => void this.#serve(request, response));
    // who is refused by the header fields is not asked for the body
    this.#server.on('checkContinue', (request, response) => {
      void this.#serve(request, response, () => response.writeContinue());
    });
    this.#server.on('tlsClientError', (_error, socket: TLSSocket) => {
      this.#refuse(socket.remoteAddress, 'SEGY_E_TLS_PEER', 'a TLS handshake failed');
      socket.destroy();
    });
    this.#server.on('clientError', (_error, socket) => {
      this.#refuse(
        socket instanceof Socket ? socket.remoteAddress : undefined,
        'SEGY_E_HTTP',
        'a request cannot be read',
      );
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    });
  }

  /** Resolves when it listens. @throws SegyError SEGY_E_IO when the address cannot be bound */
  static async open(options: ListenerOptions): Promise<HttpsListener> {
    let listener: HttpsListener;
    try {
      listener = new HttpsListener(options);
    } catch (cause) {
      throw new SegyError('SEGY_E_CONFIG', 'https: the certificate and key cannot be used', {
        cause,
      });
    }
    const { address, port } = options;
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', (cause) => {
        reject(new SegyError('SEGY_E_IO', `https: cannot listen on ${address}:${port}`, { cause }));
      });
      listener.#server.listen(port, address, resolve);
    });
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * Another certificate, key and authorities for connections from now on; whether client certificates
   * are asked for stays as it was. They were checked before.
   */
  setTls(tls: ListenerTls): void {
    this.#server.setSecureContext(contextOf(tls));
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  /** Puts the limits between the accepted connection and what begins its handshake. */
  #admitBeforeHandshake(): void {
    const begin = this.#server.listeners('connection') as ((socket: Socket) => void)[];
    this.#server.removeAllListeners('connection');
    this.#server.on('connection', (socket: Socket) => {
      const address = socket.remoteAddress ?? '';
      const left = this.#options.clients.connect(address);
      if (left === undefined) {
        this.#refuse(address, 'SEGY_E_RATE', 'too many connections');
        socket.destroy();
        return;
      }
      socket.once('close', left);
      for (const each of begin) each.call(this.#server, socket);
    });
  }

  /** @param invite asks a client that waits for it to send the body */
  async #serve(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    invite: () => void = () => undefined,
  ): Promise<void> {
    const address = incoming.socket.remoteAddress ?? '';
    const target = /^(\/[^?#]*)(?:\?([^#]*))?$/.exec(incoming.url ?? '');
    const [, path = '', query = ''] = target ?? [];
    const route = this.#options.routes.find((each) => each.matches(path));
    const response = await this.#responseTo(incoming, { address, path, query, route, invite });
    if (response.refused !== undefined) {
      const { code, message, partner } = response.refused;
      this.#refuse(address, code, message, partner === undefined ? {} : { partner });
    }
    this.#options.env.metrics.count('segy_https_requests_total', {
      route: route?.name ?? 'none',
      status: String(response.status),
    });
    send(incoming, outgoing, response);
  }

  async #responseTo(
    incoming: IncomingMessage,
    at: {
      readonly address: string;
      readonly path: string;
      readonly query: string;
      readonly route: HttpRoute | undefined;
      readonly invite: () => void;
    },
  ): Promise<HttpResponse> {
    const { clients, env } = this.#options;
    if (!clients.request(at.address)) {
      return {
        status: 429,
        headers: { 'Retry-After': '1' },
        refused: { code: 'SEGY_E_RATE', message: 'too many requests' },
      };
    }
    if (comesTwice(incoming.rawHeaders)) {
      return {
        status: 400,
        refused: { code: 'SEGY_E_HTTP', message: 'a header field comes twice' },
      };
    }
    if (at.route === undefined) return { status: 404 };
    try {
      const work = <T>(step: () => Promise<T>): Promise<T> => this.#work(step);
      return await answer(incoming, headOf(incoming, at), at.route, { invite: at.invite, work });
    } catch (error) {
      const { code, message } = toSegyError(error);
      if (code === 'SEGY_E_BUSY') return { status: 503, headers: { 'Retry-After': '1' } };
      env.log.error('https.failed', { route: at.route.name, code, message });
      return { status: 500 };
    }
  }

  /** One step of an answer; bodies that come slowly take no place from the others. */
  async #work<T>(step: () => Promise<T>): Promise<T> {
    if (this.#answering >= this.#options.limits.parallel) {
      throw new SegyError('SEGY_E_BUSY', 'too many requests at a time');
    }
    this.#answering += 1;
    try {
      return await step();
    } finally {
      this.#answering -= 1;
    }
  }

  #refuse(
    source: string | undefined,
    code: SegyErrorCode,
    message: string,
    about: LogFields = {},
  ): void {
    this.#sources.refused({ code, side: SIDE, source: source ?? 'unknown', message }, about);
  }
}

/** Without authorities of ours no client certificate verifies: the system's list is for servers. */
function contextOf({ least, cert, key, ca }: ListenerTls): SecureContextOptions {
  return {
    ...strongTls(least),
    cert: Buffer.from(cert),
    key: Buffer.from(key),
    ca: ca === undefined ? [] : Buffer.from(ca),
  };
}
