/**
 * Free loopback ports for tests. They lie outside the range from which the system takes ports by itself
 * (32768 and up), so that none is taken between the look and the use by what happens to connect then.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

function tcpPort(address: string, port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, address, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : null));
    });
  });
}

function udpPort(address: string, port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', () => resolve(null));
    socket.bind(port, address, () => {
      const bound = socket.address().port;
      socket.close(() => resolve(bound));
    });
  });
}

const FIRST = 22_000;
const COUNT = 10_000;
/** Runs on one machine at the same time begin apart from each other, and give no port twice. */
const APART = 97;
let given = (process.pid * APART) % COUNT;

/** Whether a program can be at that address and port, for UDP and TCP. */
export async function isFree(address: string, port: number): Promise<boolean> {
  const found = [await tcpPort(address, port), await udpPort(address, port)];
  return found.every((bound) => bound === port);
}

/** A port that is free for both UDP and TCP at `address` now. */
export async function freePort(address = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const port = FIRST + given;
    given = (given + 1) % COUNT;
    const isFree =
      (await tcpPort(address, port)) === port && (await udpPort(address, port)) === port;
    if (isFree) return port;
  }
  throw new Error(`no free port at ${address}`);
}

interface Listens {
  listen(options: {
    protocol: 'udp' | 'tcp';
    address: string;
    port: number;
  }): Promise<{ port: number }>;
}

/** Has `endpoint` listen on one free port for UDP and TCP; another program may take it meanwhile. */
export async function listenOnFreePort(endpoint: Listens, address: string): Promise<number> {
  for (let attempt = 0; ; attempt++) {
    const { port } = await endpoint.listen({ protocol: 'tcp', address, port: 0 });
    try {
      await endpoint.listen({ protocol: 'udp', address, port });
      return port;
    } catch (error) {
      if (attempt >= 20) throw error;
    }
  }
}

/** First port of `count` consecutive ones whose ends are free for UDP, below those of `freePort`. */
export async function freePortRange(count: number, address = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const first = 10_000 + 2 * Math.floor(Math.random() * ((FIRST - 10_000 - count) / 2));
    const ends = await Promise.all([
      udpPort(address, first),
      udpPort(address, first + count - 1),
      udpPort(address, first + Math.floor(count / 2)),
    ]);
    if (ends.every((port) => port !== null)) return first;
  }
  throw new Error(`no free range of ${count} ports at ${address}`);
}
