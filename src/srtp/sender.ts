/**
 * Sending side of one SRTP stream: one master key, one SSRC, two indexes that only grow.
 *
 * A (master key, SSRC, index) triple makes the nonce, so an index not above the last one is refused
 * with an error: the caller's mistake must not become a repeated nonce. Who makes a second sender
 * for one master key must give it an SSRC never used under that key.
 */
import { SegyError } from '../base/errors.js';
import { wipeKeyMaterial, copyKeyMaterial, type SrtpKeyMaterial } from './keys.js';
import {
  MAX_PACKET_INDEX,
  MAX_RTCP_INDEX,
  readUint32,
  sequenceOf,
  writeUint16,
  writeUint32,
} from './octets.js';
import { rtpHeaderLength } from './rtp.js';
import { createTransform, type SrtpTransform } from './transform.js';

export interface SrtpSenderOptions {
  readonly ssrc: number;
  /** lowest packet index that may be used; default 0 */
  readonly firstIndex?: number;
}

export class SrtpSender {
  readonly ssrc: number;
  readonly mki: Uint8Array;
  readonly #transform: SrtpTransform;
  readonly #rocRate: number;
  #lastIndex: number;
  #lastRtcpIndex = -1;
  #wiped = false;

  /** Derives its own keys; `key` stays the caller's to wipe. */
  constructor(key: SrtpKeyMaterial, options: SrtpSenderOptions) {
    const first = options.firstIndex ?? 0;
    if (!Number.isInteger(first) || first < 0 || first > MAX_PACKET_INDEX) {
      throw new SegyError('SEGY_E_ARGUMENT', 'first packet index is not a 48-bit integer');
    }
    const own = copyKeyMaterial(key);
    this.#transform = createTransform(own);
    wipeKeyMaterial(own);
    this.mki = own.mki;
    this.ssrc = options.ssrc >>> 0;
    this.#rocRate = key.rocRate;
    this.#lastIndex = first - 1;
  }

  /** Last packet index used; one below the first allowed index before the first packet. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** Last SRTCP index used; -1 before the first packet. */
  get lastRtcpIndex(): number {
    return this.#lastRtcpIndex;
  }

  /**
   * Protected packet. Its SSRC and sequence number are this sender's and those of `index`,
   * whatever `rtp` has in these fields.
   * @param index 48-bit packet index, above the last one
   * @throws SegyError SEGY_E_SRTP_INDEX when `index` does not grow or is used up; SEGY_E_ARGUMENT when `rtp` is no RTP packet
   */
  protect(rtp: Uint8Array, index: number): Uint8Array {
    const headerLength = rtpHeaderLength(rtp);
    if (headerLength < 0) throw new SegyError('SEGY_E_ARGUMENT', 'not an RTP packet');
    this.#claim(index > this.#lastIndex && index <= MAX_PACKET_INDEX && Number.isInteger(index));
    this.#lastIndex = index;
    const header = Buffer.allocUnsafe(headerLength);
    header.set(rtp.subarray(0, headerLength));
    const sequence = sequenceOf(index);
    writeUint16(header, sequence, 2);
    writeUint32(header, this.ssrc, 8);
    const withRoc = this.#rocRate > 0 && sequence % this.#rocRate === 0;
    return this.#transform.sealRtp(header, rtp.subarray(headerLength), this.ssrc, index, withRoc);
  }

  /**
   * Protected RTCP compound packet under the next SRTCP index.
   * @param packet clear compound packet whose first sender is this SSRC
   * @param encrypt the E flag; without it the packet is authenticated only
   * @throws SegyError SEGY_E_SRTP_INDEX when the 31-bit index is used up; SEGY_E_ARGUMENT for another SSRC
   */
  protectRtcp(packet: Uint8Array, encrypt = true): Uint8Array {
    if (packet.length < 8 || readUint32(packet, 4) !== this.ssrc) {
      throw new SegyError('SEGY_E_ARGUMENT', 'not an RTCP packet of this SSRC');
    }
    this.#claim(this.#lastRtcpIndex < MAX_RTCP_INDEX);
    this.#lastRtcpIndex += 1;
    return this.#transform.sealRtcp(packet, this.ssrc, this.#lastRtcpIndex, encrypt);
  }

  /** Overwrites the keys; the sender refuses every packet from then on. */
  wipe(): void {
    this.#wiped = true;
    this.#transform.wipe();
  }

  #claim(allowed: boolean): void {
    if (this.#wiped) throw new SegyError('SEGY_E_SRTP_INDEX', 'the SRTP sender is wiped');
    if (!allowed) {
      throw new SegyError('SEGY_E_SRTP_INDEX', 'the packet index does not grow or is used up');
    }
  }
}
