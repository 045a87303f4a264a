/** A packet path whose time and sockets are the test's. */
import { systemRandom, systemTimers, type RandomBytes } from '../../src/base/environment.js';
import type { MediaEvent } from '../../src/media/index.js';
import { DEFAULT_MEDIA_LIMITS } from '../../src/media/options.js';
import { MediaPath, type PathEnvironment } from '../../src/media/path.js';
import type { SrtpKeyMaterial } from '../../src/srtp/index.js';

export const PBX = '127.0.0.1';
export const PEER = '127.0.2.1';

interface Sent {
  readonly side: 'outer' | 'inner';
  readonly protocol: 'rtp' | 'rtcp';
  readonly packet: Uint8Array;
  readonly to: string;
}

/** A path with time and sockets of its own. */
export class Rig {
  now = 1_000;
  readonly sent: Sent[] = [];
  readonly events: MediaEvent[] = [];
  /** what left on the floor port */
  readonly floor: Uint8Array[] = [];
  readonly path: MediaPath;

  constructor(random: RandomBytes = systemRandom) {
    const send =
      (protocol: Sent['protocol']): PathEnvironment['sendRtp'] =>
      (side, packet, port, address) =>
        this.sent.push({ side, protocol, packet, to: `${address}:${port}` });
    this.path = new MediaPath(
      'test',
      {
        limits: DEFAULT_MEDIA_LIMITS,
        innerAllowed: new Set([PBX]),
        random,
        timers: systemTimers,
        monotonic: () => this.now,
        unixMs: () => 1_700_000_000_000 + this.now,
        sendRtp: send('rtp'),
        sendRtcp: send('rtcp'),
        sendFloor: (packet) => this.floor.push(packet),
        emit: (event) => this.events.push(event),
      },
      true,
    );
    this.remote('main', PEER, 5_000);
    this.path.command({
      type: 'remote',
      side: 'inner',
      leg: 'main',
      address: { address: PBX, port: 4_000 },
    });
  }

  remote(leg: string, address: string, port: number): void {
    this.path.command({ type: 'remote', side: 'outer', leg, address: { address, port } });
  }

  arm(receive: SrtpKeyMaterial, send: SrtpKeyMaterial, ssrc: number): void {
    this.path.command({
      type: 'arm',
      receive: { keys: [receive] },
      send: { key: send, ssrc },
      clockRates: {},
    });
  }

  rtp(side: Sent['side']): Sent[] {
    return this.sent.filter((one) => one.side === side && one.protocol === 'rtp');
  }
}
