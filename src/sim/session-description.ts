/** The SDP of a simulated party: one audio stream, written and read. */
import { SegyError } from '../base/errors.js';
import { connectionOf, directionOf, parseSdp, rtcpOf } from '../sip/index.js';
import type { Sdp, SdpDirection, SdpMedia } from '../sip/index.js';
import type { SimCodec } from './codec.js';
import { TELEPHONE_EVENT_RATE } from './telephone-event.js';

export const SDP_TYPE = 'application/sdp';

/** The floor control line of a description. */
export interface FloorSection {
  readonly address: string;
  /** 0: declined */
  readonly port: number;
  /** parameters behind `a=fmtp:MCPTT`, such as `mc_queueing` or `mc_priority=5` */
  readonly parameters: readonly string[];
}

export interface AudioSection {
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  readonly direction: SdpDirection;
  /** RTP payload type of the codec in this description */
  readonly payloadType: number;
  /** RTP payload type of telephone-events at 8 kHz; absent where there are none */
  readonly eventType?: number;
  /** value of `a=key-mgmt`, of the stream or of the session */
  readonly keyMgmt?: string;
  /** absent where there is no floor line */
  readonly floor?: FloorSection;
}

export interface DescriptionOptions {
  readonly codec: SimCodec;
  /** decimal digits for o= */
  readonly sessionId: string;
  readonly version: number;
}

/** A description with one audio stream, marked as speech the way an MC client does it. */
export function writeSdp(audio: AudioSection, options: DescriptionOptions): string {
  const { codec } = options;
  const family = audio.address.includes(':') ? 'IP6' : 'IP4';
  const type = audio.payloadType;
  const events = audio.eventType;
  return [
    'v=0',
    `o=- ${options.sessionId} ${options.version} IN ${family} ${audio.address}`,
    's=-',
    `c=IN ${family} ${audio.address}`,
    't=0 0',
    `m=audio ${audio.port} RTP/AVP ${[type, ...(events === undefined ? [] : [events])].join(' ')}`,
    'i=speech',
    `a=rtpmap:${type} ${codec.name}/${codec.clockRate}`,
    ...(codec.formatParameters === undefined ? [] : [`a=fmtp:${type} ${codec.formatParameters}`]),
    ...(events === undefined
      ? []
      : [`a=rtpmap:${events} telephone-event/${TELEPHONE_EVENT_RATE}`, `a=fmtp:${events} 0-15`]),
    'a=ptime:20',
    ...(audio.rtcpPort === audio.port + 1 ? [] : [`a=rtcp:${audio.rtcpPort}`]),
    `a=${audio.direction}`,
    ...(audio.keyMgmt === undefined ? [] : [`a=key-mgmt:${audio.keyMgmt}`]),
    ...(audio.floor === undefined ? [] : floorLines(audio.floor)),
    '',
  ].join('\r\n');
}

function floorLines({ port, parameters }: FloorSection): string[] {
  const line = `m=application ${port} udp MCPTT`;
  return parameters.length === 0 ? [line] : [line, `a=fmtp:MCPTT ${parameters.join(';')}`];
}

function readFloor(sdp: Sdp): FloorSection | undefined {
  const media = sdp.media.find((section) => section.media === 'application');
  if (!media) return undefined;
  return {
    address: connectionOf(sdp, media)?.address ?? '',
    port: media.port,
    parameters: (/^MCPTT (.*)$/.exec(media.attribute('fmtp') ?? '')?.[1] ?? '')
      .split(';')
      .filter((word) => word !== ''),
  };
}

/**
 * The first audio stream of a description, and its floor line.
 * @throws SegyError SEGY_E_SIP_SYNTAX when it is malformed, SEGY_E_MEDIA when it holds no audio with `codec`
 */
export function readSdp(bytes: Uint8Array, codec: SimCodec): AudioSection {
  const sdp = parseSdp(bytes);
  const media = sdp.media.find((section) => section.media === 'audio');
  const connection = media && connectionOf(sdp, media);
  if (!media || !connection || media.port === 0) {
    throw new SegyError('SEGY_E_MEDIA', 'the description holds no audio');
  }
  const format = media.formats.find((type) => isCodec(media, type, codec));
  if (format === undefined) {
    throw new SegyError('SEGY_E_MEDIA', `the description does not hold ${codec.name}`);
  }
  const events = media.formats.find((type) => isEvents(media, type));
  const floor = readFloor(sdp);
  const keyMgmt = media.attribute('key-mgmt') ?? sdp.session.attribute('key-mgmt');
  return {
    address: connection.address,
    port: media.port,
    rtcpPort: rtcpOf(media).port,
    payloadType: Number(format),
    direction: directionOf(sdp, media),
    ...(events === undefined ? {} : { eventType: Number(events) }),
    ...(keyMgmt === undefined ? {} : { keyMgmt }),
    ...(floor === undefined ? {} : { floor }),
  };
}

/** What `a=rtpmap` says of payload type `type`, in upper case. */
function encodingOf(media: SdpMedia, type: string): string | undefined {
  const maps = media.attributes('rtpmap').map((value) => value.split(' '));
  return maps.find(([mapped]) => mapped === type)?.[1]?.toUpperCase();
}

function isEvents(media: SdpMedia, type: string): boolean {
  return encodingOf(media, type) === `TELEPHONE-EVENT/${TELEPHONE_EVENT_RATE}`;
}

/** Does payload type `type` stand for `codec`, by its rtpmap or, without one, by RFC 3551? */
function isCodec(media: SdpMedia, type: string, codec: SimCodec): boolean {
  const encoding = encodingOf(media, type);
  if (encoding === undefined) return type === String(codec.payloadType) && codec.payloadType < 96;
  return encoding.startsWith(`${codec.name}/${codec.clockRate}`);
}
