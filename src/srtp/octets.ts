/** Reading and writing of integers in packets, without a view object for each packet. */

export function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}

export function writeUint16(bytes: Uint8Array, value: number, at: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function writeUint32(bytes: Uint8Array, value: number, at: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** `bytes[at..at+3] ^= value` */
export function xorUint32(bytes: Uint8Array, value: number, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ (value >>> 24);
  bytes[at + 1] = (bytes[at + 1] ?? 0) ^ ((value >>> 16) & 0xff);
  bytes[at + 2] = (bytes[at + 2] ?? 0) ^ ((value >>> 8) & 0xff);
  bytes[at + 3] = (bytes[at + 3] ?? 0) ^ (value & 0xff);
}

/** `bytes[at..at+1] ^= value` */
export function xorUint16(bytes: Uint8Array, value: number, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ (value >>> 8);
  bytes[at + 1] = (bytes[at + 1] ?? 0) ^ (value & 0xff);
}

const ROC_UNIT = 0x1_0000;

/** Roll-over counter of a 48-bit packet index. */
export function rocOf(index: number): number {
  return Math.floor(index / ROC_UNIT);
}

/** Sequence number of a 48-bit packet index. */
export function sequenceOf(index: number): number {
  return index % ROC_UNIT;
}

/** 48-bit packet index of a roll-over counter and a sequence number. */
export function packetIndex(roc: number, sequence: number): number {
  return roc * ROC_UNIT + sequence;
}

export const MAX_PACKET_INDEX = 2 ** 48 - 1;
export const MAX_RTCP_INDEX = 2 ** 31 - 1;
