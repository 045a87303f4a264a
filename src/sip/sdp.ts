/**
 * SDP (RFC 4566, RFC 8866) as lines in their order, for reading: nothing of what comes is sent on as it
 * came.
 */
import { DEFAULT_SDP_LIMITS, type SdpLimits } from './limits.js';
import { decodeText, encodeText, isToken, parseUint, syntaxError, tooLarge } from './text.js';

export interface SdpLine {
  /** the letter before `=` */
  type: string;
  value: string;
}

/** The session part, or one media section without its m= line. */
export class SdpSection {
  constructor(readonly lines: SdpLine[] = []) {}

  /** Value of the first line of this type. */
  first(type: string): string | undefined {
    return this.lines.find((line) => line.type === type)?.value;
  }

  /** Values of the attributes of this name, '' for a property attribute (`a=recvonly`). */
  attributes(name: string): string[] {
    return this.lines.filter((line) => isAttribute(line, name)).map(attributeValue);
  }

  attribute(name: string): string | undefined {
    return this.attributes(name)[0];
  }

  hasAttribute(name: string): boolean {
    return this.lines.some((line) => isAttribute(line, name));
  }
}

function isAttribute(line: SdpLine, name: string): boolean {
  if (line.type !== 'a') return false;
  return line.value === name || line.value.startsWith(`${name}:`);
}

function attributeValue(line: SdpLine): string {
  const colon = line.value.indexOf(':');
  return colon < 0 ? '' : line.value.slice(colon + 1);
}

/** One media section: the m= line in parts, and the lines below it. */
export class SdpMedia extends SdpSection {
  constructor(
    /** audio, video, application, … */
    public media: string,
    /** 0 is a rejected or unused section */
    public port: number,
    /** such as RTP/AVP or udp */
    public protocol: string,
    /** payload types or format names, in order */
    public formats: string[],
    lines: SdpLine[] = [],
    /** behind the slash of the port; absent for one */
    public portCount?: number,
  ) {
    super(lines);
  }
}

export interface Sdp {
  session: SdpSection;
  media: SdpMedia[];
}

/**
 * Lines end in CRLF or LF. v=0 comes first; o=, s= and t= must be there; ports and the c= line are
 * checked.
 * @throws SegyError SEGY_E_SIP_SYNTAX, SEGY_E_SIP_TOO_LARGE
 */
export function parseSdp(bytes: Uint8Array | string, limits: SdpLimits = DEFAULT_SDP_LIMITS): Sdp {
  const octets = typeof bytes === 'string' ? encodeText(bytes) : bytes;
  if (octets.length > limits.octets) throw tooLarge('the SDP is too large');
  const texts = decodeText(octets).split(/\r?\n/);
  while (texts.at(-1) === '') texts.pop();
  if (texts.length > limits.lines) throw tooLarge('the SDP has too many lines');
  const sdp: Sdp = { session: new SdpSection(), media: [] };
  for (const text of texts) readLine(sdp, text, limits);
  const { session } = sdp;
  if (session.lines[0]?.type !== 'v' || session.lines[0].value !== '0') {
    throw syntaxError('the SDP does not begin with v=0');
  }
  if (!['o', 's', 't'].every((type) => session.first(type) !== undefined)) {
    throw syntaxError('the SDP lacks o=, s= or t=');
  }
  parseOrigin(session.first('o') ?? '');
  return sdp;
}

function readLine(sdp: Sdp, text: string, limits: SdpLimits): void {
  if (text.length > limits.lineOctets) throw tooLarge('an SDP line is too large');
  const type = text.charAt(0);
  if (!/^[a-z]$/.test(type) || text.charAt(1) !== '=' || /[\r\0]/.test(text)) {
    throw syntaxError('an SDP line is malformed');
  }
  const value = text.slice(2);
  if (type === 'm') {
    if (sdp.media.length >= limits.media) throw tooLarge('the SDP has too many media sections');
    sdp.media.push(parseMediaLine(value));
    return;
  }
  if (type === 'c') parseConnection(value);
  (sdp.media.at(-1) ?? sdp.session).lines.push({ type, value });
}

function parseMediaLine(value: string): SdpMedia {
  const [media = '', port = '', protocol = '', ...formats] = value.trim().split(/ +/);
  const [number = '', count, ...more] = port.split('/');
  const bad = more.length > 0 || formats.length === 0 || !protocol.split('/').every(isToken);
  if (bad || !isToken(media)) throw syntaxError('an m= line is malformed');
  const at = parseUint(number, 65_535, 'a media port');
  if (count === undefined) return new SdpMedia(media, at, protocol, formats);
  return new SdpMedia(media, at, protocol, formats, [], parseUint(count, 65_535, 'a port count'));
}

export interface SdpConnection {
  family: 4 | 6;
  /** address or name, without TTL and count */
  address: string;
}

/** A c= value (RFC 4566 clause 5.7). @throws SegyError SEGY_E_SIP_SYNTAX */
export function parseConnection(value: string): SdpConnection {
  const match = /^IN IP([46]) ([^\s/]+)(?:\/[0-9/]+)?$/.exec(value.trim());
  if (match?.[2] === undefined) throw syntaxError('a c= line is malformed');
  return { family: match[1] === '6' ? 6 : 4, address: match[2] };
}

export interface SdpOrigin {
  user: string;
  sessionId: string;
  version: string;
  family: 4 | 6;
  address: string;
}

/** An o= value (RFC 4566 clause 5.2); the numbers stay text, they may exceed 53 bits. @throws SegyError SEGY_E_SIP_SYNTAX */
export function parseOrigin(value: string): SdpOrigin {
  const match = /^(\S+) ([0-9]+) ([0-9]+) IN IP([46]) (\S+)$/.exec(value.trim());
  const [, user = '', sessionId = '', version = '', family, address = ''] = match ?? [];
  if (match === null) throw syntaxError('an o= line is malformed');
  return { user, sessionId, version, family: family === '6' ? 6 : 4, address };
}
