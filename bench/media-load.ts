/**
 * Threads of the media bench: a bare receive-and-send loop, a generator that sends as fast as it can,
 * and a sink that holds its port and reads nothing, so that it costs no time.
 */
import { createSocket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';

export interface Target {
  readonly address: string;
  readonly port: number;
}

export type LoadRole =
  | { readonly role: 'bare'; readonly to: Target }
  | { readonly role: 'sink' }
  | {
      readonly role: 'generate';
      readonly to: Target;
      readonly from: Target;
      /** octets of one packet */
      readonly size: number;
      /** packets end to end; when used up the first comes again with its numbers as they are */
      readonly packets: Uint8Array;
      /** RTP sequence number and timestamp are written anew for each packet */
      readonly renumber: boolean;
    };

const BURST = 32;
const port = parentPort;

function bare(to: Target): void {
  let count = 0;
  const socket = createSocket('udp4');
  socket.on('message', (packet) => {
    socket.send(packet, to.port, to.address);
    count += 1;
  });
  socket.bind({ address: '127.0.0.1' }, () => port?.postMessage(socket.address().port));
  port?.on('message', () => port.postMessage(count));
}

function sink(): void {
  const socket = createSocket('udp4');
  socket.bind({ address: '127.0.0.1' }, () => {
    port?.postMessage(socket.address().port);
    const never = new Int32Array(new SharedArrayBuffer(4));
    setTimeout(() => Atomics.wait(never, 0, 0, 120_000), 10);
  });
}

function generate(load: Extract<LoadRole, { role: 'generate' }>): void {
  const socket = createSocket('udp4');
  const packets = Buffer.from(load.packets.buffer, load.packets.byteOffset, load.packets.length);
  const total = packets.length / load.size;
  let next = 0;
  let running = false;
  const burst = (): void => {
    if (!running) return;
    for (let i = 0; i < BURST; i++) {
      const at = (next % total) * load.size;
      const packet = packets.subarray(at, at + load.size);
      if (load.renumber) {
        packet.writeUInt16BE(next & 0xffff, 2);
        packet.writeUInt32BE((next * 160) >>> 0, 4);
      }
      next += 1;
      socket.send(packet, load.to.port, load.to.address);
    }
    setImmediate(burst);
  };
  socket.bind({ address: load.from.address, port: load.from.port }, () => port?.postMessage(0));
  port?.on('message', (go: boolean) => {
    running = go;
    if (go) burst();
    port.postMessage(next);
  });
}

const load = workerData as LoadRole | null;
if (load?.role === 'bare') bare(load.to);
else if (load?.role === 'sink') sink();
else if (load?.role === 'generate') generate(load);
