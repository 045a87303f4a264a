/**
 * What a suite does to one packet. A transform knows no stream state: the caller chooses the index,
 * so it must never seal twice with one (SSRC, index).
 */
import { AesGcmTransform } from './aes-gcm.js';
import { AesCmTransform } from './aes-cm.js';
import type { SrtpKeyMaterial } from './keys.js';

export interface SrtpTransform {
  /**
   * Seals an RTP packet.
   * @param header complete RTP header with the SSRC and the sequence number of `index`; authenticated
   * @param payload clear payload
   * @param index 48-bit packet index
   * @param withRoc append the roll-over counter (RFC 4771 mode 3)
   */
  sealRtp(
    header: Uint8Array,
    payload: Uint8Array,
    ssrc: number,
    index: number,
    withRoc: boolean,
  ): Uint8Array;

  /**
   * Clear packet, or null when the tag does not verify.
   * @param rocLength octets of the appended roll-over counter, 0 or 4; the caller has checked lengths
   */
  openRtp(
    packet: Uint8Array,
    headerLength: number,
    ssrc: number,
    index: number,
    rocLength: number,
  ): Uint8Array | null;

  /** Seals an RTCP compound packet under its 31-bit SRTCP index. */
  sealRtcp(packet: Uint8Array, ssrc: number, index: number, encrypt: boolean): Uint8Array;

  /** Clear compound packet, or null. `word` is the E flag and index as received. */
  openRtcp(packet: Uint8Array, ssrc: number, word: number): Uint8Array | null;

  wipe(): void;
}

export function createTransform(key: SrtpKeyMaterial): SrtpTransform {
  return key.suite === 'AEAD_AES_128_GCM' ? new AesGcmTransform(key) : new AesCmTransform(key);
}
