/**
 * The media side of a simulated party's call: one audio stream, offered and answered in SDP
 * (RFC 3264), with or without a key exchange beside it.
 */
import type { Environment } from '../base/environment.js';
import { reverseDirection } from '../sip/index.js';
import type { SdpDirection } from '../sip/index.js';
import { AudioStream } from './audio.js';
import type { AudioOptions } from './audio.js';
import type { CallMedia, SipBody } from './call-media.js';
import type { Protection } from './protection.js';
import { readSdp, SDP_TYPE, writeSdp } from './session-description.js';
import type { AudioSection, FloorSection } from './session-description.js';

/** How the keys of a call come about; absent for clear media. */
export interface KeyExchange {
  /** value of `a=key-mgmt` for our offer; undefined for none */
  offer(): Promise<string | undefined>;
  /**
   * Takes the key that came with the peer's offer.
   * @throws SegyError when it is refused
   */
  take(keyMgmt: string | undefined): Promise<void>;
  /** the protection agreed on, one object for the whole call; undefined for clear media */
  protection(ssrc: number): Protection | undefined;
  wipe(): void;
}

/** The floor control of a call; absent where the party declines it. */
export interface FloorControl {
  /** our line in an offer */
  offer(): Promise<FloorSection>;
  /** our line in the answer to an offer with one */
  answer(offered: FloorSection): Promise<FloorSection>;
  /** what the peer answered to our line; undefined when it declined it */
  take(answered: FloorSection | undefined): void;
  /** the call is up */
  start(): void;
  close(): void;
}

export interface PartyMediaOptions {
  readonly audio: AudioOptions;
  /** address and ports to name in SDP instead of the sockets' own, where a relay stands between */
  readonly advertise?: (port: number) => Promise<{ address: string; port: number }>;
  /** where audio really goes, where a relay stands between */
  readonly route?: (remote: { address: string; port: number }) => { address: string; port: number };
  readonly keys?: KeyExchange;
  readonly floor?: FloorControl;
  /** adds further parts to the SDP of an offer */
  readonly wrapOffer?: (sdp: string) => SipBody;
  /** finds the SDP in a received body */
  readonly unwrap?: (body: SipBody) => Uint8Array;
}

export class PartyMedia implements CallMedia {
  readonly stream: AudioStream;
  /** direction that our next offer asks for; `sendonly` or `inactive` puts the peer on hold */
  direction: SdpDirection = 'sendrecv';
  /** the peer's latest description */
  remote: AudioSection | undefined;
  readonly #options: PartyMediaOptions;
  readonly #sessionId: string;
  #version = 0;
  #advertised: { address: string; port: number } | undefined;
  /** direction agreed on, from our side */
  #agreed: SdpDirection = 'sendrecv';
  #started = false;

  constructor(options: PartyMediaOptions, env: Environment) {
    this.#options = options;
    this.stream = new AudioStream(options.audio, env);
    this.#sessionId = String(env.clock.now() >>> 0);
  }

  async offer(): Promise<SipBody> {
    const keyMgmt = await this.#options.keys?.offer();
    // Media may come before the answer, so what the first offer's key protects is heard from here on.
    if (this.remote === undefined) this.#protect();
    const floor = await this.#options.floor?.offer();
    const sdp = this.#describe(await this.#local(), this.direction, keyMgmt, floor);
    return this.#options.wrapOffer?.(sdp) ?? sdpBody(sdp);
  }

  async answer(offer: SipBody): Promise<SipBody> {
    const remote = this.#read(offer);
    await this.#options.keys?.take(remote.keyMgmt);
    const local = await this.#local();
    const direction = reverseDirection(remote.direction);
    this.#agree(remote, direction);
    return sdpBody(this.#describe(local, direction, undefined, await this.#answerFloor(remote)));
  }

  takeAnswer(answer: SipBody): Promise<void> {
    const remote = this.#read(answer);
    this.#agree(remote, reverseDirection(remote.direction));
    const { floor } = remote;
    this.#options.floor?.take(floor === undefined || floor.port === 0 ? undefined : floor);
    return Promise.resolve();
  }

  start(): void {
    this.#started = true;
    this.#options.floor?.start();
    this.#apply();
  }

  close(): void {
    this.#started = false;
    this.stream.close();
    this.#options.floor?.close();
    this.#options.keys?.wipe();
  }

  /** Our line for theirs; a line that we do not serve is declined in its place. */
  async #answerFloor({ floor }: AudioSection): Promise<FloorSection | undefined> {
    if (floor === undefined) return undefined;
    const control = floor.port === 0 ? undefined : this.#options.floor;
    return control?.answer(floor) ?? { address: floor.address, port: 0, parameters: [] };
  }

  #read(body: SipBody): AudioSection {
    return readSdp(this.#options.unwrap?.(body) ?? body.bytes, this.#options.audio.codec);
  }

  async #local(): Promise<{ address: string; port: number }> {
    if (!this.#advertised) {
      const port = await this.stream.open();
      this.#advertised = (await this.#options.advertise?.(port)) ?? {
        address: this.#options.audio.address,
        port,
      };
    }
    return this.#advertised;
  }

  #describe(
    local: { address: string; port: number },
    direction: SdpDirection,
    keyMgmt: string | undefined,
    floor: FloorSection | undefined,
  ): string {
    this.#version += 1;
    return writeSdp(
      {
        ...local,
        rtcpPort: local.port + 1,
        payloadType: this.stream.payloadType,
        ...(this.stream.eventType === undefined ? {} : { eventType: this.stream.eventType }),
        direction,
        ...(keyMgmt === undefined ? {} : { keyMgmt }),
        ...(floor === undefined ? {} : { floor }),
      },
      {
        codec: this.#options.audio.codec,
        sessionId: this.#sessionId,
        version: this.#version,
      },
    );
  }

  #agree(remote: AudioSection, direction: SdpDirection): void {
    this.remote = remote;
    this.stream.payloadType = remote.payloadType;
    this.stream.eventType = remote.eventType;
    this.#agreed = direction;
    const { route } = this.#options;
    if (route) {
      const at = route(remote);
      this.stream.setRemote(at.address, at.port);
    } else {
      this.stream.setRemote(remote.address, remote.port, remote.rtcpPort);
    }
    this.#protect();
    if (this.#started) this.#apply();
  }

  #protect(): void {
    const protection = this.#options.keys?.protection(this.stream.ssrc);
    if (protection) this.stream.setProtection(protection);
  }

  #apply(): void {
    if (this.#agreed === 'sendrecv' || this.#agreed === 'sendonly') this.stream.start();
    else this.stream.stop();
  }
}

function sdpBody(sdp: string): SipBody {
  return { type: SDP_TYPE, bytes: new Uint8Array(Buffer.from(sdp, 'utf8')) };
}
