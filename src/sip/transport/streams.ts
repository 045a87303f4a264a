/** TCP and TLS: listeners, connections in and out, re-use and re-opening. */
import { createServer, connect as connectTcp, isIP, Socket, type Server } from 'node:net';
import {
  connect as connectTls,
  createServer as createTlsServer,
  Server as TlsServer,
  TLSSocket,
  type ConnectionOptions as TlsConnectOptions,
} from 'node:tls';
import type { Environment } from '../../base/environment.js';
import { SegyError } from '../../base/errors.js';
import { toHex } from '../../base/bytes.js';
import { normaliseHost } from '../host.js';
import type { SipEndpointLimits } from '../limits.js';
import type { Outlet, SipSource, SipTarget } from '../peers.js';
import { SipConnection, type ConnectionEvents } from './connection.js';
import { handshakeFault, type HandshakeFault } from './handshake-fault.js';
import {
  checkServerName,
  checkTlsIdentity,
  secureOptions,
  tlsPeer,
  type TlsIdentity,
  type TlsListenOptions,
} from './tls.js';

export interface StreamOptions {
  readonly env: Environment;
  readonly limits: SipEndpointLimits;
  readonly tls: TlsIdentity;
  readonly events: Omit<ConnectionEvents, 'closed'>;
  /** a connection, in or out, is gone */
  closed(connectionId: string, cause: Error): void;
  /** asked when a connection has come up from outside; false ends it */
  admit(source: SipSource): boolean;
  /** a TLS handshake from outside failed */
  handshakeFailed(source: SipSource, fault: HandshakeFault): void;
}

export interface StreamListenOptions {
  readonly address: string;
  readonly port: number;
  readonly name?: string;
}

export interface StreamListener {
  readonly address: string;
  readonly port: number;
  /** Takes another certificate; connections that stand keep the old one. */
  setTls(tls: TlsListenOptions): void;
  close(): Promise<void>;
}

export class Streams {
  readonly #options: StreamOptions;
  readonly #connections = new Map<string, SipConnection>();
  /** connections that we opened, by where they lead */
  readonly #outgoing = new Map<string, SipConnection>();
  readonly #perAddress = new Map<string, number>();
  /** sockets from outside, those in a handshake too */
  readonly #incoming = new Set<Socket>();
  /** for connections that we open from here on */
  identity: TlsIdentity;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.identity = options.tls;
  }

  /** Number of connections in either direction. */
  get size(): number {
    return this.#connections.size;
  }

  /** @throws SegyError SEGY_E_IO when the address cannot be bound or a certificate cannot be used */
  async listen(
    { address, port, name }: StreamListenOptions,
    tls?: TlsListenOptions,
  ): Promise<StreamListener> {
    const server = this.#server(tls, name);
    server.maxConnections = this.#options.limits.connections;
    server.on('connection', (socket: Socket) => this.#countAddress(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(
          new SegyError('SEGY_E_IO', `cannot bind TCP ${address}: ${cause.message}`, { cause }),
        ),
      );
      server.listen({ host: address, port, ipv6Only: true, exclusive: true }, resolve);
    });
    // such as too many open files while accepting: this one peer is lost, not the listener
    server.on('error', ({ message }) =>
      this.#options.env.log.warn('sip.accept.failed', { message }),
    );
    const bound = server.address();
    const actual = typeof bound === 'object' && bound !== null ? bound.port : port;
    const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
    const setTls = (other: TlsListenOptions): void => {
      if (server instanceof TlsServer) server.setSecureContext(secureOptions(other));
    };
    return { address, port: actual, setTls, close };
  }

  #server(tls: TlsListenOptions | undefined, name: string | undefined): Server {
    if (tls === undefined) return createServer((socket) => this.#accept(socket, name));
    const secure = {
      ...secureOptions(tls),
      requestCert: tls.requestCert ?? false,
      rejectUnauthorized: tls.rejectUnauthorized ?? true,
      handshakeTimeout: this.#options.limits.connectMs,
    };
    checkTlsIdentity(tls);
    const server = createTlsServer(secure, (socket) => this.#accept(socket, name));
    server.on('tlsClientError', (error, socket) => {
      this.#options.handshakeFailed(sourceOf(peerOf(socket), 'tls'), handshakeFault(socket, error));
      socket.destroy();
    });
    return server;
  }

  /** Counted from the first packet on, so that open handshakes count too. */
  #countAddress(socket: Socket): void {
    const address = normaliseHost(socket.remoteAddress ?? '');
    const count = (this.#perAddress.get(address) ?? 0) + 1;
    this.#perAddress.set(address, count);
    this.#incoming.add(socket);
    socket.once('close', () => {
      this.#incoming.delete(socket);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
    if (count > this.#options.limits.connectionsPerAddress) socket.destroy();
  }

  #accept(socket: Socket, listener: string | undefined): void {
    const from = sourceOf(socket, socket instanceof TLSSocket ? 'tls' : 'tcp');
    const source = listener === undefined ? from : { ...from, listener };
    socket.on('error', () => socket.destroy());
    if (socket.destroyed || !this.#options.admit(source)) socket.destroy();
    else this.#adopt(socket, true, () => source);
  }

  #adopt(socket: Socket, incoming: boolean, source: () => SipSource, key?: string): SipConnection {
    const { env, limits, events } = this.#options;
    const id = toHex(env.random(8));
    const connection = new SipConnection({
      id,
      socket,
      env,
      limits,
      incoming,
      source: () => ({ ...source(), connectionId: id }),
      events: {
        ...events,
        closed: (_connection, cause) => {
          this.#connections.delete(id);
          queueMicrotask(() => this.#options.closed(id, cause));
          if (key !== undefined && this.#outgoing.get(key) === connection)
            this.#outgoing.delete(key);
        },
      },
    });
    this.#connections.set(id, connection);
    return connection;
  }

  /**
   * A way over the connection named in the target while it lives, else over the one that we have open
   * to there, else over a new one from `localAddress`. A connection that was open before and fails is
   * replaced once by a new one.
   */
  outlet(target: SipTarget, localAddress: string | undefined): Outlet {
    let used: { readonly id: string; readonly age: 'new' | 'old' } | undefined;
    const sendNew = (key: string, octets: Uint8Array, onFailure: (error: Error) => void): void => {
      const connection = this.#open(target, localAddress, key);
      used = { id: connection.id, age: 'new' };
      connection.send(octets, onFailure);
    };
    return {
      reliable: true,
      uses: (id) => (used?.id === id ? used.age : undefined),
      send: (octets, onFailure) => {
        const named = this.#connections.get(target.connectionId ?? '');
        const key = [
          target.protocol,
          target.address,
          target.port,
          target.serverName,
          localAddress,
        ].join('|');
        const old = named ?? this.#outgoing.get(key);
        if (old === undefined) sendNew(key, octets, onFailure);
        else {
          used = { id: old.id, age: 'old' };
          old.send(octets, () => {
            old.close('write');
            sendNew(key, octets, onFailure);
          });
        }
      },
    };
  }

  #open(target: SipTarget, localAddress: string | undefined, key: string): SipConnection {
    const existing = this.#outgoing.get(key);
    if (existing !== undefined) return existing;
    const socket = this.#connect(target, localAddress);
    const { env, limits } = this.#options;
    const deadline = env.timers.setTimeout(
      () => socket.destroy(new Error('no connection in time')),
      limits.connectMs,
    );
    const settled = (): void => env.timers.clearTimeout(deadline);
    socket.once(target.protocol === 'tls' ? 'secureConnect' : 'connect', settled);
    socket.once('close', settled);
    const { protocol } = target;
    const connection = this.#adopt(
      socket,
      false,
      () => sourceOf(socket, protocol === 'tls' ? 'tls' : 'tcp'),
      key,
    );
    this.#outgoing.set(key, connection);
    return connection;
  }

  #connect(target: SipTarget, localAddress: string | undefined): Socket {
    const family = isIP(localAddress ?? '');
    const to = {
      host: target.address,
      port: target.port,
      ...(localAddress === undefined ? {} : { localAddress, family }),
    };
    if (target.protocol !== 'tls') return connectTcp(to);
    const wanted = target.serverName ?? target.address;
    const secure: TlsConnectOptions = {
      ...to,
      ...secureOptions(this.identity),
      ...(isIP(wanted) === 0 ? { servername: wanted } : {}),
      // said outright, so that no environment variable can switch it off
      rejectUnauthorized: true,
      checkServerIdentity: (_host, certificate) => checkServerName(wanted, certificate),
    };
    return connectTls(secure);
  }

  close(): void {
    for (const connection of [...this.#connections.values()]) connection.close('endpoint');
    for (const socket of this.#incoming) socket.destroy();
  }
}

/**
 * What still knows the address of a peer whose handshake failed. The TLS socket is destroyed by then;
 * the one below it has kept the address, because it was read when the connection came.
 */
function peerOf(socket: TLSSocket): Socket {
  const below: unknown = '_parent' in socket ? socket._parent : undefined;
  return socket.remoteAddress === undefined && below instanceof Socket ? below : socket;
}

function sourceOf(socket: Socket, protocol: 'tcp' | 'tls'): SipSource {
  const source = {
    protocol,
    address: socket.remoteAddress ?? '',
    port: socket.remotePort ?? 0,
    localAddress: socket.localAddress ?? '',
    localPort: socket.localPort ?? 0,
  };
  const peer = socket instanceof TLSSocket ? tlsPeer(socket) : undefined;
  return peer === undefined ? source : { ...source, tls: peer };
}
