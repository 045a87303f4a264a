/** How protected packets are laid out behind their ciphertext: tag, MKI, roll-over counter. */
import { ROC_TAG_LENGTH, TAG_LENGTH, type SrtpKeyMaterial, type SrtpSuite } from './keys.js';

/** How the packets of one policy are framed; says where in a packet the MKI stands. */
export interface SrtpFraming {
  readonly suite: SrtpSuite;
  /** 0, 4 or 8 octets */
  readonly mkiLength: number;
  readonly rocRate: number;
}

export function framingOf(key: SrtpKeyMaterial): SrtpFraming {
  return { suite: key.suite, mkiLength: key.mki.length, rocRate: key.rocRate };
}

/** Octets of the roll-over counter that an RTP packet with this sequence number carries. */
export function rocLengthOf(framing: SrtpFraming, sequence: number): number {
  return framing.rocRate > 0 && sequence % framing.rocRate === 0 ? ROC_TAG_LENGTH : 0;
}

/** Octets that follow the MKI of an SRTP or SRTCP packet. */
export function afterMki(framing: SrtpFraming, rocLength: number): number {
  return framing.suite === 'AEAD_AES_128_GCM' ? rocLength : TAG_LENGTH[framing.suite];
}
