/** What the RTP payload types of audio descriptions stand for, from their attributes (RFC 8866). */
import type { FloorKeying } from '../../media/index.js';
import type { AudioDescription } from './sdp-model.js';

const RTPMAP = /^rtpmap:([0-9]{1,3}) ([^/\s]{1,32})\//;
const OCTET_ALIGNED = /^fmtp:([0-9]{1,3}) (?:.*;)?\s*octet-align=1(?:;|\s|$)/;

/** The types that are named, and the static ones of G.711. */
export function codecsOf(audio: readonly AudioDescription[]): FloorKeying['codecs'] {
  const attributes = audio.flatMap((description) => description.attributes);
  const typesOf = (pattern: RegExp): RegExpExecArray[] =>
    attributes.map((attribute) => pattern.exec(attribute)).filter((match) => match !== null);
  const aligned = new Set(typesOf(OCTET_ALIGNED).map(([, type]) => type));
  const codecs: Record<number, { name: string; octetAligned: boolean }> = {
    0: { name: 'PCMU', octetAligned: false },
    8: { name: 'PCMA', octetAligned: false },
  };
  for (const [, type = '', name = ''] of typesOf(RTPMAP)) {
    codecs[Number(type)] = { name, octetAligned: aligned.has(type) };
  }
  return codecs;
}
