/**
 * A process of its own that floods one port with packets whose MKIs are invented, under a GMK-ID that
 * is held, at a steady rate, until it is ended. What the real talkers say leaves from the same socket, as
 * it does where one relay sends for a whole MC system.
 */
import { randomFillSync } from 'node:crypto';
import { createSocket } from 'node:dgram';
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

function flood(order: FloodOrder): void {
  const { address, port, perSecond, times } = order;
  const perFrame = Math.floor((perSecond * FRAME_MS) / 1000);
  const window: Buffer[] = [];
  const begin = performance.now();
  const step = (): void => {
    const due = Math.floor(((performance.now() - begin) * perSecond) / 1000);
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
