/** What the media tests share: an engine on loopback, UDP parties, and key material. */
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import {
  silentLog,
  silentMetrics,
  systemClock,
  systemRandom,
  systemTimers,
  type Environment,
} from '../../src/base/environment.js';
import {
  createMediaEngine,
  type MediaEngine,
  type MediaEngineOptions,
  type MediaSession,
} from '../../src/media/index.js';
import { buildRtp, type SrtpKeyMaterial } from '../../src/srtp/index.js';

export const environment: Environment = {
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
  log: silentLog,
  metrics: silentMetrics,
};

export const OUTER = '127.0.1.1';
export const INNER = '127.0.0.2';

export function startEngine(
  options: Partial<MediaEngineOptions> = {},
  env = environment,
): Promise<MediaEngine> {
  return createMediaEngine(
    {
      workers: 1,
      outer: { address: OUTER, portMin: 42_000, portMax: 42_399 },
      inner: { address: INNER, portMin: 42_400, portMax: 42_799 },
      ...options,
    },
    env,
  );
}

/** Key material for tests: `seed` makes the key and the MKI. */
export function testKey(seed: number, more: Partial<SrtpKeyMaterial> = {}): SrtpKeyMaterial {
  return {
    suite: 'AEAD_AES_128_GCM',
    masterKey: new Uint8Array(16).fill(seed),
    masterSalt: new Uint8Array(12).fill(seed + 1),
    mki: new Uint8Array([0x10, 0, 0, seed]),
    rocRate: 0,
    ...more,
  };
}

export function voice(
  sequenceNumber: number,
  more: Partial<Parameters<typeof buildRtp>[0]> = {},
): Uint8Array {
  return buildRtp({
    payloadType: 0,
    marker: false,
    sequenceNumber: sequenceNumber & 0xffff,
    timestamp: (1_000 + 160 * sequenceNumber) >>> 0,
    ssrc: 0x11223344,
    payload: new Uint8Array(160).fill(sequenceNumber),
    ...more,
  });
}

/** One UDP socket that keeps what it receives. */
export class Party {
  readonly received: { packet: Uint8Array; port: number; address: string }[] = [];
  /** called with what comes, besides */
  onPacket?: () => void;
  static readonly #all = new Set<Party>();
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    Party.#all.add(this);
    socket.on('message', (packet, from) => {
      if (packet.length === 0) return;
      this.received.push({ packet, port: from.port, address: from.address });
      this.onPacket?.();
    });
  }

  static async open(address: string, port = 0): Promise<Party> {
    const socket = createSocket('udp4');
    socket.bind(port, address);
    await once(socket, 'listening');
    return new Party(socket);
  }

  get address(): AddressInfo {
    return this.#socket.address();
  }

  send(packet: Uint8Array, port: number, address: string): void {
    this.#socket.send(packet, port, address);
  }

  /** Closes every party of the test. */
  static closeAll(): void {
    for (const party of Party.#all) party.#socket.close();
    Party.#all.clear();
  }
}

export async function until(condition: () => boolean, ms = 30_000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error('the condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * Waits until the worker has dropped so many packets on the way to a side, for these reasons and no other:
 * then it has read them, however busy the machine is. @throws AssertionError when it never comes to that
 */
export async function untilDropped(
  session: MediaSession,
  way: 'toInner' | 'toOuter',
  expected: Readonly<Record<string, number>>,
): Promise<void> {
  const end = Date.now() + 30_000;
  for (;;) {
    const { dropped } = (await session.stats())[way];
    if (isDeepStrictEqual({ ...dropped }, expected)) return;
    if (Date.now() > end) assert.deepEqual(dropped, expected);
    await pause(5);
  }
}

/** Waits until a socket of this host has little left to read, so that the system need not drop any. */
export async function untilRead(address: string, port: number): Promise<void> {
  await pause(5);
  await until(() => socketOf(address, port).queued < 32_768);
}

/** Octets that wait in a UDP socket of this host, and the packets that did not find room in it. */
export function socketOf(address: string, port: number): { queued: number; drops: number } {
  const octets = address.split('.').map(Number).reverse();
  const hex = (value: number, digits: number): string =>
    value.toString(16).toUpperCase().padStart(digits, '0');
  const name = `${octets.map((octet) => hex(octet, 2)).join('')}:${hex(port, 4)}`;
  const line = readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .find((each) => each.includes(` ${name} `));
  const columns = line?.trim().split(/\s+/) ?? [];
  const queued = Number.parseInt(columns[4]?.split(':')[1] ?? '', 16);
  return { queued, drops: Number(columns.at(-1)) };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
