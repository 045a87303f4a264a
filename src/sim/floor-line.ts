/** The floor control line of a simulated party: one UDP socket, and SRTCP under a shared key. */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { buildCompound, SrtpReceiver, SrtpSender } from '../srtp/index.js';
import type { SrtpKeyMaterial } from '../srtp/index.js';

export interface FloorLineOptions {
  readonly address: string;
  /** key of both directions; null for clear floor control */
  readonly key: SrtpKeyMaterial | null;
  /** SSRC of what is sent, never used under the key before */
  readonly ssrc: number;
}

export class SimFloorLine {
  /** a datagram that came and opened, clear */
  onDatagram?: (clear: Uint8Array) => void;
  /** datagrams that did not open */
  refused = 0;
  /** protected octets of the last datagram sent, for replay */
  lastSent: Uint8Array | undefined;
  readonly #options: FloorLineOptions;
  readonly #receiver: SrtpReceiver | null;
  readonly #sender: SrtpSender | null;
  #socket: Socket | undefined;
  #remote: { readonly address: string; readonly port: number } | undefined;

  constructor(options: FloorLineOptions) {
    this.#options = options;
    const { key, ssrc } = options;
    this.#receiver = key && new SrtpReceiver({ keys: [key] });
    this.#sender = key && new SrtpSender(key, { ssrc });
  }

  get ssrc(): number {
    return this.#options.ssrc;
  }

  /** @returns the port */
  async open(): Promise<number> {
    if (!this.#socket) {
      const { address } = this.#options;
      const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
      socket.on('error', () => undefined);
      socket.on('message', (packet) => this.#take(packet));
      socket.bind(0, address);
      await once(socket, 'listening');
      this.#socket = socket;
    }
    return this.#socket.address().port;
  }

  setRemote(address: string, port: number): void {
    this.#remote = { address, port };
  }

  /** Sends messages in one datagram, under one tag. */
  send(...messages: readonly Uint8Array[]): void {
    const clear = buildCompound(...messages);
    this.sendRaw(this.#sender?.protectRtcp(clear) ?? clear);
  }

  /** Sends octets as they are; for misbehaviour. */
  sendRaw(packet: Uint8Array): void {
    this.lastSent = packet;
    if (this.#remote) this.#socket?.send(packet, this.#remote.port, this.#remote.address);
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#receiver?.wipe();
    this.#sender?.wipe();
  }

  #take(packet: Uint8Array): void {
    if (!this.#receiver) {
      this.onDatagram?.(packet);
      return;
    }
    const opened = this.#receiver.unprotectRtcp(packet);
    if (opened.ok) this.onDatagram?.(opened.packet);
    else this.refused += 1;
  }
}
