/**
 * Values of fields: texts, numbers and lists, from octets and back. A reader gives null where the
 * octets are not of its form.
 */
import { SegyError } from '../base/errors.js';
import { concatBytes, uintToBytes, utf8 } from '../base/bytes.js';
import { readUint16, readUint32 } from '../srtp/index.js';
import type { FloorCodecSettings } from './code-points.js';
import type { RejectCause, TrackInfo } from './message.js';

const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const LENIENT_UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Identities and the like: UTF-8 without control characters, because they go into events and logs. */
export function readText(value: Uint8Array, settings: FloorCodecSettings): string | null {
  let end = value.length;
  while (settings.tolerances.trailingZeros && end > 0 && value[end - 1] === 0) end--;
  try {
    const text = STRICT_UTF8.decode(value.subarray(0, end));
    return /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** Text for people: what cannot be shown is replaced, so that a bad phrase costs no refusal. */
function readPhrase(value: Uint8Array): string {
  return LENIENT_UTF8.decode(value)
    .replace(/\0+$/, '')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
}

export function readNumber(value: Uint8Array): number | null {
  return value.length === 2 ? readUint16(value, 0) : null;
}

export function writeNumber(value: number): Uint8Array {
  return uintToBytes(value, 2);
}

/** A number in the first octet, the second spare. */
export function readOctet(value: Uint8Array): number | null {
  return value.length === 2 ? (value[0] ?? 0) : null;
}

export function writeOctet(value: number): Uint8Array {
  return concatBytes(uintToBytes(value, 1), Uint8Array.of(0));
}

/** An SSRC and two spare octets. */
export function readSsrc(value: Uint8Array): number | null {
  return value.length === 6 || value.length === 4 ? readUint32(value, 0) : null;
}

export function writeSsrc(ssrc: number): Uint8Array {
  return concatBytes(uintToBytes(ssrc, 4), Uint8Array.of(0, 0));
}

/** The number of spare octets follows from the length, so that both habits are read. */
export function readSsrcList(value: Uint8Array, settings: FloorCodecSettings): number[] | null {
  const count = value[0] ?? 0;
  const spare = value.length - 1 - 4 * count;
  if (count > settings.limits.fields || spare < 0 || spare > 2) return null;
  return Array.from({ length: count }, (_, i) => readUint32(value, 1 + spare + 4 * i));
}

export function writeSsrcList(ssrcs: readonly number[], settings: FloorCodecSettings): Uint8Array {
  return concatBytes(
    uintToBytes(ssrcs.length, 1),
    new Uint8Array(settings.codePoints.ssrcListSpare),
    ...ssrcs.map((ssrc) => uintToBytes(ssrc, 4)),
  );
}

/** A count, then texts with a length of one octet each. */
export function readTextList(value: Uint8Array, settings: FloorCodecSettings): string[] | null {
  const count = value[0] ?? 0;
  if (count > settings.limits.fields) return null;
  const texts: string[] = [];
  let at = 1;
  for (let i = 0; i < count; i++) {
    if (at >= value.length) return null;
    const end = at + 1 + (value[at] ?? 0);
    if (end > value.length) return null;
    const text = readText(value.subarray(at + 1, end), settings);
    if (text === null) return null;
    texts.push(text);
    at = end;
  }
  return at === value.length || settings.tolerances.trailingZeros ? texts : null;
}

export function writeTextList(texts: readonly string[]): Uint8Array {
  const items = texts.map((text) => {
    const octets = writeText(text);
    return concatBytes(uintToBytes(octets.length, 1), octets);
  });
  return concatBytes(uintToBytes(texts.length, 1), ...items);
}

export function readRejectCause(value: Uint8Array): RejectCause | null {
  if (value.length < 2) return null;
  const cause = readUint16(value, 0);
  return value.length === 2 ? { cause } : { cause, phrase: readPhrase(value.subarray(2)) };
}

export function writeRejectCause(reject: RejectCause): Uint8Array {
  return concatBytes(uintToBytes(reject.cause, 2), utf8(reject.phrase ?? ''));
}

/** Capability, length and text of the participant type up to a word, then references of four octets. */
export function readTrackInfo(value: Uint8Array, settings: FloorCodecSettings): TrackInfo | null {
  const textEnd = 2 + (value[1] ?? 0);
  if (value.length < 2 || textEnd > value.length) return null;
  const participantType = readText(value.subarray(2, textEnd), settings);
  const listAt = 2 + Math.ceil((textEnd - 2) / 4) * 4;
  const octets = Math.max(0, value.length - listAt);
  if (participantType === null || octets % 4 !== 0 || octets / 4 > settings.limits.fields) {
    return null;
  }
  return {
    queueingCapability: value[0] ?? 0,
    participantType,
    references: Array.from({ length: octets / 4 }, (_, i) => readUint32(value, listAt + 4 * i)),
  };
}

export function writeTrackInfo(info: TrackInfo): Uint8Array {
  const text = utf8(info.participantType);
  const padding = new Uint8Array(-text.length & 3);
  const head = concatBytes(uintToBytes(info.queueingCapability, 1), uintToBytes(text.length, 1));
  return concatBytes(head, text, padding, ...info.references.map((r) => uintToBytes(r, 4)));
}

/** @throws SegyError SEGY_E_ARGUMENT for a text that a reader would refuse */
export function writeText(text: string): Uint8Array {
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) {
    throw new SegyError('SEGY_E_ARGUMENT', 'a text of a floor message holds a control character');
  }
  return utf8(text);
}
