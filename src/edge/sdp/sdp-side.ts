/**
 * The descriptions this gateway sends on one side of a call: same origin, growing version, m= lines
 * that keep their number and order (RFC 3264 clauses 6 and 8). One audio stream is carried, and
 * towards MC one floor line; every other stream the peer ever named stays in its place with port 0.
 * Toward a peer that named none, only these are written.
 */
import { floorLines, type FloorLine } from './floor-sdp.js';
import type { AudioDescription, SectionShape, SessionModel } from './sdp-model.js';

/** Addresses of the media session on this side, as the peer shall see them. */
export interface SideAddress {
  /** IP literal */
  readonly address: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
}

/** A key message to put into an offer. */
export interface KeyAttribute {
  readonly level: 'media' | 'session';
  readonly message: Uint8Array;
}

const OFFER_PROFILE = 'RTP/AVP';

interface Layout {
  readonly sections: readonly SectionShape[];
  readonly audioIndex: number;
  /** -1 without a floor line */
  readonly floorIndex: number;
}

const FLOOR_SECTION: SectionShape = { media: 'application', profile: 'udp', formats: ['MCPTT'] };

const AUDIO_ONLY: Layout = {
  sections: [{ media: 'audio', profile: OFFER_PROFILE, formats: ['0'] }],
  audioIndex: 0,
  floorIndex: -1,
};

export class SdpSide {
  readonly #sessionId: string;
  readonly #at: SideAddress;
  #version = 0;
  #lastBody: string | null = null;
  #layout: Layout = AUDIO_ONLY;
  #asked: Layout | null = null;
  /** lines of our last offer, which stay once it is answered */
  #offered: Layout | null = null;

  /** @param sessionId decimal digits for o=, random and without meaning */
  constructor(sessionId: string, at: SideAddress) {
    this.#sessionId = sessionId;
    this.#at = at;
  }

  /** A copy for one early dialog: from here on its versions and lines go their own way. */
  fork(): SdpSide {
    const copy = new SdpSide(this.#sessionId, this.#at);
    copy.#version = this.#version;
    copy.#lastBody = this.#lastBody;
    copy.#layout = this.#layout;
    copy.#asked = this.#asked;
    copy.#offered = this.#offered;
    return copy;
  }

  /** Places of our lines in what was last agreed on this side. */
  get places(): { readonly audio: number; readonly floor: number } {
    const { audioIndex, floorIndex } = this.#offered ?? this.#layout;
    return { audio: audioIndex, floor: floorIndex };
  }

  /** Notes an offer that the peer of this side made; `answer` will mirror its lines. */
  offered(model: SessionModel): void {
    const audioIndex = model.audio?.index ?? -1;
    this.#offered = null;
    this.#asked = { sections: model.sections, audioIndex, floorIndex: model.floor?.index ?? -1 };
  }

  /**
   * Our offer to this side: the lines agreed on so far, the audio as `audio` describes it.
   * @param floor null declines the floor line, or leaves it out where there is none yet
   */
  offer(audio: AudioDescription, key: KeyAttribute | null, floor: FloorLine | null = null): string {
    const layout = this.#layout;
    const offered =
      floor === null || layout.floorIndex >= 0
        ? layout
        : {
            ...layout,
            sections: [...layout.sections, FLOOR_SECTION],
            floorIndex: layout.sections.length,
          };
    this.#offered = offered;
    return this.#write(offered, { audio, floor }, OFFER_PROFILE, key);
  }

  /** Our last offer was answered: its lines are there to stay. */
  answered(): void {
    this.#layout = this.#offered ?? this.#layout;
  }

  /**
   * Our answer to the last offer of this side, with its lines in its order.
   * @param audio the other side's answer; null declines the audio too
   * @param floor null declines the floor line
   */
  answer(audio: AudioDescription | null, floor: FloorLine | null = null): string {
    const layout = this.#asked ?? this.#layout;
    const audioIndex = layout.audioIndex < 0 ? this.#layout.audioIndex : layout.audioIndex;
    this.#layout = { ...layout, audioIndex };
    const profile = layout.sections[layout.audioIndex]?.profile ?? OFFER_PROFILE;
    return this.#write(layout, { audio, floor }, profile, null);
  }

  /** A description that offers nothing: capabilities in OPTIONS, 488 and the like, all ports 0. */
  capabilities(model: SessionModel): string {
    const sections = model.sections.map((shape) => declined(shape)).flat();
    const body = sessionLines(this.#at.address, null, sections);
    return withOrigin(this.#sessionId, 0, this.#at.address, body);
  }

  #write(
    layout: Layout,
    { audio, floor }: { audio: AudioDescription | null; floor: FloorLine | null },
    profile: string,
    key: KeyAttribute | null,
  ): string {
    const mediaKey = key?.level === 'media' ? key : null;
    const lines = layout.sections.flatMap((shape, index) => {
      if (index === layout.audioIndex && audio !== null) {
        return this.#audioLines(audio, profile, mediaKey);
      }
      return index === layout.floorIndex && floor !== null ? floorLines(floor) : declined(shape);
    });
    const body = sessionLines(this.#at.address, key?.level === 'session' ? key : null, lines);
    if (body !== this.#lastBody) {
      this.#version += 1;
      this.#lastBody = body;
    }
    return withOrigin(this.#sessionId, this.#version, this.#at.address, body);
  }

  #audioLines(audio: AudioDescription, profile: string, key: KeyAttribute | null): string[] {
    const port = audio.port === 0 ? 0 : this.#at.rtpPort;
    const lines = [`m=audio ${port} ${profile} ${audio.formats.join(' ')}`];
    if (port === 0) return lines;
    if (audio.information !== null) lines.push(`i=${audio.information}`);
    for (const bandwidth of audio.bandwidths) lines.push(`b=${bandwidth}`);
    for (const attribute of audio.attributes) lines.push(`a=${attribute}`);
    if (this.#at.rtcpPort !== this.#at.rtpPort + 1) lines.push(`a=rtcp:${this.#at.rtcpPort}`);
    lines.push(`a=${audio.direction}`);
    if (key !== null) lines.push(keyLine(key));
    return lines;
  }
}

function declined(shape: SectionShape): string[] {
  return [`m=${shape.media} 0 ${shape.profile} ${shape.formats.join(' ')}`];
}

function keyLine(key: KeyAttribute): string {
  return `a=key-mgmt:mikey ${Buffer.from(key.message).toString('base64')}`;
}

function family(address: string): string {
  return address.includes(':') ? 'IP6' : 'IP4';
}

/** Everything after o=, whose version depends on whether this changed. */
function sessionLines(
  address: string,
  key: KeyAttribute | null,
  sections: readonly string[],
): string {
  const lines = ['s=-', `c=IN ${family(address)} ${address}`, 't=0 0'];
  if (key !== null) lines.push(keyLine(key));
  return [...lines, ...sections].join('\r\n') + '\r\n';
}

function withOrigin(id: string, version: number, address: string, body: string): string {
  return `v=0\r\no=- ${id} ${version} IN ${family(address)} ${address}\r\n${body}`;
}
