/**
 * RTP packets, RFC 3550 section 5. The header walkers serve the packet path and allocate nothing;
 * `parseRtp` and `buildRtp` serve everything else.
 */
import { SegyError } from '../base/errors.js';
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.js';

/** Octets of a header without CSRCs and extension. */
export const RTP_FIXED_HEADER = 12;
const MAX_CSRCS = 15;

export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  /** 16 bits */
  readonly sequenceNumber: number;
  /** 32 bits, in units of the payload's clock */
  readonly timestamp: number;
  /** 32 bits */
  readonly ssrc: number;
  readonly csrcs?: readonly number[];
  readonly extension?: { readonly profile: number; readonly data: Uint8Array };
  /** without padding */
  readonly payload: Uint8Array;
}

/**
 * Octets of the RTP header with CSRCs and extension, as far as it is in clear in SRTP too;
 * -1 when the packet is not RTP version 2 or ends inside its header.
 */
export function rtpHeaderLength(packet: Uint8Array): number {
  if (packet.length < RTP_FIXED_HEADER) return -1;
  const first = packet[0] ?? 0;
  if (first >>> 6 !== 2) return -1;
  let length = RTP_FIXED_HEADER + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (packet.length < length + 4) return -1;
    length += 4 + 4 * readUint16(packet, length + 2);
  }
  return length <= packet.length ? length : -1;
}

/** Where the payload of a clear packet ends, without padding; -1 when the padding is malformed. */
export function rtpPayloadEnd(packet: Uint8Array, headerLength: number): number {
  if (((packet[0] ?? 0) & 0x20) === 0) return packet.length;
  const padding = packet[packet.length - 1] ?? 0;
  if (padding === 0 || headerLength + padding > packet.length) return -1;
  return packet.length - padding;
}

export function rtpMarker(packet: Uint8Array): boolean {
  return ((packet[1] ?? 0) & 0x80) !== 0;
}

export function rtpPayloadType(packet: Uint8Array): number {
  return (packet[1] ?? 0) & 0x7f;
}

export function rtpSequenceNumber(packet: Uint8Array): number {
  return readUint16(packet, 2);
}

export function rtpTimestamp(packet: Uint8Array): number {
  return readUint32(packet, 4);
}

export function rtpSsrc(packet: Uint8Array): number {
  return readUint32(packet, 8);
}

/** The fields of a clear RTP packet, or null when it is malformed. */
export function parseRtp(packet: Uint8Array): RtpPacket | null {
  const headerLength = rtpHeaderLength(packet);
  if (headerLength < 0) return null;
  const end = rtpPayloadEnd(packet, headerLength);
  if (end < 0) return null;
  const csrcCount = (packet[0] ?? 0) & 0x0f;
  const csrcs = Array.from({ length: csrcCount }, (_, i) =>
    readUint32(packet, RTP_FIXED_HEADER + 4 * i),
  );
  const extensionAt = RTP_FIXED_HEADER + 4 * csrcCount;
  const extended = ((packet[0] ?? 0) & 0x10) !== 0;
  return {
    payloadType: rtpPayloadType(packet),
    marker: rtpMarker(packet),
    sequenceNumber: rtpSequenceNumber(packet),
    timestamp: rtpTimestamp(packet),
    ssrc: rtpSsrc(packet),
    ...(csrcCount > 0 ? { csrcs } : {}),
    ...(extended
      ? {
          extension: {
            profile: readUint16(packet, extensionAt),
            data: new Uint8Array(packet.subarray(extensionAt + 4, headerLength)),
          },
        }
      : {}),
    payload: new Uint8Array(packet.subarray(headerLength, end)),
  };
}

/** Writes a fixed header (no padding, CSRC or extension) at the start of `out`. */
export function writeRtpHeader(
  out: Uint8Array,
  payloadType: number,
  marker: boolean,
  sequenceNumber: number,
  timestamp: number,
  ssrc: number,
): void {
  out[0] = 0x80;
  out[1] = (marker ? 0x80 : 0) | payloadType;
  writeUint16(out, sequenceNumber, 2);
  writeUint32(out, timestamp, 4);
  writeUint32(out, ssrc, 8);
}

/** @throws SegyError SEGY_E_ARGUMENT when a field exceeds its bits */
export function buildRtp(p: RtpPacket): Uint8Array {
  const csrcs = p.csrcs ?? [];
  const extensionLength = p.extension ? 4 + p.extension.data.length : 0;
  if (p.payloadType > 127 || p.payloadType < 0) {
    throw new SegyError('SEGY_E_ARGUMENT', 'RTP payload type is not in 0..127');
  }
  if (csrcs.length > MAX_CSRCS || extensionLength % 4 !== 0) {
    throw new SegyError('SEGY_E_ARGUMENT', 'RTP header extension or CSRC list does not fit');
  }
  const headerLength = RTP_FIXED_HEADER + 4 * csrcs.length + extensionLength;
  const out = new Uint8Array(headerLength + p.payload.length);
  writeRtpHeader(out, p.payloadType, p.marker, p.sequenceNumber, p.timestamp, p.ssrc);
  out[0] = 0x80 | csrcs.length | (p.extension ? 0x10 : 0);
  csrcs.forEach((csrc, i) => writeUint32(out, csrc, RTP_FIXED_HEADER + 4 * i));
  if (p.extension) {
    const at = RTP_FIXED_HEADER + 4 * csrcs.length;
    writeUint16(out, p.extension.profile, at);
    writeUint16(out, p.extension.data.length / 4, at + 2);
    out.set(p.extension.data, at + 4);
  }
  out.set(p.payload, headerLength);
  return out;
}
