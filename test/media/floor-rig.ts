/** A packet path with floor control, and the floor server's end of its line. */
import {
  DEFAULT_FLOOR_CODEC,
  writeFloorMessage,
  readFloorDatagram,
} from '../../src/floor/index.js';
import type { FloorFields, FloorMessage, FloorMessageType } from '../../src/floor/index.js';
import { DEFAULT_PARTICIPANT } from '../../src/floor/index.js';
import type { FloorKeying, FloorStats } from '../../src/media/index.js';
import type { WireFloor } from '../../src/media/protocol.js';
import { SrtpReceiver, SrtpSender } from '../../src/srtp/index.js';
import { PEER, PBX, Rig } from './path-rig.js';
import { testKey, voice } from './support.js';

export const SPK = testKey(0x33);
export const OWN_SSRC = 0x1111;
export const SERVER_SSRC = 0x2222;
const MC_SEND = testKey(1);
const OUR_SEND = testKey(2);
const MEDIA_SSRC = 0x3333;

export const KEYING: FloorKeying = {
  source: 'commands',
  on: '*',
  off: '#',
  swallowDigits: false,
  thresholdDb: -40,
  attackMs: 40,
  hangMs: 200,
  codecs: {
    0: { name: 'PCMU' },
    101: { name: 'telephone-event' },
  },
};

export function floorSetup(more: Partial<WireFloor> = {}): WireFloor {
  return {
    ssrc: OWN_SSRC,
    keys: { send: SPK, receive: [SPK] },
    remote: { address: PEER, port: 6_000 },
    participant: { ...DEFAULT_PARTICIPANT, userId: 'sip:radio1@lmr.example', maxPriority: 255 },
    codec: DEFAULT_FLOOR_CODEC,
    keying: KEYING,
    holdBackMs: 500,
    listenBackMs: 200,
    messagesPerSecond: 200,
    forwardTo: null,
    ...more,
  };
}

export function floorMessage(
  type: FloorMessageType,
  fields: FloorFields = {},
  ssrc = SERVER_SSRC,
): Uint8Array {
  return writeFloorMessage({ type, ssrc, ackRequired: false, others: [], ...fields });
}

export class FloorRig extends Rig {
  readonly #server = new SrtpSender(SPK, { ssrc: SERVER_SSRC });
  readonly #receiver = new SrtpReceiver({ keys: [SPK] });
  readonly #mc = new SrtpSender(MC_SEND, { ssrc: MEDIA_SSRC });
  readonly #heardFrom = new SrtpReceiver({ keys: [OUR_SEND] });
  #outerIndex = 10;
  #innerSequence = 100;

  constructor(more: Partial<WireFloor> = {}, setUp = true) {
    super();
    this.arm(MC_SEND, OUR_SEND, 0x4444);
    this.path.command({ type: 'floor', setup: floorSetup(more) });
    if (setUp) this.setUp();
  }

  setUp(implicitRequest = false, granted = false): void {
    this.path.command({
      type: 'floorCommand',
      command: { type: 'set-up', implicitRequest, granted },
    });
  }

  key(on: boolean): void {
    this.path.command({ type: 'floorCommand', command: { type: 'key', on } });
  }

  /** The floor server's message as it travels. */
  protect(clear: Uint8Array): Uint8Array {
    return this.#server.protectRtcp(clear);
  }

  /** A message under the same key of another sender. */
  protectAs(ssrc: number, clear: Uint8Array): Uint8Array {
    return new SrtpSender(SPK, { ssrc }).protectRtcp(clear);
  }

  /** The floor server says something. */
  say(type: FloorMessageType, fields: FloorFields = {}): void {
    this.path.onFloor(this.protect(floorMessage(type, fields)), PEER);
  }

  /** Messages that went to the floor server. */
  asked(): FloorMessage[] {
    return this.floor.splice(0).flatMap((packet) => {
      const opened = this.#receiver.unprotectRtcp(packet);
      return opened.ok ? readFloorDatagram(opened.packet).messages : [];
    });
  }

  /** `count` packets of 20 ms from the radio; the first octets number them. */
  radioSays(count: number, fill = 0x10): void {
    for (let i = 0; i < count; i++) {
      const payload = new Uint8Array(160).fill(fill);
      const sequence = this.#innerSequence++;
      payload[0] = sequence & 0xff;
      this.path.onInnerRtp(
        voice(sequence, { payload, timestamp: 160 * sequence, ssrc: 0x5555 }),
        PBX,
        4_000,
      );
      this.now += 20;
    }
  }

  /** One telephone-event packet from the PBX. */
  radioDials(event: number, timestamp: number): void {
    const payload = new Uint8Array([event, 10, 0, 160]);
    const sequence = this.#innerSequence++;
    this.path.onInnerRtp(
      voice(sequence, { payload, timestamp, payloadType: 101, ssrc: 0x5555 }),
      PBX,
      4_000,
    );
    this.now += 20;
  }

  mcSays(count: number): void {
    for (let i = 0; i < count; i++) {
      const index = this.#outerIndex++;
      const packet = voice(index, { timestamp: 160 * index, ssrc: MEDIA_SSRC });
      this.path.onOuterRtp(this.#mc.protect(packet, index), PEER, 5_000);
      this.now += 20;
    }
  }

  /** Numbers of the radio's packets that reached the MC side, in their order. */
  heardByMc(): number[] {
    return this.rtp('outer').flatMap(({ packet }) => {
      const opened = this.#heardFrom.unprotect(packet);
      return opened.ok ? [opened.packet[12] ?? -1] : [];
    });
  }

  heardByRadio(): number {
    return this.rtp('inner').length;
  }

  dropped(direction: 'toInner' | 'toOuter'): number {
    return this.path.stats()[direction].dropped['no-floor'] ?? 0;
  }

  floorStats(): FloorStats {
    const { floor } = this.path.stats();
    if (floor === null) throw new Error('no floor control');
    return floor;
  }

  news(): string[] {
    return this.events.flatMap((event) => (event.type === 'floor' ? [event.news.event] : []));
  }
}
