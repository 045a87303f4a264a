/** A TCP relay that a test can cut and mend, and that can capture what passes. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Capture, Peer } from './pcap.js';

export interface TcpRelayOptions {
  readonly listen: { readonly address: string; readonly port?: number };
  readonly target: Peer;
  /** source address towards the target */
  readonly localAddress?: string;
  readonly capture?: Capture;
}

export class TcpRelay {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  private constructor(readonly options: TcpRelayOptions) {
    this.#port = options.listen.port ?? 0;
  }

  static async open(options: TcpRelayOptions): Promise<TcpRelay> {
    const relay = new TcpRelay(options);
    await relay.mend();
    return relay;
  }

  get port(): number {
    return this.#port;
  }

  /** Ends all connections and takes no new one. */
  cut(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Takes connections again, on the same port. */
  async mend(): Promise<void> {
    const server = createServer((socket) => this.#join(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.options.listen.address, resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  close(): void {
    this.cut();
  }

  #join(from: Socket): void {
    const { target, localAddress, capture } = this.options;
    const to = connect({
      host: target.address,
      port: target.port,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    const client = { address: from.remoteAddress ?? '0.0.0.0', port: from.remotePort ?? 0 };
    this.#pipe(from, to, () => capture && ((bytes) => capture.add(client, target, bytes)));
    this.#pipe(to, from, () => capture && ((bytes) => capture.add(target, client, bytes)));
  }

  #pipe(source: Socket, sink: Socket, tap: () => ((bytes: Buffer) => void) | undefined): void {
    this.#sockets.add(source);
    const note = tap();
    source.on('data', (bytes) => {
      note?.(bytes);
      sink.write(bytes);
    });
    source.on('error', () => sink.destroy());
    source.on('close', () => {
      this.#sockets.delete(source);
      sink.destroy();
    });
  }
}
