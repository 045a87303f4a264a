/** What a description says of one media section: its address, where its RTCP goes, its direction. */
import { parseConnection, type Sdp, type SdpConnection, type SdpMedia } from './sdp.js';

export type SdpDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

const DIRECTIONS: readonly SdpDirection[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

/** The connection that holds for a media section: its own c= line, else the session's. */
export function connectionOf(sdp: Sdp, media?: SdpMedia): SdpConnection | undefined {
  const value = media?.first('c') ?? sdp.session.first('c');
  return value === undefined ? undefined : parseConnection(value);
}

/**
 * Where RTCP goes: a=rtcp (RFC 3605), the RTP port with a=rtcp-mux, else the next port; no address
 * unless a=rtcp names one.
 */
export function rtcpOf(media: SdpMedia): { port: number; address?: string } {
  const match = /^([0-9]{1,5})(?: IN IP[46] (\S+))?$/.exec(media.attribute('rtcp') ?? '');
  if (match !== null) {
    const port = Number(match[1]);
    if (port <= 65_535) return match[2] === undefined ? { port } : { port, address: match[2] };
  }
  return { port: media.hasAttribute('rtcp-mux') ? media.port : media.port + 1 };
}

/** The direction that holds for a media section: its own, else the session's, else sendrecv. */
export function directionOf(sdp: Sdp, media: SdpMedia): SdpDirection {
  const own = DIRECTIONS.find((name) => media.hasAttribute(name));
  return own ?? DIRECTIONS.find((name) => sdp.session.hasAttribute(name)) ?? 'sendrecv';
}

/** The direction as the other side sees it, for an answer. */
export function reverseDirection(direction: SdpDirection): SdpDirection {
  if (direction === 'sendonly') return 'recvonly';
  return direction === 'recvonly' ? 'sendonly' : direction;
}
