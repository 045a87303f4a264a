/**
 * UDP relays that the tests put between two parties and that capture what passes. SIP is rewritten so
 * that both sides keep talking through the relay: each `from` text becomes its `to` text, of equal
 * length, so that Content-Length stays right; media ports named in SDP get a relay of their own.
 */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import type { Capture, Peer } from './pcap.js';

function bind(address: string, port = 0): Promise<Socket> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

const at = (socket: Socket): Peer => {
  const { address, port } = socket.address();
  return { address, port };
};

/** A pair of neighbouring sockets, RTP on the even port. */
async function bindPair(address: string): Promise<[Socket, Socket]> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const rtp = await bind(address);
    const { port } = at(rtp);
    const rtcp = port % 2 === 0 ? await bind(address, port + 1).catch(() => null) : null;
    if (rtcp) return [rtp, rtcp];
    rtp.close();
  }
  throw new Error(`no pair of ports at ${address}`);
}

/**
 * RTP and RTCP between party A, which is told the `a` address as its peer's, and party B, which is told
 * the `b` address as its peer's.
 */
export class MediaRelay {
  /** real addresses of the parties, RTP port */
  partyA: Peer | undefined;
  partyB: Peer | undefined;
  readonly #sockets: readonly Socket[];

  private constructor(
    readonly a: Peer,
    readonly b: Peer,
    pairA: readonly Socket[],
    pairB: readonly Socket[],
    readonly capture: Capture | undefined,
  ) {
    this.#sockets = [...pairA, ...pairB];
    pairA.forEach((socket, i) => {
      const out = pairB[i]!;
      socket.on('message', (bytes, from) => this.#pass(bytes, from, out, this.partyB, i));
      out.on('message', (back, from) => this.#pass(back, from, socket, this.partyA, i));
    });
  }

  /**
   * @param a where party A sends to: looks like B's address to A
   * @param b where party B sends to: looks like A's address to B
   */
  static async open(a: string, b: string, capture?: Capture): Promise<MediaRelay> {
    const pairA = await bindPair(a);
    const pairB = await bindPair(b);
    return new MediaRelay(at(pairA[0]), at(pairB[0]), pairA, pairB, capture);
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  #pass(bytes: Buffer, from: Peer, out: Socket, to: Peer | undefined, offset: number): void {
    if (!to) return;
    const target = { address: to.address, port: to.port + offset };
    this.capture?.add(from, target, bytes);
    out.send(bytes, target.port, target.address);
  }
}

/** One direction of a SIP relay: what it does to each message before it passes it on. */
export type Rewrite = (text: string) => Promise<string> | string;

/** SIP over UDP between A and B; each sees the relay's own socket as the other. */
export class SipRelay {
  private constructor(
    readonly a: Socket,
    readonly b: Socket,
  ) {}

  static async open(options: {
    /** socket that A sends to, and from which A hears */
    readonly towardsA: { readonly address: string; readonly port?: number };
    readonly towardsB: { readonly address: string; readonly port?: number };
    readonly partyA: Peer;
    readonly partyB: Peer;
    readonly aToB: Rewrite;
    readonly bToA: Rewrite;
    readonly capture?: Capture;
  }): Promise<SipRelay> {
    const a = await bind(options.towardsA.address, options.towardsA.port);
    const b = await bind(options.towardsB.address, options.towardsB.port);
    const wire = (source: Socket, out: Socket, to: Peer, rewrite: Rewrite): void => {
      // one after the other, so that messages keep their order
      let last: Promise<void> = Promise.resolve();
      source.on('message', (bytes, from) => {
        last = last.then(async () => {
          const passed = Buffer.from(await rewrite(bytes.toString('latin1')), 'latin1');
          options.capture?.add(from, to, bytes);
          out.send(passed, to.port, to.address);
        });
      });
    };
    wire(a, b, options.partyB, options.aToB);
    wire(b, a, options.partyA, options.bToA);
    return new SipRelay(a, b);
  }

  close(): void {
    this.a.close();
    this.b.close();
  }
}
