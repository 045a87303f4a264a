import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { SegyError } from '../../base/errors.js';
import type { Outlet, SipSource } from '../peers.js';

/** A bound UDP socket. */
export class UdpListener {
  readonly address: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #queueLimit: number;

  private constructor(socket: Socket, queueLimit: number) {
    const { address, port } = socket.address();
    this.address = address;
    this.port = port;
    this.#socket = socket;
    this.#queueLimit = queueLimit;
  }

  /**
   * @param port 0 for any free one
   * @throws SegyError SEGY_E_IO when the address cannot be bound
   */
  static async bind(o: {
    readonly address: string;
    readonly port: number;
    readonly queueLimit: number;
    onDatagram(octets: Uint8Array, source: SipSource): void;
  }): Promise<UdpListener> {
    const socket = createSocket(
      isIPv6(o.address) ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' },
    );
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (cause) =>
        reject(
          new SegyError('SEGY_E_IO', `cannot bind UDP ${o.address}: ${cause.message}`, { cause }),
        ),
      );
      socket.bind({ address: o.address, port: o.port, exclusive: true }, resolve);
    });
    socket.removeAllListeners('error');
    // an ICMP error of one peer must not end the socket of all
    socket.on('error', () => undefined);
    const listener = new UdpListener(socket, o.queueLimit);
    const local = { localAddress: listener.address, localPort: listener.port };
    socket.on('message', (octets, { address, port }) =>
      o.onDatagram(octets, { protocol: 'udp', address, port, ...local }),
    );
    return listener;
  }

  outlet(address: string, port: number): Outlet {
    return {
      reliable: false,
      send: (octets, onFailure) => {
        if (this.#socket.getSendQueueSize() + octets.length > this.#queueLimit) {
          queueMicrotask(() => onFailure(new Error('the UDP send queue is full')));
          return;
        }
        this.#socket.send(octets, port, address, (error) => {
          if (error) onFailure(error);
        });
      },
    };
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(resolve));
  }
}
