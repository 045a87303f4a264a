/**
 * Captures without capture rights: a relay of the tests writes what passes it as a pcap file of raw
 * IPv4 packets (link type 101), UDP as it was, a TCP chunk as one UDP packet of the same ports.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { secretForms } from './secret-forms.js';

const LINKTYPE_RAW = 101;
const IP_HEADER = 20;
const UDP_HEADER = 8;
const MAX_PAYLOAD = 65_535 - IP_HEADER - UDP_HEADER;

export interface Peer {
  readonly address: string;
  readonly port: number;
}

export interface CapturedPacket {
  readonly from: Peer;
  readonly to: Peer;
  readonly payload: Buffer;
}

/** A capture in memory and, with a path, in a pcap file. */
export class Capture {
  readonly packets: CapturedPacket[] = [];

  constructor(readonly path?: string) {
    if (path === undefined) return;
    const header = Buffer.alloc(24);
    header.writeUInt32LE(0xa1b2c3d4, 0);
    header.writeUInt16LE(2, 4);
    header.writeUInt16LE(4, 6);
    header.writeUInt32LE(65_535, 16);
    header.writeUInt32LE(LINKTYPE_RAW, 20);
    writeFileSync(path, header);
  }

  add(from: Peer, to: Peer, payload: Uint8Array): void {
    const copy = Buffer.from(payload);
    this.packets.push({ from, to, payload: copy });
    if (this.path !== undefined) appendFileSync(this.path, record(from, to, copy));
  }

  /** True when `needle` occurs in any packet, in whatever form. */
  holds(needle: Uint8Array): boolean {
    const forms = secretForms(needle);
    return this.packets.some((packet) => forms.some((form) => packet.payload.includes(form)));
  }
}

function record(from: Peer, to: Peer, payload: Buffer): Buffer {
  const body = payload.subarray(0, MAX_PAYLOAD);
  const packet = Buffer.alloc(IP_HEADER + UDP_HEADER + body.length);
  packet[0] = 0x45;
  packet.writeUInt16BE(packet.length, 2);
  packet[8] = 64;
  packet[9] = 17;
  packet.set(from.address.split('.').map(Number), 12);
  packet.set(to.address.split('.').map(Number), 16);
  packet.writeUInt16BE(checksum(packet.subarray(0, IP_HEADER)), 10);
  packet.writeUInt16BE(from.port, IP_HEADER);
  packet.writeUInt16BE(to.port, IP_HEADER + 2);
  packet.writeUInt16BE(UDP_HEADER + body.length, IP_HEADER + 4);
  packet.set(body, IP_HEADER + UDP_HEADER);
  const now = Date.now();
  const header = Buffer.alloc(16);
  header.writeUInt32LE(Math.floor(now / 1000), 0);
  header.writeUInt32LE((now % 1000) * 1000, 4);
  header.writeUInt32LE(packet.length, 8);
  header.writeUInt32LE(packet.length, 12);
  return Buffer.concat([header, packet]);
}

function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
