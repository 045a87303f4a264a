/**
 * The MC side of one group call: its members talk in turn, each under its own GUK-ID and SSRC, from one
 * socket as a controlling function relays them; what the radio says is heard under the group's GMKs.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { concatBytes, toHex, utf8 } from '../../src/base/bytes.js';
import { systemRandom } from '../../src/base/environment.js';
import { CS_ID, gukId, srtpKeys } from '../../src/mikey/index.js';
import { makeMultipart, findPart, parseBody, SipHeaders } from '../../src/sip/index.js';
import { findTone } from '../../src/sim/index.js';
import type { CallMedia, FloorSection, SimFloor, SipBody } from '../../src/sim/index.js';
import { until } from './waiting.js';
import { sine } from '../../src/sim/tone.js';
import { decodePcmu, encodePcmu } from '../../src/sim/pcmu.js';
import {
  buildRtp,
  parseRtp,
  SrtpReceiver,
  SrtpSender,
  type SrtpKeyMaterial,
} from '../../src/srtp/index.js';

export interface TestGmk {
  readonly id: Uint8Array;
  readonly octets: Uint8Array;
  readonly rand: Uint8Array;
}

export interface Heard {
  readonly at: number;
  readonly mki: string;
  readonly samples: Int16Array;
}

const FRAME_MS = 20;
const FRAME = 160;

/** What `user` sends with under a GMK. */
export function memberKey({ id, octets, rand }: TestGmk, user: string): SrtpKeyMaterial {
  const csbId = gukId(octets, id, user);
  return {
    suite: 'AEAD_AES_128_GCM',
    ...srtpKeys({ key: octets, csbId, rand, csId: CS_ID.mcpttGroup }),
    mki: concatBytes(id, csbId),
    rocRate: 1,
  };
}

export interface GroupSideOptions {
  readonly address: string;
  /** mcptt-info beside the SDP of our offer */
  readonly info: string;
  /** whom and under what we hear */
  readonly hears: readonly SrtpKeyMaterial[];
  /** serves the floor of the call */
  readonly floor?: SimFloor;
}

export class GroupSide implements CallMedia {
  readonly heard: Heard[] = [];
  /** packets that did not open */
  refused = 0;
  readonly #options: GroupSideOptions;
  readonly #receiver: SrtpReceiver;
  readonly #senders = new Map<string, { sender: SrtpSender; index: number; timestamp: number }>();
  #socket: Socket | undefined;
  #remote: { address: string; port: number } | undefined;

  constructor(options: GroupSideOptions) {
    this.#options = options;
    this.#receiver = new SrtpReceiver({ keys: options.hears });
  }

  async offer(): Promise<SipBody> {
    const part = (type: string, text: string) => ({
      headers: new SipHeaders([['Content-Type', type]]),
      body: utf8(text),
    });
    const { contentType, body } = makeMultipart(
      [
        part('application/sdp', await this.#sdp((await this.#options.floor?.offer()) ?? null)),
        part('application/vnd.3gpp.mcptt-info+xml', this.#options.info),
      ],
      systemRandom,
    );
    return { type: contentType, bytes: body };
  }

  async answer(offer: SipBody): Promise<SipBody> {
    const { floor } = this.#options;
    const offered = this.#learn(offer);
    const answered = offered && (await floor?.answer(offered));
    return { type: 'application/sdp', bytes: utf8(await this.#sdp(answered ?? null)) };
  }

  takeAnswer(answer: SipBody): Promise<void> {
    const answered = this.#learn(answer);
    this.#options.floor?.take(answered);
    return Promise.resolve();
  }

  start(): void {
    this.#options.floor?.start();
    this.heard.length = 0;
  }

  close(): void {
    this.#options.floor?.close();
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** `user` says a tone for `ms`; resolves when the last frame is sent. */
  async talk(
    user: string,
    gmk: TestGmk,
    o: { toneHz: number; ms: number; roc?: number },
  ): Promise<void> {
    const name = `${toHex(gmk.id)}/${user}`;
    const voice = this.#senders.get(name) ?? {
      sender: new SrtpSender(memberKey(gmk, user), { ssrc: 0x1000 + this.#senders.size }),
      index: (o.roc ?? 0) * 65_536 + 100 * (this.#senders.size + 1),
      timestamp: 1_000_000 * (this.#senders.size + 1),
    };
    this.#senders.set(name, voice);
    const begin = performance.now();
    for (let frame = 0; frame * FRAME_MS < o.ms; frame += 1) {
      const packet = buildRtp({
        payloadType: 0,
        marker: frame === 0,
        sequenceNumber: voice.index & 0xffff,
        timestamp: voice.timestamp >>> 0,
        ssrc: voice.sender.ssrc,
        payload: encodePcmu(sine(o.toneHz, 8000, frame * FRAME, FRAME)),
      });
      const { address, port } = this.#remote!;
      this.#socket?.send(voice.sender.protect(packet, voice.index), port, address);
      voice.index += 1;
      voice.timestamp += FRAME;
      const wait = begin + (frame + 1) * FRAME_MS - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  async #sdp(floor: FloorSection | null): Promise<string> {
    const { address } = this.#options;
    if (!this.#socket) {
      const socket = createSocket('udp4');
      socket.on('message', (packet) => this.#onPacket(packet));
      socket.bind(0, address);
      await once(socket, 'listening');
      this.#socket = socket;
    }
    const { port } = this.#socket.address();
    const lines = [
      'v=0',
      `o=- 1 1 IN IP4 ${address}`,
      's=-',
      `c=IN IP4 ${address}`,
      't=0 0',
      `m=audio ${port} RTP/AVP 0`,
      'i=speech',
      'a=rtpmap:0 PCMU/8000',
      'a=sendrecv',
      ...(floor === null
        ? []
        : [
            `m=application ${floor.port} udp MCPTT`,
            ...(floor.parameters.length > 0 ? [`a=fmtp:MCPTT ${floor.parameters.join(';')}`] : []),
          ]),
    ];
    return `${lines.join('\r\n')}\r\n`;
  }

  /** @returns the floor line of the description */
  #learn({ type, bytes }: SipBody): FloorSection | undefined {
    const sdp = findPart(parseBody(type, bytes), 'application/sdp')?.body ?? bytes;
    const text = Buffer.from(sdp).toString();
    const address = /^c=IN IP4 (\S+)/m.exec(text)?.[1];
    const port = /^m=audio (\d+)/m.exec(text)?.[1];
    if (address === undefined || port === undefined) throw new Error('no audio in the SDP');
    this.#remote = { address, port: Number(port) };
    const floorPort = Number(/^m=application (\d+) udp MCPTT/m.exec(text)?.[1] ?? 0);
    if (floorPort === 0) return undefined;
    const words = /^a=fmtp:MCPTT (\S+)/m.exec(text)?.[1];
    return { address, port: floorPort, parameters: words?.split(';') ?? [] };
  }

  #onPacket(packet: Uint8Array): void {
    if (packet.length === 0) return;
    const opened = this.#receiver.unprotect(packet);
    const rtp = opened.ok ? parseRtp(opened.packet) : null;
    if (!opened.ok || !rtp) {
      this.refused += 1;
      return;
    }
    const samples = decodePcmu(rtp.payload);
    this.heard.push({ at: performance.now(), mki: toHex(opened.mki), samples });
  }
}

/** Samples of what was heard, one after the other. */
export function samplesOf(heard: readonly Heard[]): Int16Array {
  return Int16Array.from(heard.flatMap(({ samples }) => [...samples]));
}

/** Waits until so much of a tone was heard; a busy machine may be late with what was said. */
export async function untilHeard(
  what: string,
  stream: { recording(): Int16Array },
  toneHz: number,
  ms: number,
): Promise<void> {
  const heard = (): number => framesOf(stream.recording(), toneHz);
  await until(`${ms} ms of ${what} are heard`, () => heard() >= ms).catch((error: unknown) => {
    throw new Error(`${heard()} ms were heard`, { cause: error });
  });
}

/**
 * Milliseconds of a tone in what came in whole frames of 20 ms: the stream's own clock, which a busy
 * machine does not bend. A tone whose periods fill a frame, as those of 50 Hz steps do, is told from
 * the others frame by frame.
 */
export function framesOf(samples: Int16Array, toneHz: number): number {
  return findTone(samples, toneHz, 8000, FRAME_MS).milliseconds;
}

/**
 * Where one frame of a tone is not followed by the tone's next frame: a frame that is missing, or comes
 * twice or out of order. Frames that are lost as many at a time as the tone needs to begin anew go
 * unnoticed (5 at 440 Hz).
 */
export function breaksIn(heard: readonly Heard[], toneHz: number): number {
  const frames: Int16Array[] = [];
  do {
    frames.push(sine(toneHz, 8000, frames.length * FRAME, FRAME));
  } while ((toneHz * FRAME * frames.length) % 8000 !== 0);
  const placeOf = ({ samples }: Heard): number => {
    const distances = frames.map((frame) =>
      frame.reduce((sum, sample, i) => sum + Math.abs(sample - samples[i]!), 0),
    );
    return distances.indexOf(Math.min(...distances));
  };
  const places = heard.map(placeOf);
  return places.slice(1).filter((place, i) => place !== (places[i]! + 1) % frames.length).length;
}

/** The greatest step from one sample to the next. */
export function greatestStep(samples: Int16Array): number {
  let greatest = 0;
  for (let i = 1; i < samples.length; i += 1) {
    greatest = Math.max(greatest, Math.abs(samples[i]! - samples[i - 1]!));
  }
  return greatest;
}
