/**
 * The four UDP sockets of one session: RTP and RTCP, outer and inner.
 */
import { createSocket, type Socket } from 'node:dgram';
import type { MediaSide } from './types.js';

export interface QuadAddresses {
  readonly outerAddress: string;
  readonly outerRtpPort: number;
  readonly innerAddress: string;
  readonly innerRtpPort: number;
  /** socket receive buffer asked for, in octets */
  readonly receiveBuffer: number;
}

export type QuadListener = (
  side: MediaSide,
  protocol: 'rtp' | 'rtcp',
  packet: Uint8Array,
  address: string,
  port: number,
) => void;

/** A port is in use by something outside this program. */
export class PortBusyError extends Error {
  readonly side: MediaSide;

  constructor(side: MediaSide, cause: unknown) {
    super(`${side} media port is in use`, { cause });
    this.side = side;
  }
}

type Lookup = (
  hostname: string,
  options: unknown,
  callback: (error: null, address: string, family: number) => void,
) => void;

/** Every address is a literal: no resolver, and no detour through the event loop for each packet. */
const literal =
  (family: number): Lookup =>
  (hostname, _options, callback) =>
    callback(null, hostname, family);

function open(address: string, port: number, receiveBuffer: number): Promise<Socket> {
  const six = address.includes(':');
  const socket = createSocket({
    type: six ? 'udp6' : 'udp4',
    lookup: literal(six ? 6 : 4),
    recvBufferSize: receiveBuffer,
  });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

/** The UDP socket of one session's floor control. */
export class FloorSocket {
  readonly #socket: Socket;
  #open = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @throws PortBusyError, or the system's error */
  static async open(
    at: { readonly address: string; readonly port: number; readonly receiveBuffer: number },
    listener: (packet: Uint8Array, address: string) => void,
  ): Promise<FloorSocket> {
    let socket: Socket;
    try {
      socket = await open(at.address, at.port, at.receiveBuffer);
    } catch (error) {
      throw isBusy(error) ? new PortBusyError('outer', error) : error;
    }
    socket.on('message', (packet, from) => listener(packet, from.address));
    return new FloorSocket(socket);
  }

  send(packet: Uint8Array, port: number, address: string): void {
    if (this.#open) this.#socket.send(packet, port, address);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.close();
  }
}

export class SocketQuad {
  readonly #sockets: Readonly<Record<MediaSide, { rtp: Socket; rtcp: Socket }>>;
  #open = true;

  private constructor(sockets: Record<MediaSide, { rtp: Socket; rtcp: Socket }>) {
    this.#sockets = sockets;
  }

  /** Binds all four or none. @throws PortBusyError, or the system's error */
  static async open(a: QuadAddresses, listener: QuadListener): Promise<SocketQuad> {
    const opened: Socket[] = [];
    const bind = async (side: MediaSide, address: string, port: number): Promise<Socket> => {
      try {
        const socket = await open(address, port, a.receiveBuffer);
        opened.push(socket);
        return socket;
      } catch (error) {
        for (const socket of opened) socket.close();
        throw isBusy(error) ? new PortBusyError(side, error) : error;
      }
    };
    const outerRtp = await bind('outer', a.outerAddress, a.outerRtpPort);
    const outerRtcp = await bind('outer', a.outerAddress, a.outerRtpPort + 1);
    const innerRtp = await bind('inner', a.innerAddress, a.innerRtpPort);
    const innerRtcp = await bind('inner', a.innerAddress, a.innerRtpPort + 1);
    const sockets = {
      outer: { rtp: outerRtp, rtcp: outerRtcp },
      inner: { rtp: innerRtp, rtcp: innerRtcp },
    };
    for (const side of ['outer', 'inner'] as const) {
      for (const protocol of ['rtp', 'rtcp'] as const) {
        sockets[side][protocol].on('message', (packet, from) => {
          listener(side, protocol, packet, from.address, from.port);
        });
      }
    }
    return new SocketQuad(sockets);
  }

  /** Hands a datagram to the kernel; what it cannot take at once is lost, as UDP may. */
  send(
    side: MediaSide,
    protocol: 'rtp' | 'rtcp',
    packet: Uint8Array,
    port: number,
    address: string,
  ): void {
    if (this.#open) this.#sockets[side][protocol].send(packet, port, address);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const side of [this.#sockets.outer, this.#sockets.inner]) {
      side.rtp.close();
      side.rtcp.close();
    }
  }
}
