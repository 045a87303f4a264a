/**
 * One party's end of an audio stream: an RTP and an RTCP socket, a frame every 20 ms in one direction,
 * a recording and counters in the other.
 */
import { toHex } from '../base/bytes.js';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import type { Environment, TimerHandle } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { buildCompound, buildRtp, buildSdes, buildSr, ntpTime, parseRtp } from '../srtp/index.js';
import { FRAME_MS } from './codec.js';
import type { SimCodec } from './codec.js';
import { CLEAR } from './protection.js';
import type { Protection } from './protection.js';
import { endedDigit, eventPayloads, TELEPHONE_EVENT_TYPE } from './telephone-event.js';

export interface AudioOptions {
  /** local IP address of both sockets */
  readonly address: string;
  readonly codec: SimCodec;
  /** tone sent, in Hz */
  readonly toneHz: number;
  /** what is put on the wire for each packet; for misbehaviour. Default: the packet, once */
  readonly onWire?: (packet: Uint8Array) => readonly Uint8Array[];
}

/** Pitch in Hz, `ms` milliseconds after one began to speak; 0 is silence. */
export type PitchAt = (ms: number) => number;

export interface AudioCounters {
  sent: number;
  received: number;
  /** received packets whose payload the codec did not make */
  foreign: number;
  /** packets dropped because they did not authenticate */
  authFailures: number;
  /** packets dropped for any other reason: replayed, unknown MKI, malformed */
  dropped: number;
  rtcpReceived: number;
  rtcpAuthFailures: number;
}

/** Longest recording kept, in seconds. */
const MAX_RECORDING_S = 120;
const PORT_ATTEMPTS = 50;
/** An RTCP sender report each two seconds of audio. */
const FRAMES_PER_REPORT = 100;

export class AudioStream {
  readonly counters: AudioCounters = {
    sent: 0,
    received: 0,
    foreign: 0,
    authFailures: 0,
    dropped: 0,
    rtcpReceived: 0,
    rtcpAuthFailures: 0,
  };
  /** the first payload that the other party did not make, in hex */
  foreignPayload: string | undefined;
  /** time of the first packet that was heard, by the environment's clock */
  firstHeardAt: number | undefined;
  /** time of the latest packet that was heard, by the environment's clock */
  lastHeardAt: number | undefined;
  readonly ssrc: number;
  /** RTP payload type in both directions, as SDP agreed on it */
  payloadType: number;
  /** RTP payload type of telephone-events in both directions; undefined where SDP agreed on none */
  eventType: number | undefined = TELEPHONE_EVENT_TYPE;
  /** digits heard as telephone-events */
  digits = '';
  #events: Uint8Array[] = [];
  #voice: { readonly pitchAt: PitchAt; readonly begun: number } | undefined;
  #eventTimestamp = 0;
  #lastEventAt: number | undefined;
  #protection: Protection = CLEAR;
  #sockets: { rtp: Socket; rtcp: Socket } | undefined;
  #remote: { address: string; port: number; rtcpPort: number } | undefined;
  #timer: TimerHandle | undefined;
  #index: number;
  #timestamp: number;
  #frame = 0;
  #heard: Int16Array[] = [];
  #heardSamples = 0;

  constructor(
    readonly options: AudioOptions,
    readonly env: Environment,
  ) {
    this.payloadType = options.codec.payloadType;
    const start = Buffer.from(env.random(10));
    this.ssrc = start.readUInt32BE(0);
    this.#index = start.readUInt16BE(4) & 0x7fff;
    this.#timestamp = start.readUInt32BE(6);
  }

  /** Binds an even RTP port and the RTCP port after it. @returns the RTP port */
  async open(): Promise<number> {
    for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt += 1) {
      const rtp = await bind(this.options.address, 0);
      const port = rtp.address().port;
      const rtcp =
        port % 2 === 0 ? await bind(this.options.address, port + 1).catch(() => null) : null;
      if (!rtcp) {
        rtp.close();
        continue;
      }
      rtp.on('message', (packet) => this.#onRtp(packet));
      rtcp.on('message', (packet) => this.#onRtcp(packet));
      this.#sockets = { rtp, rtcp };
      return port;
    }
    throw new SegyError('SEGY_E_MEDIA_PORTS', 'no even port with a free neighbour was found');
  }

  /** Goes on from other ports without telling anybody, as behind a NAT that forgot us. */
  async move(): Promise<void> {
    const old = this.#sockets;
    await this.open();
    old?.rtp.close();
    old?.rtcp.close();
  }

  get localPort(): number {
    if (!this.#sockets) throw new SegyError('SEGY_E_INTERNAL', 'the audio stream is not open');
    return this.#sockets.rtp.address().port;
  }

  /** Where to send; port 0 for nowhere. */
  setRemote(address: string, port: number, rtcpPort = port + 1): void {
    this.#remote = port === 0 ? undefined : { address, port, rtcpPort };
  }

  /** Replaces keys in both directions. The packet index goes on: it never starts again. */
  setProtection(protection: Protection): void {
    if (this.#protection !== protection) this.#protection.wipe();
    this.#protection = protection;
  }

  get sending(): boolean {
    return this.#timer !== undefined;
  }

  /** Begins to send, one frame each 20 ms of real time, catching up when a timer came late. */
  start(): void {
    if (this.#timer !== undefined) return;
    const begun = this.env.clock.now();
    let ticks = 0;
    const tick = (): void => {
      const due = Math.floor((this.env.clock.now() - begun) / FRAME_MS) + 1;
      while (ticks < due) {
        this.#sendFrame();
        ticks += 1;
      }
      const wait = begun + ticks * FRAME_MS - this.env.clock.now();
      this.#timer = this.env.timers.setTimeout(tick, Math.max(1, wait));
    };
    tick();
  }

  stop(): void {
    if (this.#timer !== undefined) this.env.timers.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  close(): void {
    this.stop();
    this.#protection.wipe();
    this.#sockets?.rtp.close();
    this.#sockets?.rtcp.close();
    this.#sockets = undefined;
  }

  /** What was heard, at the codec's clock rate, in order of arrival. */
  recording(): Int16Array {
    const all = new Int16Array(this.#heardSamples);
    let at = 0;
    for (const block of this.#heard) {
      all.set(block, at);
      at += block.length;
    }
    return all;
  }

  /** Forgets what was heard so far. */
  clearRecording(): void {
    this.#heard = [];
    this.#heardSamples = 0;
  }

  /** Sends `packet` as it is; for misbehaviour. */
  sendRaw(packet: Uint8Array): void {
    if (this.#remote) this.#sockets?.rtp.send(packet, this.#remote.port, this.#remote.address);
  }

  /** Sends a digit (0-9, *, #, A-D) in place of the next frames of audio. */
  dial(digit: string): void {
    this.#events.push(...eventPayloads(digit));
    this.#eventTimestamp = this.#timestamp;
  }

  /** Speaks as `pitchAt` says from the next frame on; undefined: the tone of the options again. */
  speak(pitchAt: PitchAt | undefined): void {
    this.#voice = pitchAt && { pitchAt, begun: this.#frame };
  }

  #sendFrame(): void {
    const { codec, onWire } = this.options;
    const voice = this.#voice;
    const toneHz = voice
      ? voice.pitchAt((this.#frame - voice.begun) * FRAME_MS)
      : this.options.toneHz;
    const event = this.eventType === undefined ? undefined : this.#events.shift();
    const packet = this.#protection.protect(
      buildRtp({
        payloadType: (event && this.eventType) ?? this.payloadType,
        sequenceNumber: this.#index & 0xffff,
        timestamp: (event ? this.#eventTimestamp : this.#timestamp) >>> 0,
        ssrc: this.ssrc,
        marker: this.#frame === 0,
        payload: event ?? codec.encode(this.#frame, toneHz),
      }),
      this.#index,
    );
    this.#index += 1;
    this.#frame += 1;
    this.#timestamp += (codec.clockRate * FRAME_MS) / 1000;
    if (!this.#remote || packet === null) return;
    for (const wire of onWire ? onWire(packet) : [packet]) this.sendRaw(wire);
    this.counters.sent += 1;
    if (this.counters.sent % FRAMES_PER_REPORT === 1) this.#sendReport();
  }

  #sendReport(): void {
    if (!this.#remote) return;
    const report = buildCompound(
      buildSr(this.ssrc, {
        ...ntpTime(this.env.clock.now()),
        rtpTimestamp: this.#timestamp >>> 0,
        packetCount: this.counters.sent,
        octetCount: 0,
      }),
      buildSdes(this.ssrc, 'sim'),
    );
    const packet = this.#protection.protectRtcp(report);
    if (packet === null) return;
    this.#sockets?.rtcp.send(packet, this.#remote.rtcpPort, this.#remote.address);
  }

  #onRtp(bytes: Uint8Array): void {
    const opened = this.#protection.unprotect(bytes);
    if (!opened.ok) {
      if (opened.reason === 'auth') this.counters.authFailures += 1;
      else this.counters.dropped += 1;
      return;
    }
    const rtp = parseRtp(opened.packet);
    if (rtp && rtp.payloadType === this.eventType) {
      this.#onEvent(rtp.timestamp, rtp.payload);
      return;
    }
    if (rtp?.payloadType !== this.payloadType) {
      this.counters.dropped += 1;
      return;
    }
    this.counters.received += 1;
    this.lastHeardAt = this.env.clock.now();
    this.firstHeardAt ??= this.lastHeardAt;
    if (!this.options.codec.isOurs(rtp.payload)) {
      this.counters.foreign += 1;
      this.foreignPayload ??= toHex(rtp.payload);
    }
    const samples = this.options.codec.decode(rtp.payload);
    if (this.#heardSamples < MAX_RECORDING_S * this.options.codec.clockRate) {
      this.#heard.push(samples);
      this.#heardSamples += samples.length;
    }
  }

  #onEvent(timestamp: number, payload: Uint8Array): void {
    const digit = endedDigit(payload);
    if (digit === undefined || timestamp === this.#lastEventAt) return;
    this.#lastEventAt = timestamp;
    this.digits += digit;
  }

  #onRtcp(bytes: Uint8Array): void {
    if (this.#protection.unprotectRtcp(bytes).ok) this.counters.rtcpReceived += 1;
    else this.counters.rtcpAuthFailures += 1;
  }
}

function bind(address: string, port: number): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', (cause) => {
      socket.close();
      reject(
        new SegyError('SEGY_E_MEDIA_PORTS', `cannot bind a media port on ${address}`, { cause }),
      );
    });
    socket.bind(port, address, () => {
      socket.removeAllListeners('error');
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}
