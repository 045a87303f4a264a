/**
 * A session description as it came, read into the model of sdp-model.ts. Attributes are taken from a
 * closed list; all others, above all addresses, ICE, keys and names, end here.
 */
import { isIP } from 'node:net';
import { SegyError } from '../../base/errors.js';
import {
  connectionOf,
  directionOf,
  parseSdp,
  rtcpOf,
  type Sdp,
  type SdpMedia,
  type SdpSection,
} from '../../sip/index.js';
import { readFloor } from './floor-sdp.js';
import type { AudioDescription, Direction, SessionModel } from './sdp-model.js';
import { isAudioProfile } from './sdp-rules.js';

/** Attributes that say what the audio is or what its preconditions are (RFC 3312). */
const KEPT = new Set([
  'rtpmap',
  'fmtp',
  'ptime',
  'maxptime',
  'silenceSupp',
  'lang',
  'curr',
  'des',
  'conf',
]);
const KEPT_BANDWIDTH = /^(?:AS|TIAS):[0-9]{1,9}$/;
/** What the MC service calls its streams (TS 24.379); free text could name a host. */
const STREAM_TITLES = new Set(['speech']);
const UNSPECIFIED = new Set(['0.0.0.0', '::']);
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Places among the m= lines; -1 for none. */
export interface PreferredLines {
  readonly audio: number;
  readonly floor: number;
}

const FIRST_LINES: PreferredLines = { audio: 0, floor: -1 };

/**
 * Reads a description.
 * @param preferred places of the lines agreed on before; others only where those are not usable
 * @throws SegyError SEGY_E_SIP_SYNTAX, SEGY_E_SIP_TOO_LARGE; SEGY_E_MEDIA for a host name as media
 *   address; SEGY_E_MIKEY_SYNTAX when a=key-mgmt holds no base64
 */
export function readSdp(body: Uint8Array, preferred: PreferredLines = FIRST_LINES): SessionModel {
  const sdp = parseSdp(body);
  const index = chooseAudio(sdp, preferred.audio);
  const media = sdp.media[index];
  const sections = media === undefined ? [sdp.session] : [media, sdp.session];
  return {
    sections: sdp.media.map(({ media: kind, protocol, formats }) => ({
      media: kind,
      profile: protocol,
      formats,
    })),
    audio: media === undefined ? null : readAudio(sdp, media, index),
    floor: readFloor(sdp, preferred.floor),
    keyMessage: readKeyMessage(sections),
    otherKeying: sections.some(
      (section) => section.hasAttribute('crypto') || section.hasAttribute('fingerprint'),
    ),
  };
}

function isAudio(media: SdpMedia | undefined): media is SdpMedia {
  return media?.media === 'audio' && isAudioProfile(media.protocol);
}

/** The audio agreed on, else the first live one, else the first one; -1 without any. */
function chooseAudio(sdp: Sdp, preferred: number): number {
  const live = (media: SdpMedia | undefined): boolean => isAudio(media) && media.port !== 0;
  if (live(sdp.media[preferred])) return preferred;
  const firstLive = sdp.media.findIndex(live);
  return firstLive >= 0 ? firstLive : sdp.media.findIndex(isAudio);
}

function readAudio(sdp: Sdp, media: SdpMedia, index: number): AudioDescription {
  const connection = connectionOf(sdp, media);
  if (connection === undefined) {
    throw new SegyError('SEGY_E_SIP_SYNTAX', 'the audio stream has no c= line');
  }
  const { address } = connection;
  if (media.port !== 0 && isIP(address) === 0) {
    throw new SegyError('SEGY_E_MEDIA', 'a media address is no IP address');
  }
  const held = UNSPECIFIED.has(address);
  const direction = directionOf(sdp, media);
  return {
    index,
    address: held ? null : address,
    port: media.port,
    rtcpPort: rtcpPortOf(media),
    profile: media.protocol,
    formats: media.formats,
    information: informationOf(media),
    bandwidths: media.lines
      .filter((line) => line.type === 'b' && KEPT_BANDWIDTH.test(line.value))
      .map((line) => line.value),
    attributes: media.lines
      .filter((line) => line.type === 'a' && KEPT.has(line.value.split(':')[0] ?? ''))
      .map((line) => line.value),
    direction: held ? withoutReceiving(direction) : direction,
  };
}

function informationOf(media: SdpMedia): string | null {
  const title = media.first('i')?.trim() ?? '';
  return STREAM_TITLES.has(title) ? title : null;
}

/**
 * We never accept a=rtcp-mux, so its offerer falls back to two ports (RFC 5761 clause 5.1.1). Some PBXs
 * name the one port in a=rtcp all the same: without the acceptance it cannot be meant.
 */
function rtcpPortOf(media: SdpMedia): number {
  const named = media.hasAttribute('rtcp') ? rtcpOf(media).port : media.port;
  return named === media.port ? media.port + 1 : named;
}

/** Hold the way of RFC 2543: an address of zeros means that nothing can be received. */
function withoutReceiving(direction: Direction): Direction {
  return direction === 'sendrecv' || direction === 'sendonly' ? 'sendonly' : 'inactive';
}

/** RFC 4567: the media level overrides the session level. */
function readKeyMessage(sections: readonly SdpSection[]): Uint8Array | null {
  for (const section of sections) {
    for (const value of section.attributes('key-mgmt')) {
      const text = /^\s*mikey\s+(\S+)\s*$/i.exec(value)?.[1];
      if (text === undefined) continue;
      if (!BASE64.test(text)) {
        throw new SegyError('SEGY_E_MIKEY_SYNTAX', 'a=key-mgmt holds no base64');
      }
      return new Uint8Array(Buffer.from(text, 'base64'));
    }
  }
  return null;
}
