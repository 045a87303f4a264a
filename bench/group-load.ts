/**
 * A process of its own for the group bench: it talks on every stream in both directions at 50
 * packets a second each and counts and times what comes back; or it is the bare relay to compare with.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { DEFAULT_MEDIA_NICE, putThisThreadAt } from '../src/media/priority.js';

export interface Leg {
  readonly outerPort: number;
  readonly innerPort: number;
}

export type LoadOrder =
  | { readonly type: 'open' }
  | {
      readonly type: 'run';
      readonly outerAddress: string;
      readonly innerAddress: string;
      readonly legs: readonly Leg[];
      /** what the members say, sealed, in base64; the same for every group */
      readonly sealed: readonly string[];
      /** what the radio says */
      readonly clear: readonly string[];
      readonly seconds: number;
    }
  | {
      readonly type: 'relay';
      readonly count: number;
      readonly address: string;
      readonly outerPort: number;
      readonly innerPort: number;
    };

export interface LoadResult {
  readonly sent: number;
  readonly received: number;
  /** milliseconds from sending to receiving, at the median, at 99 % and at most */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** how far behind its own timetable the generator fell, at most, in milliseconds */
  readonly behind: number;
}

// What measures, and the bare relay, run as the media worker does: else the machine's other work is measured.
putThisThreadAt(DEFAULT_MEDIA_NICE);

const FRAME_MS = 20;
const DRAIN_MS = 500;
const RECEIVE_BUFFER = 1 << 25;

async function bound(address: string): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER });
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

const outer = await bound('127.0.0.1');
const inner = await bound('127.0.0.1');
const relays: Socket[] = [];

/** When each packet of a stream was sent, in order; what comes back comes in that order. */
class Times {
  readonly #sent: number[] = [];
  #next = 0;
  send(): void {
    this.#sent.push(performance.now());
  }
  receive(): number {
    const at = this.#sent[this.#next];
    this.#next += 1;
    return at === undefined ? 0 : performance.now() - at;
  }
}

async function run(order: Extract<LoadOrder, { type: 'run' }>): Promise<LoadResult> {
  const { legs, outerAddress, innerAddress, seconds } = order;
  const sealed = order.sealed.map((text) => Buffer.from(text, 'base64'));
  const clear = order.clear.map((text) => Buffer.from(text, 'base64'));
  const inward = new Map(legs.map(({ innerPort }) => [innerPort, new Times()]));
  const outward = new Map(legs.map(({ outerPort }) => [outerPort, new Times()]));
  const delays: number[] = [];
  const listen = (times: Map<number, Times>) => (packet: Uint8Array, from: { port: number }) => {
    if (packet.length > 0) delays.push(times.get(from.port)?.receive() ?? 0);
  };
  outer.removeAllListeners('message').on('message', listen(outward));
  inner.removeAllListeners('message').on('message', listen(inward));
  const frames = Math.min(Math.floor((seconds * 1000) / FRAME_MS), sealed.length);
  let sent = 0;
  let behind = 0;
  const begin = performance.now();
  for (let frame = 0; frame < frames; frame += 1) {
    for (let slot = 0; slot < FRAME_MS; slot += 1) {
      const due = begin + frame * FRAME_MS + slot;
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      else behind = Math.max(behind, -wait);
      for (let i = slot; i < legs.length; i += FRAME_MS) {
        const { outerPort, innerPort } = legs[i]!;
        outward.get(outerPort)?.send();
        inner.send(clear[frame]!, innerPort, innerAddress);
        inward.get(innerPort)?.send();
        outer.send(sealed[frame]!, outerPort, outerAddress);
        sent += 2;
      }
    }
  }
  await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
  delays.sort((a, b) => a - b);
  const at = (share: number): number => delays[Math.floor(share * (delays.length - 1))] ?? NaN;
  return {
    sent,
    received: delays.length,
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
    behind,
  };
}

/** Socket pairs that pass datagrams on as they are. */
async function relay(order: Extract<LoadOrder, { type: 'relay' }>): Promise<Leg[]> {
  const legs: Leg[] = [];
  for (let i = 0; i < order.count; i += 1) {
    const [a, b] = [await bound(order.address), await bound(order.address)];
    a.on('message', (packet) => b.send(packet, order.innerPort, '127.0.0.1'));
    b.on('message', (packet) => a.send(packet, order.outerPort, '127.0.0.1'));
    relays.push(a, b);
    legs.push({ outerPort: a.address().port, innerPort: b.address().port });
  }
  return legs;
}

process.on('message', (order: LoadOrder) => {
  const done = (answer: unknown): void => void process.send?.(answer);
  if (order.type === 'open') {
    done({ outerPort: outer.address().port, innerPort: inner.address().port });
  } else if (order.type === 'run') {
    void run(order).then(done);
  } else {
    for (const socket of relays.splice(0)) socket.close();
    void relay(order).then(done);
  }
});
process.send?.('ready');
