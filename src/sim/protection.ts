/** What stands between a simulated party's audio and its sockets: nothing, or SRTP under one key. */
import { SrtpReceiver, SrtpSender } from '../srtp/index.js';
import type { SrtpKeyMaterial, UnprotectFailure } from '../srtp/index.js';

export type Opened =
  | { readonly ok: true; readonly packet: Uint8Array }
  | { readonly ok: false; readonly reason: UnprotectFailure };

export interface Protection {
  /** `index` is the 48-bit packet index; the sequence number of `packet` is its low 16 bits */
  protect(packet: Uint8Array, index: number): Uint8Array;
  unprotect(packet: Uint8Array): Opened;
  protectRtcp(packet: Uint8Array): Uint8Array;
  unprotectRtcp(packet: Uint8Array): Opened;
  wipe(): void;
}

/** Media as it is. */
export const CLEAR: Protection = {
  protect: (packet) => packet,
  unprotect: (packet) => ({ ok: true, packet }),
  protectRtcp: (packet) => packet,
  unprotectRtcp: (packet) => ({ ok: true, packet }),
  wipe: () => undefined,
};

/** SRTP and SRTCP with one key for each direction; the keys stay the caller's to wipe. */
export function srtpProtection(keys: {
  readonly send: SrtpKeyMaterial;
  readonly receive: SrtpKeyMaterial;
  readonly ssrc: number;
}): Protection {
  const sender = new SrtpSender(keys.send, { ssrc: keys.ssrc });
  const receiver = new SrtpReceiver({ keys: [keys.receive] });
  return {
    protect: (packet, index) => sender.protect(packet, index),
    unprotect: (packet) => receiver.unprotect(packet),
    protectRtcp: (packet) => sender.protectRtcp(packet),
    unprotectRtcp: (packet) => receiver.unprotectRtcp(packet),
    wipe: () => {
      sender.wipe();
      receiver.wipe();
    },
  };
}
