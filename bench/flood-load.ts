/**
 * A process of its own that floods one port with packets whose MKIs are invented, under a GMK-ID that
 * is held, at a steady rate, until it is ended. Where the port's socket fills up it waits, so that the kernel
 * drops nothing and every packet that is missing in the end is the gateway's. What the real talkers say leaves from the same socket, as
 * it does where one relay sends for a whole MC system.
 */
import { randomFillSync } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

export interface FloodOrder {
  readonly address: string;
  readonly port: number;
  readonly perSecond: number;
  /** octets of a packet; its last 12 are MKI and ROC */
  readonly size: number;
  readonly gmkId: readonly number[];
  /** how often each invention comes, as far apart as a talker's packets */
  readonly times: number;
}

const MKI_AND_ROC = 12;
const FRAME_MS = 20;
/** packets at once, after a pause of this process */
const AT_ONCE = 400;
/** octets in the port's socket from which on it waits */
const FULL = 1 << 20;
/** what was sent last leaves within this time */
const DRAIN_MS = 200;
const socket = createSocket('udp4');
let sent = 0;
let ended = false;

function invented({ size, gmkId }: FloodOrder): Buffer {
  const packet = randomFillSync(Buffer.alloc(size));
  packet[0] = 0x80;
  packet[1] = 0;
  packet.set(gmkId, size - MKI_AND_ROC);
  // the top bits of a GUK-ID name its key type
  packet[size - MKI_AND_ROC + gmkId.length] = 0x0f & (packet[20] ?? 0);
  return packet;
}

/** Octets that wait in the socket of a port, as Linux tells. */
function queuedAt(address: string, port: number): number {
  const host = address.split('.').map(Number).reverse();
  const hex = Buffer.from(host).toString('hex').toUpperCase();
  const name = ` ${hex}:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  const line = readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .find((each) => each.includes(name));
  return Number.parseInt(
    / [0-9A-F]{8}:([0-9A-F]{8}) /.exec(line?.split(name)[1] ?? '')?.[1] ?? '0',
    16,
  );
}

function flood(order: FloodOrder): void {
  const { address, port, perSecond, times } = order;
  const perFrame = Math.floor((perSecond * FRAME_MS) / 1000);
  const window: Buffer[] = [];
  let begin = performance.now();
  const step = (): void => {
    const behind = Math.floor(((performance.now() - begin) * perSecond) / 1000) - sent;
    const room = queuedAt(address, port) < FULL ? AT_ONCE : 0;
    // what could not be sent in time is not made up for
    if (behind > room) begin += ((behind - room) * 1000) / perSecond;
    const due = sent + Math.min(behind, room);
    for (; sent < due && !ended; sent += 1) {
      const place = sent % perFrame;
      const isOver = Math.floor(sent / perFrame) % times === place % times;
      const packet = (isOver ? undefined : window[place]) ?? invented(order);
      window[place] = packet;
      socket.send(packet, port, address);
    }
    if (!ended) setTimeout(step, 1);
  };
  step();
}

/** `count`: ends the flood and asks how many were sent; `say`: a packet of a talker, in base64 */
export type FloodMessage = FloodOrder | 'count' | { readonly say: string };

let target: FloodOrder | undefined;
process.on('message', (message: FloodMessage) => {
  if (message === 'count') {
    ended = true;
    setTimeout(() => process.send?.(sent), DRAIN_MS);
  } else if ('say' in message) {
    socket.send(Buffer.from(message.say, 'base64'), target?.port ?? 0, target?.address ?? '');
  } else {
    target = message;
    flood(message);
  }
});
socket.bind(0, '127.0.0.1', () => process.send?.(socket.address().port));
