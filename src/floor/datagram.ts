/** A datagram of the floor line after SRTCP took its protection off: what is in it, and what is dropped. */
import { DEFAULT_FLOOR_CODEC, type FloorCodecSettings } from './code-points.js';
import { FLOOR_NAME, readFloorMessage } from './codec.js';
import { type FloorReadFailure, readAppPackets } from './framing.js';
import type { FloorMessage } from './message.js';
import {
  PRE_ESTABLISHED_NAME,
  type PreEstablishedMessage,
  readPreEstablished,
} from './pre-established.js';

export interface FloorDatagram {
  readonly messages: readonly FloorMessage[];
  readonly preEstablished: readonly PreEstablishedMessage[];
  /** one for each message that was dropped, and for a rest that did not frame */
  readonly dropped: readonly FloorReadFailure[];
}

/** Never throws. A malformed message costs itself alone, unless nothing behind it can be found. */
export function readFloorDatagram(
  datagram: Uint8Array,
  settings: FloorCodecSettings = DEFAULT_FLOOR_CODEC,
): FloorDatagram {
  const { packets, failure } = readAppPackets(datagram, settings);
  const messages: FloorMessage[] = [];
  const preEstablished: PreEstablishedMessage[] = [];
  const dropped: FloorReadFailure[] = [];
  for (const packet of packets) {
    if (packet.name === FLOOR_NAME) {
      const reading = readFloorMessage(packet, settings);
      if (reading.ok) messages.push(reading.message);
      else dropped.push(reading.reason);
    } else if (packet.name === PRE_ESTABLISHED_NAME) {
      const reading = readPreEstablished(packet, settings);
      if (reading.ok) preEstablished.push(reading.message);
      else dropped.push(reading.reason);
    } else {
      dropped.push('name');
    }
  }
  if (failure) dropped.push(failure);
  return { messages, preEstablished, dropped };
}
