/** Changes an offer/answer middle box makes to a description: addresses, ports, origin, direction. */
import { isIPv6 } from 'node:net';
import {
  parseConnection,
  parseOrigin,
  type Sdp,
  type SdpConnection,
  type SdpMedia,
  type SdpOrigin,
  type SdpSection,
} from './sdp.js';

export type SdpDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

const DIRECTIONS: readonly SdpDirection[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

/** The connection that holds for a media section: its own c= line, else the session's. */
export function connectionOf(sdp: Sdp, media?: SdpMedia): SdpConnection | undefined {
  const value = media?.first('c') ?? sdp.session.first('c');
  return value === undefined ? undefined : parseConnection(value);
}

/** Sets the c= line of a section; the family follows from the address. */
export function setConnection(section: SdpSection, address: string): void {
  section.set('c', `IN ${familyOf(address)} ${address}`);
}

/** Gives the session this address and takes every c= line out of the media sections. */
export function setEveryConnection(sdp: Sdp, address: string): void {
  setConnection(sdp.session, address);
  for (const media of sdp.media) media.removeLines((line) => line.type === 'c');
}

export function originOf(sdp: Sdp): SdpOrigin {
  return parseOrigin(sdp.session.first('o') ?? '');
}

/** Changes the given parts of the o= line; the family follows from the address. */
export function setOrigin(sdp: Sdp, change: Partial<Omit<SdpOrigin, 'family'>>): void {
  const { user, sessionId, version, address } = { ...originOf(sdp), ...change };
  sdp.session.set('o', `${user} ${sessionId} ${version} IN ${familyOf(address)} ${address}`);
}

function familyOf(address: string): 'IP4' | 'IP6' {
  return isIPv6(address) ? 'IP6' : 'IP4';
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

export function setDirection(media: SdpMedia, direction: SdpDirection): void {
  media.removeAttributes(...DIRECTIONS);
  media.addAttribute(direction);
}

/** The direction as the other side sees it, for an answer. */
export function reverseDirection(direction: SdpDirection): SdpDirection {
  if (direction === 'sendonly') return 'recvonly';
  return direction === 'recvonly' ? 'sendonly' : direction;
}
