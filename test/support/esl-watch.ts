/** A second client of the event socket that takes every event and every log line, as they travel. */
import { connect, type Socket } from 'node:net';
import { Capture, type Peer } from './pcap.js';

export class EslWatch {
  /** what the event socket sent since, as one packet */
  get heard(): Capture {
    const whole = new Capture();
    whole.add(this.#at, this.#at, Buffer.concat(this.#pieces));
    return whole;
  }

  readonly #at: Peer;
  readonly #socket: Socket;
  readonly #pieces: Buffer[] = [];

  private constructor(at: Peer, socket: Socket) {
    this.#at = at;
    this.#socket = socket;
    socket.on('data', (data) => this.#pieces.push(data));
    socket.on('error', () => undefined);
  }

  static async open(at: Peer, password: string): Promise<EslWatch> {
    const socket = connect({ host: at.address, port: at.port });
    const watch = new EslWatch(at, socket);
    socket.write(`auth ${password}\n\nevent json ALL\n\nlog debug\n\n`);
    for (let tries = 0; !watch.text().includes('event listener enabled'); tries += 1) {
      if (tries > 100)
        throw new Error(`the event socket does not let the watch in: ${watch.text()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return watch;
  }

  text(): string {
    return Buffer.concat(this.#pieces).toString('latin1');
  }

  close(): void {
    this.#socket.destroy();
  }
}
