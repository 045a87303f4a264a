/**
 * A process of its own that floods one port with packets whose MKIs are invented, under a GMK-ID that
 * is held, at a steady rate, until it is ended.
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
}

const MKI_AND_ROC = 12;
const socket = createSocket('udp4');
let sent = 0;

function flood({ address, port, perSecond, size, gmkId }: FloodOrder): void {
  const begin = performance.now();
  const step = (): void => {
    const due = Math.floor(((performance.now() - begin) * perSecond) / 1000);
    for (; sent < due; sent += 1) {
      const packet = randomFillSync(Buffer.alloc(size));
      packet[0] = 0x80;
      packet[1] = 0;
      packet.set(gmkId, size - MKI_AND_ROC);
      // the top bits of a GUK-ID name its key type
      packet[size - MKI_AND_ROC + gmkId.length] = 0x0f & (packet[20] ?? 0);
      socket.send(packet, port, address);
    }
    setTimeout(step, 1);
  };
  step();
}

process.on('message', (order: FloodOrder | 'count') => {
  if (order === 'count') process.send?.(sent);
  else flood(order);
});
process.send?.('ready');
