/** Takes one request over TCP as a next hop does, refuses it, and keeps its octets. */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import type { SipBody } from '../../src/sim/index.js';
import type { Peer } from './pcap.js';
import { within } from './waiting.js';

export class Recorder {
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  #take: (body: SipBody) => void = () => undefined;

  async open(address: string): Promise<Peer> {
    this.#server.listen(0, address);
    await once(this.#server, 'listening');
    return { address, port: (this.#server.address() as AddressInfo).port };
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Type and octets of the body of the request that `send` sends here. */
  async record(send: () => unknown): Promise<SipBody> {
    const taken = new Promise<SipBody>((resolve) => (this.#take = resolve));
    await send();
    return within('a request is recorded', taken);
  }

  #serve(socket: Socket): void {
    let held = Buffer.alloc(0);
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      held = Buffer.concat([held, chunk]);
      for (;;) {
        const end = held.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = held.toString('latin1', 0, end);
        const length = Number(/^Content-Length: *(\d+)/im.exec(head)?.[1] ?? 0);
        if (held.length < end + 4 + length) return;
        const bytes = new Uint8Array(held.subarray(end + 4, end + 4 + length));
        held = held.subarray(end + 4 + length);
        if (head.startsWith('ACK ')) continue;
        const copied = head
          .split('\r\n')
          .filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line))
          .map((line) => (/^To:/i.test(line) ? `${line};tag=recorder` : line));
        const lines = ['SIP/2.0 603 Recorded', ...copied, 'Content-Length: 0', '', ''];
        socket.write(lines.join('\r\n'));
        this.#take({ type: /^Content-Type: *([^\r]+)/im.exec(head)?.[1] ?? '', bytes });
      }
    });
  }
}
