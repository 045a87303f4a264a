/**
 * RTCP APP packets as TS 24.380 8.1 uses them, and the fields in them. One message is one APP packet
 * with the padding bit zero; several may share a datagram, and none of the rules for RTCP compounds
 * applies. A field is an identifier, a length of one octet (two from identifier 192 on) that counts the
 * value alone, the value, and zeros up to the next word.
 */
import { SegyError } from '../base/errors.js';
import { concatBytes } from '../base/bytes.js';
import { buildApp, readUint16, readUint32 } from '../srtp/index.js';
import type { FloorCodecSettings } from './code-points.js';
import type { RawFloorField } from './message.js';

const APP = 204;
const HEADER = 12;
/** first identifier whose length takes two octets */
const LONG_LENGTH_FROM = 192;
const MAX_WORDS = 0xffff;

/** Why a message, or what is left of a datagram, was dropped. */
export type FloorReadFailure =
  | 'too-long'
  | 'too-many-messages'
  | 'truncated'
  | 'version'
  | 'padding-bit'
  | 'packet-type'
  | 'name'
  | 'message-type'
  | 'too-many-fields'
  | 'field-truncated'
  | 'field-value';

export interface AppPacket {
  /** 5 bits */
  readonly subtype: number;
  readonly ssrc: number;
  /** four octets as Latin-1 */
  readonly name: string;
  /** the fields; a view into the datagram */
  readonly data: Uint8Array;
}

function lengthAt(octets: Uint8Array, at: number): number {
  return 4 * (readUint16(octets, at + 2) + 1);
}

function headerFailure(octets: Uint8Array, at: number): FloorReadFailure | null {
  if (octets.length - at < HEADER) return 'truncated';
  const first = octets[at] ?? 0;
  if (first >>> 6 !== 2) return 'version';
  if (octets[at + 1] !== APP) return 'packet-type';
  if ((first & 0x20) !== 0) return 'padding-bit';
  const length = lengthAt(octets, at);
  return length < HEADER || at + length > octets.length ? 'truncated' : null;
}

/**
 * The APP packets of a clear datagram in their order. What does not frame ends the reading: the
 * packets before it stand, and `failure` says why the rest is dropped.
 */
export function readAppPackets(
  datagram: Uint8Array,
  settings: FloorCodecSettings,
): { readonly packets: readonly AppPacket[]; readonly failure: FloorReadFailure | null } {
  const packets: AppPacket[] = [];
  if (datagram.length > settings.limits.datagram) return { packets, failure: 'too-long' };
  if (datagram.length === 0) return { packets, failure: 'truncated' };
  let at = 0;
  while (at < datagram.length) {
    if (packets.length >= settings.limits.messages) {
      return { packets, failure: 'too-many-messages' };
    }
    const failure = headerFailure(datagram, at);
    if (failure) return { packets, failure };
    const end = at + lengthAt(datagram, at);
    packets.push({
      subtype: (datagram[at] ?? 0) & 0x1f,
      ssrc: readUint32(datagram, at + 4),
      name: String.fromCharCode(...datagram.subarray(at + 8, at + HEADER)),
      data: datagram.subarray(at + HEADER, end),
    });
    at = end;
  }
  return { packets, failure: null };
}

/**
 * A datagram of several messages that were each protected on their own, cut at their clear lengths;
 * null where it is one packet, or does not come out even.
 * @param trailer octets of tag, SRTCP index and MKI behind each packet
 */
export function splitProtected(datagram: Uint8Array, trailer: number): Uint8Array[] | null {
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < datagram.length) {
    if (headerFailure(datagram, at)) return null;
    const end = at + lengthAt(datagram, at) + trailer;
    if (end > datagram.length) return null;
    parts.push(datagram.subarray(at, end));
    at = end;
  }
  return parts.length > 1 ? parts : null;
}

/** One APP packet. @throws SegyError SEGY_E_ARGUMENT when a part does not fit its bits */
export function writeAppPacket(packet: AppPacket): Uint8Array {
  if (packet.data.length > 4 * MAX_WORDS - HEADER) {
    throw new SegyError('SEGY_E_ARGUMENT', 'a floor message is too long for an RTCP packet');
  }
  return buildApp(packet.ssrc, packet.subtype, packet.name, packet.data);
}

/** The fields of a message as they are, or why they cannot be told apart. */
export function readRawFields(
  data: Uint8Array,
  settings: FloorCodecSettings,
): readonly RawFloorField[] | FloorReadFailure {
  const fields: RawFloorField[] = [];
  let at = 0;
  while (at < data.length) {
    if (settings.tolerances.zeroWords && data.length - at >= 4 && readUint32(data, at) === 0) {
      at += 4;
      continue;
    }
    if (fields.length >= settings.limits.fields) return 'too-many-fields';
    const id = data[at] ?? 0;
    const header = id < LONG_LENGTH_FROM ? 2 : 3;
    if (at + header > data.length) return 'field-truncated';
    const length = header === 2 ? (data[at + 1] ?? 0) : readUint16(data, at + 1);
    const end = at + header + length;
    if (end > data.length) return 'field-truncated';
    fields.push({ id, value: data.slice(at + header, end) });
    at = Math.ceil(end / 4) * 4;
  }
  return fields;
}

/** @throws SegyError SEGY_E_ARGUMENT when a value is longer than its length field can say */
export function writeRawFields(fields: readonly RawFloorField[]): Uint8Array {
  return concatBytes(...fields.map(writeRawField));
}

function writeRawField(field: RawFloorField): Uint8Array {
  const long = field.id >= LONG_LENGTH_FROM;
  const { length } = field.value;
  if (field.id > 0xff || length > (long ? 0xffff : 0xff)) {
    throw new SegyError('SEGY_E_ARGUMENT', `floor field ${field.id} has ${length} octets`);
  }
  const header = long ? 3 : 2;
  const out = new Uint8Array(Math.ceil((header + length) / 4) * 4);
  out[0] = field.id;
  if (long) out[1] = length >>> 8;
  out[header - 1] = length & 0xff;
  out.set(field.value, header);
  return out;
}
