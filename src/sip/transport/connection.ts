import type { Socket } from 'node:net';
import type { Environment } from '../../base/environment.js';
import type { SegyError } from '../../base/errors.js';
import type { SipEndpointLimits } from '../limits.js';
import type { SipSource } from '../peers.js';
import { TimerSet } from '../transaction/timer-set.js';
import { StreamFramer } from './framer.js';

const PING = Buffer.from('\r\n\r\n');
const PONG = Buffer.from('\r\n');

export interface ConnectionEvents {
  message(octets: Uint8Array, connection: SipConnection): void;
  /** the stream cannot be cut into messages any more; the connection ends after this call */
  broken(error: SegyError, rest: Uint8Array, connection: SipConnection): void;
  closed(connection: SipConnection, cause: Error): void;
}

export interface ConnectionOptions {
  readonly id: string;
  readonly socket: Socket;
  readonly env: Environment;
  readonly limits: SipEndpointLimits;
  readonly events: ConnectionEvents;
  /** did the peer open it? */
  readonly incoming: boolean;
  /** asked for at each message: addresses are known only once the socket is connected */
  source(): SipSource;
}

/** One TCP or TLS connection: framing, keep-alive, deadlines, a bounded send queue. */
export class SipConnection {
  readonly id: string;
  readonly #options: ConnectionOptions;
  readonly #framer: StreamFramer;
  readonly #timers: TimerSet;
  #closed = false;
  #lastTraffic: number;

  constructor(options: ConnectionOptions) {
    const { socket, env, limits } = options;
    this.id = options.id;
    this.#options = options;
    this.#framer = new StreamFramer(limits);
    this.#timers = new TimerSet(env.timers);
    this.#lastTraffic = env.clock.now();
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.close('error', error));
    socket.on('end', () => this.close('peer'));
    socket.on('close', () => this.close('socket'));
    this.#watchIdle(limits.idleMs);
    if (options.incoming) {
      this.#timers.start('first', limits.firstMessageMs, () => this.close('silent'));
    } else if (limits.pingMs > 0) this.#ping();
  }

  get alive(): boolean {
    return !this.#closed;
  }

  get source(): SipSource {
    return this.#options.source();
  }

  /** `onFailure` is called later, when the octets cannot be handed to the network. */
  send(octets: Uint8Array, onFailure: (error: Error) => void): void {
    const { socket, limits } = this.#options;
    if (this.#closed || socket.writableLength + octets.length > limits.sendQueueOctets) {
      const reason = this.#closed ? 'the connection is closed' : 'the peer does not read';
      queueMicrotask(() => onFailure(new Error(reason)));
      this.close('backpressure');
      return;
    }
    this.#lastTraffic = this.#options.env.clock.now();
    socket.write(octets, (error) => {
      if (error) onFailure(error);
    });
  }

  close(reason: string, cause = new Error(`the connection ended (${reason})`)): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers.stopAll();
    const { socket, env, events } = this.#options;
    env.log.debug('sip.connection.closed', { id: this.id, reason });
    // what was written last (a 400) still goes out
    if (reason === 'broken') socket.end(() => socket.destroy());
    else socket.destroy();
    events.closed(this, cause);
  }

  #receive(chunk: Buffer): void {
    if (this.#closed) return;
    const { env, events, limits } = this.#options;
    this.#lastTraffic = env.clock.now();
    const framed = this.#framer.push(chunk);
    // only who opened a connection pings, so that two sides cannot answer each other for ever
    if (framed.ping && this.#options.incoming) this.send(PONG, () => undefined);
    if (framed.messages.length > 0) {
      this.#timers.stop('first');
      this.#timers.stop('message');
    }
    for (const message of framed.messages) events.message(message, this);
    if (framed.broken !== undefined) {
      events.broken(framed.broken.error, framed.broken.rest, this);
      this.close('broken');
    } else if (!this.#framer.partial) this.#timers.stop('message');
    else if (framed.messages.length > 0 || !this.#timers.runs('message')) {
      this.#timers.start('message', limits.messageMs, () => this.close('slow'));
    }
  }

  #watchIdle(ms: number): void {
    this.#timers.start('idle', ms, () => {
      const { env, limits } = this.#options;
      const rest = this.#lastTraffic + limits.idleMs - env.clock.now();
      if (rest <= 0) this.close('idle');
      else this.#watchIdle(rest);
    });
  }

  #ping(): void {
    const { limits } = this.#options;
    this.#timers.start('ping', limits.pingMs, () => {
      this.#options.socket.write(PING);
      this.#ping();
    });
  }
}
