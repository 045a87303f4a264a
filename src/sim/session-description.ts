/** The SDP of a simulated party: one audio stream, written and read. */
import { SegyError } from '../base/errors.js';
import { connectionOf, directionOf, parseSdp, rtcpOf } from '../sip/index.js';
import type { SdpDirection, SdpMedia } from '../sip/index.js';
import type { SimCodec } from './codec.js';

export const SDP_TYPE = 'application/sdp';

export interface AudioSection {
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  readonly direction: SdpDirection;
  /** RTP payload type of the codec in this description */
  readonly payloadType: number;
  /** value of `a=key-mgmt`, of the stream or of the session */
  readonly keyMgmt?: string;
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
  return [
    'v=0',
    `o=- ${options.sessionId} ${options.version} IN ${family} ${audio.address}`,
    's=-',
    `c=IN ${family} ${audio.address}`,
    't=0 0',
    `m=audio ${audio.port} RTP/AVP ${type}`,
    'i=speech',
    `a=rtpmap:${type} ${codec.name}/${codec.clockRate}`,
    ...(codec.formatParameters === undefined ? [] : [`a=fmtp:${type} ${codec.formatParameters}`]),
    'a=ptime:20',
    ...(audio.rtcpPort === audio.port + 1 ? [] : [`a=rtcp:${audio.rtcpPort}`]),
    `a=${audio.direction}`,
    ...(audio.keyMgmt === undefined ? [] : [`a=key-mgmt:${audio.keyMgmt}`]),
    '',
  ].join('\r\n');
}

/**
 * The first audio stream of a description.
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
  const keyMgmt = media.attribute('key-mgmt') ?? sdp.session.attribute('key-mgmt');
  return {
    address: connection.address,
    port: media.port,
    rtcpPort: rtcpOf(media).port,
    payloadType: Number(format),
    direction: directionOf(sdp, media),
    ...(keyMgmt === undefined ? {} : { keyMgmt }),
  };
}

/** Does payload type `type` stand for `codec`, by its rtpmap or, without one, by RFC 3551? */
function isCodec(media: SdpMedia, type: string, codec: SimCodec): boolean {
  const maps = media.attributes('rtpmap').map((value) => value.split(' '));
  const map = maps.find(([mapped]) => mapped === type)?.[1];
  if (map === undefined) return type === String(codec.payloadType) && codec.payloadType < 96;
  return map.toUpperCase().startsWith(`${codec.name}/${codec.clockRate}`);
}
