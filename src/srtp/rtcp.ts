/**
 * RTCP packets, RFC 3550 section 6: SR, RR, SDES, BYE and APP, one at a time or as a compound.
 */
import { SegyError } from '../base/errors.js';
import { concatBytes, utf8 } from '../base/bytes.js';
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.js';

/** One report block of an SR or RR. */
export interface RtcpReportBlock {
  readonly ssrc: number;
  /** 8-bit fraction of packets lost since the last report */
  readonly fractionLost: number;
  /** 24-bit signed total of packets lost */
  readonly cumulativeLost: number;
  /** 16 bits of cycles and 16 bits of sequence number */
  readonly highestSequence: number;
  /** in timestamp units */
  readonly jitter: number;
  /** middle 32 bits of the NTP timestamp of the last SR; 0 before one came */
  readonly lastSr: number;
  /** since that SR, in 1/65536 s */
  readonly delaySinceLastSr: number;
}

export interface RtcpSenderInfo {
  /** 64-bit NTP time as seconds since 1900 and fraction */
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  readonly rtpTimestamp: number;
  readonly packetCount: number;
  readonly octetCount: number;
}

export type RtcpPacket =
  | {
      readonly type: 'sr';
      readonly ssrc: number;
      readonly sender: RtcpSenderInfo;
      readonly blocks: readonly RtcpReportBlock[];
    }
  | { readonly type: 'rr'; readonly ssrc: number; readonly blocks: readonly RtcpReportBlock[] }
  | {
      readonly type: 'sdes';
      readonly chunks: readonly { readonly ssrc: number; readonly cname: string | null }[];
    }
  | { readonly type: 'bye'; readonly ssrcs: readonly number[] }
  | {
      readonly type: 'app';
      /** 5 bits */
      readonly subtype: number;
      readonly ssrc: number;
      /** four ASCII characters */
      readonly name: string;
      readonly data: Uint8Array;
    }
  | { readonly type: 'other'; readonly packetType: number };

const SR = 200;
const RR = 201;
const SDES = 202;
const BYE = 203;
const APP = 204;
const BLOCK = 24;
const SDES_CNAME = 1;
const MAX_COUNT = 31;
const MAX_PACKETS = 32;
const NTP_OFFSET_SECONDS = 2_208_988_800;

/** NTP time of a Unix time in milliseconds; the seconds wrap at 2^32 as NTP does. */
export function ntpTime(unixMs: number): { ntpSeconds: number; ntpFraction: number } {
  const seconds = Math.floor(unixMs / 1000);
  const fraction = Math.floor(((unixMs - seconds * 1000) / 1000) * 2 ** 32);
  return { ntpSeconds: (seconds + NTP_OFFSET_SECONDS) % 2 ** 32, ntpFraction: fraction >>> 0 };
}

function start(packetType: number, count: number, length: number): Uint8Array {
  if (count > MAX_COUNT) throw new SegyError('SEGY_E_ARGUMENT', 'RTCP packet with over 31 items');
  const out = new Uint8Array(length);
  out[0] = 0x80 | count;
  out[1] = packetType;
  writeUint16(out, length / 4 - 1, 2);
  return out;
}

function writeBlocks(out: Uint8Array, at: number, blocks: readonly RtcpReportBlock[]): void {
  blocks.forEach((b, i) => {
    const o = at + BLOCK * i;
    const lost = Math.max(-0x80_0000, Math.min(0x7f_ffff, b.cumulativeLost));
    writeUint32(out, b.ssrc, o);
    writeUint32(out, ((b.fractionLost << 24) | (lost & 0xff_ffff)) >>> 0, o + 4);
    writeUint32(out, b.highestSequence, o + 8);
    writeUint32(out, b.jitter, o + 12);
    writeUint32(out, b.lastSr, o + 16);
    writeUint32(out, b.delaySinceLastSr, o + 20);
  });
}

export function buildSr(
  ssrc: number,
  sender: RtcpSenderInfo,
  blocks: readonly RtcpReportBlock[] = [],
): Uint8Array {
  const out = start(SR, blocks.length, 28 + BLOCK * blocks.length);
  writeUint32(out, ssrc, 4);
  writeUint32(out, sender.ntpSeconds, 8);
  writeUint32(out, sender.ntpFraction, 12);
  writeUint32(out, sender.rtpTimestamp, 16);
  writeUint32(out, sender.packetCount, 20);
  writeUint32(out, sender.octetCount, 24);
  writeBlocks(out, 28, blocks);
  return out;
}

export function buildRr(ssrc: number, blocks: readonly RtcpReportBlock[] = []): Uint8Array {
  const out = start(RR, blocks.length, 8 + BLOCK * blocks.length);
  writeUint32(out, ssrc, 4);
  writeBlocks(out, 8, blocks);
  return out;
}

/** SDES with the CNAME alone. @throws SegyError SEGY_E_ARGUMENT when it has over 255 octets */
export function buildSdes(ssrc: number, cname: string): Uint8Array {
  const text = utf8(cname);
  if (text.length > 255) throw new SegyError('SEGY_E_ARGUMENT', 'CNAME has over 255 octets');
  const length = 4 + Math.ceil((4 + 2 + text.length + 1) / 4) * 4;
  const out = start(SDES, 1, length);
  writeUint32(out, ssrc, 4);
  out[8] = SDES_CNAME;
  out[9] = text.length;
  out.set(text, 10);
  return out;
}

export function buildBye(ssrcs: readonly number[]): Uint8Array {
  const out = start(BYE, ssrcs.length, 4 + 4 * ssrcs.length);
  ssrcs.forEach((ssrc, i) => writeUint32(out, ssrc, 4 + 4 * i));
  return out;
}

/** @throws SegyError SEGY_E_ARGUMENT unless `name` is four ASCII characters and `data` whole words */
export function buildApp(
  ssrc: number,
  subtype: number,
  name: string,
  data: Uint8Array,
): Uint8Array {
  const label = utf8(name);
  if (label.length !== 4 || data.length % 4 !== 0) {
    throw new SegyError('SEGY_E_ARGUMENT', 'RTCP APP name or data does not fit');
  }
  const out = start(APP, subtype, 12 + data.length);
  writeUint32(out, ssrc, 4);
  out.set(label, 8);
  out.set(data, 12);
  return out;
}

export function buildCompound(...packets: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...packets);
}

function readBlocks(p: Uint8Array, at: number, count: number): RtcpReportBlock[] | null {
  if (at + BLOCK * count > p.length) return null;
  return Array.from({ length: count }, (_, i) => {
    const o = at + BLOCK * i;
    const lost = readUint32(p, o + 4);
    return {
      ssrc: readUint32(p, o),
      fractionLost: lost >>> 24,
      cumulativeLost: (lost << 8) >> 8,
      highestSequence: readUint32(p, o + 8),
      jitter: readUint32(p, o + 12),
      lastSr: readUint32(p, o + 16),
      delaySinceLastSr: readUint32(p, o + 20),
    };
  });
}

function readSdes(p: Uint8Array, count: number): RtcpPacket | null {
  const chunks: { ssrc: number; cname: string | null }[] = [];
  let at = 4;
  for (let i = 0; i < count; i++) {
    if (at + 4 > p.length) return null;
    const ssrc = readUint32(p, at);
    let cname: string | null = null;
    at += 4;
    for (;;) {
      if (at >= p.length) return null;
      const item = p[at] ?? 0;
      if (item === 0) break;
      const length = p[at + 1] ?? 0;
      if (at + 2 + length > p.length) return null;
      if (item === SDES_CNAME) {
        cname = Buffer.from(p.subarray(at + 2, at + 2 + length)).toString('utf8');
      }
      at += 2 + length;
    }
    at = (Math.floor(at / 4) + 1) * 4;
    chunks.push({ ssrc, cname });
  }
  return { type: 'sdes', chunks };
}

function readOne(p: Uint8Array): RtcpPacket | null {
  const count = (p[0] ?? 0) & 0x1f;
  const packetType = p[1] ?? 0;
  if (packetType === BYE) {
    if (4 + 4 * count > p.length) return null;
    return {
      type: 'bye',
      ssrcs: Array.from({ length: count }, (_, i) => readUint32(p, 4 + 4 * i)),
    };
  }
  if (packetType === SDES) return readSdes(p, count);
  if (packetType !== SR && packetType !== RR && packetType !== APP) {
    return { type: 'other', packetType };
  }
  if (p.length < (packetType === SR ? 28 : packetType === APP ? 12 : 8)) return null;
  const ssrc = readUint32(p, 4);
  if (packetType === APP) {
    const name = Buffer.from(p.subarray(8, 12)).toString('latin1');
    return { type: 'app', subtype: count, ssrc, name, data: new Uint8Array(p.subarray(12)) };
  }
  const blocks = readBlocks(p, packetType === SR ? 28 : 8, count);
  if (!blocks) return null;
  if (packetType === RR) return { type: 'rr', ssrc, blocks };
  const sender = {
    ntpSeconds: readUint32(p, 8),
    ntpFraction: readUint32(p, 12),
    rtpTimestamp: readUint32(p, 16),
    packetCount: readUint32(p, 20),
    octetCount: readUint32(p, 24),
  };
  return { type: 'sr', ssrc, sender, blocks };
}

/** The packets of a clear compound, or null when it is malformed or holds over 32 packets. */
export function parseRtcp(compound: Uint8Array): RtcpPacket[] | null {
  const packets: RtcpPacket[] = [];
  let at = 0;
  while (at < compound.length) {
    if (compound.length - at < 4 || (compound[at] ?? 0) >>> 6 !== 2) return null;
    const end = at + 4 * (readUint16(compound, at + 2) + 1);
    if (end > compound.length || packets.length >= MAX_PACKETS) return null;
    let body = compound.subarray(at, end);
    if (((body[0] ?? 0) & 0x20) !== 0) {
      const padding = body[body.length - 1] ?? 0;
      if (padding === 0 || padding % 4 !== 0 || padding > body.length - 4) return null;
      body = body.subarray(0, body.length - padding);
    }
    const packet = readOne(body);
    if (!packet) return null;
    packets.push(packet);
    at = end;
  }
  return packets.length > 0 ? packets : null;
}
