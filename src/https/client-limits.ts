/**
 * What one client may cost: connections at a time, handshakes and requests a second. A client is an
 * IPv4 address or an IPv6 /64. Addresses behind which many users are, such as a partner's HTTP
 * proxy, have limits of their own. All other handshakes together have one limit more, so that many
 * addresses cannot do what one may not.
 */
import { isIPv6 } from 'node:net';
import type { Clock } from '../base/environment.js';
import { TokenBucket } from '../base/token-bucket.js';

export interface ClientRate {
  readonly requestsPerSecond: number;
  readonly burst: number;
  readonly handshakesPerSecond: number;
  readonly connections: number;
}

export interface ClientLimitOptions {
  readonly anyone: ClientRate;
  /** by IP address */
  readonly known: ReadonlyMap<string, ClientRate>;
  readonly handshakesPerSecond: number;
  /** connections of all clients together */
  readonly connections: number;
  /** clients that are remembered; the longest silent one is forgotten first */
  readonly remembered: number;
}

interface ClientState {
  readonly rate: ClientRate;
  readonly requests: TokenBucket;
  readonly handshakes: TokenBucket;
  connections: number;
}

export class ClientLimits {
  readonly #options: ClientLimitOptions;
  readonly #clock: Clock;
  readonly #clients = new Map<string, ClientState>();
  readonly #strangers: TokenBucket;
  #connections = 0;

  constructor(options: ClientLimitOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    const { handshakesPerSecond } = options;
    this.#strangers = new TokenBucket(clock, handshakesPerSecond, 2 * handshakesPerSecond);
  }

  /**
   * A connection came; asked before its handshake.
   * @returns what to call when it has closed, or undefined when it must be closed at once
   */
  connect(address: string): (() => void) | undefined {
    const client = this.#client(address);
    if (this.#connections >= this.#options.connections) return undefined;
    if (client.connections >= client.rate.connections) return undefined;
    if (!client.handshakes.take()) return undefined;
    if (client.rate === this.#options.anyone && !this.#strangers.take()) return undefined;
    client.connections += 1;
    this.#connections += 1;
    return () => {
      client.connections -= 1;
      this.#connections -= 1;
    };
  }

  /** Whether the client may have one more request answered. */
  request(address: string): boolean {
    return this.#client(address).requests.take();
  }

  #client(connected: string): ClientState {
    const address = unmapped(connected);
    const rate = this.#options.known.get(address) ?? this.#options.anyone;
    const key = rate === this.#options.anyone ? clientKey(address) : address;
    let state = this.#clients.get(key);
    if (state === undefined) {
      const { requestsPerSecond, burst, handshakesPerSecond: handshakes } = rate;
      state = {
        rate,
        requests: new TokenBucket(this.#clock, requestsPerSecond, burst),
        handshakes: new TokenBucket(this.#clock, handshakes, Math.max(1, 4 * handshakes)),
        connections: 0,
      };
      this.#makeRoom();
    } else this.#clients.delete(key);
    this.#clients.set(key, state);
    return state;
  }

  /** Clients with a connection are never forgotten: there are at most `connections` of them. */
  #makeRoom(): void {
    if (this.#clients.size < this.#options.remembered) return;
    for (const [key, { connections }] of this.#clients) {
      if (connections > 0) continue;
      this.#clients.delete(key);
      return;
    }
  }
}

/** What a listener on both families calls an IPv4 client by its IPv4 address. */
function unmapped(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

/** The address itself, or the first 64 bits of an IPv6 address; an IPv4 address mapped into IPv6 is IPv4. */
export function clientKey(address: string): string {
  const plain = unmapped(address);
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    groups.push(
      ...Array<string>(Math.max(0, 8 - groups.length - after.length)).fill('0'),
      ...after,
    );
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
