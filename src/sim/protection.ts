/** What stands between a simulated party's audio and its sockets: nothing, or SRTP. */
import { SrtpReceiver, SrtpSender } from '../srtp/index.js';
import type { SrtpKeyMaterial, UnprotectFailure } from '../srtp/index.js';

export type Opened =
  | { readonly ok: true; readonly packet: Uint8Array }
  | { readonly ok: false; readonly reason: UnprotectFailure };

export interface Protection {
  /** `index` is the 48-bit packet index; the sequence number of `packet` is its low 16 bits */
  /** null where nothing may be sent now */
  protect(packet: Uint8Array, index: number): Uint8Array | null;
  unprotect(packet: Uint8Array): Opened;
  protectRtcp(packet: Uint8Array): Uint8Array | null;
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

/** Keys of one direction each; they stay the caller's to wipe. */
export interface DirectionKeys {
  readonly send: SrtpKeyMaterial;
  readonly receive: SrtpKeyMaterial;
}

/** SRTP and SRTCP. Sends with one key, hears every key of the call. */
export class SrtpProtection implements Protection {
  readonly #ssrc: number;
  readonly #receiver: SrtpReceiver;
  #sender: SrtpSender;

  constructor(keys: DirectionKeys, ssrc: number) {
    this.#ssrc = ssrc;
    this.#sender = new SrtpSender(keys.send, { ssrc });
    this.#receiver = new SrtpReceiver({ keys: [keys.receive] });
  }

  /** Hears a further key: the peer may use what we offered before its answer comes. */
  hear(key: SrtpKeyMaterial): void {
    this.#receiver.addKeys([key]);
  }

  /** Sends with a new key from here on. */
  send(key: SrtpKeyMaterial): void {
    this.#sender.wipe();
    this.#sender = new SrtpSender(key, { ssrc: this.#ssrc });
  }

  protect(packet: Uint8Array, index: number): Uint8Array {
    return this.#sender.protect(packet, index);
  }

  unprotect(packet: Uint8Array): Opened {
    return this.#receiver.unprotect(packet);
  }

  protectRtcp(packet: Uint8Array): Uint8Array {
    return this.#sender.protectRtcp(packet);
  }

  unprotectRtcp(packet: Uint8Array): Opened {
    return this.#receiver.unprotectRtcp(packet);
  }

  wipe(): void {
    this.#sender.wipe();
    this.#receiver.wipe();
  }
}
