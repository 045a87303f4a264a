/**
 * AEAD_AES_128_GCM, RFC 7714 sections 8 and 9.
 *
 *   SRTP   header | ciphertext | tag(16) | MKI | [ROC(4)]
 *   SRTCP  header(8) | ciphertext | tag(16) | E and index(4) | MKI
 *   nonce  (00 00 | SSRC | ROC | SEQ) or (00 00 | SSRC | 00 00 | index), XOR session salt
 */
import { createCipheriv, createDecipheriv, type DecipherGCM } from 'node:crypto';
import { deriveSessionKeys, wipeSessionKeys, type SessionKeys } from './derivation.js';
import { copyKeyMaterial, ROC_TAG_LENGTH, wipeKeyMaterial, type SrtpKeyMaterial } from './keys.js';
import { rocOf, sequenceOf, writeUint32, xorUint16, xorUint32 } from './octets.js';
import type { SrtpTransform } from './transform.js';

const CIPHER = 'aes-128-gcm';
const TAG = 16;
const OPTIONS = { authTagLength: TAG } as const;
const RTCP_HEADER = 8;
const E_FLAG = 0x8000_0000;

/** Whether the tag verifies. The error of one that does not is made without a stack, which costs most of it. */
function isAuthentic(decipher: DecipherGCM): boolean {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

export class AesGcmTransform implements SrtpTransform {
  readonly #rtp: SessionKeys;
  readonly #material: SrtpKeyMaterial;
  #rtcpKeys: SessionKeys | null = null;
  readonly #mki: Uint8Array;
  readonly #nonce = new Uint8Array(12);

  constructor(key: SrtpKeyMaterial) {
    this.#rtp = deriveSessionKeys(key, 'rtp');
    this.#material = copyKeyMaterial(key);
    this.#mki = new Uint8Array(key.mki);
  }

  sealRtp(
    header: Uint8Array,
    payload: Uint8Array,
    ssrc: number,
    index: number,
    withRoc: boolean,
  ): Uint8Array {
    const tagAt = header.length + payload.length;
    const mkiAt = tagAt + TAG;
    const rocAt = mkiAt + this.#mki.length;
    const out = Buffer.allocUnsafe(rocAt + (withRoc ? ROC_TAG_LENGTH : 0));
    out.set(header);
    const cipher = createCipheriv(
      CIPHER,
      this.#rtp.encryption,
      this.#rtpNonce(ssrc, index),
      OPTIONS,
    );
    cipher.setAAD(header);
    out.set(cipher.update(payload), header.length);
    cipher.final();
    out.set(cipher.getAuthTag(), tagAt);
    out.set(this.#mki, mkiAt);
    if (withRoc) writeUint32(out, rocOf(index), rocAt);
    return out;
  }

  openRtp(
    packet: Uint8Array,
    headerLength: number,
    ssrc: number,
    index: number,
    rocLength: number,
  ): Uint8Array | null {
    const tagAt = packet.length - rocLength - this.#mki.length - TAG;
    const nonce = this.#rtpNonce(ssrc, index);
    const decipher = createDecipheriv(CIPHER, this.#rtp.encryption, nonce, OPTIONS);
    const header = packet.subarray(0, headerLength);
    decipher.setAAD(header);
    decipher.setAuthTag(packet.subarray(tagAt, tagAt + TAG));
    const payload = decipher.update(packet.subarray(headerLength, tagAt));
    if (!isAuthentic(decipher)) return null;
    const out = Buffer.allocUnsafe(tagAt);
    out.set(header);
    out.set(payload, headerLength);
    return out;
  }

  sealRtcp(packet: Uint8Array, ssrc: number, index: number, encrypt: boolean): Uint8Array {
    const out = Buffer.allocUnsafe(packet.length + TAG + 4 + this.#mki.length);
    const wordAt = packet.length + TAG;
    writeUint32(out, encrypt ? (index | E_FLAG) >>> 0 : index, wordAt);
    const clear = encrypt ? RTCP_HEADER : packet.length;
    out.set(packet.subarray(0, clear));
    const nonce = this.#rtcpNonce(ssrc, index);
    const cipher = createCipheriv(CIPHER, this.#rtcp.encryption, nonce, OPTIONS);
    cipher.setAAD(Buffer.concat([packet.subarray(0, clear), out.subarray(wordAt, wordAt + 4)]));
    out.set(cipher.update(packet.subarray(clear)), clear);
    cipher.final();
    out.set(cipher.getAuthTag(), packet.length);
    out.set(this.#mki, wordAt + 4);
    return out;
  }

  openRtcp(packet: Uint8Array, ssrc: number, word: number): Uint8Array | null {
    const wordAt = packet.length - this.#mki.length - 4;
    const tagAt = wordAt - TAG;
    const clear = word >= E_FLAG ? RTCP_HEADER : tagAt;
    const nonce = this.#rtcpNonce(ssrc, (word & 0x7fff_ffff) >>> 0);
    const decipher = createDecipheriv(CIPHER, this.#rtcp.encryption, nonce, OPTIONS);
    decipher.setAAD(
      Buffer.concat([packet.subarray(0, clear), packet.subarray(wordAt, wordAt + 4)]),
    );
    decipher.setAuthTag(packet.subarray(tagAt, wordAt));
    const body = decipher.update(packet.subarray(clear, tagAt));
    if (!isAuthentic(decipher)) return null;
    return Buffer.concat([packet.subarray(0, clear), body]);
  }

  wipe(): void {
    wipeSessionKeys(this.#rtp);
    if (this.#rtcpKeys) wipeSessionKeys(this.#rtcpKeys);
    wipeKeyMaterial(this.#material);
    this.#nonce.fill(0);
  }

  /** RTCP comes seldom, from an invented MKI never. */
  get #rtcp(): SessionKeys {
    this.#rtcpKeys ??= deriveSessionKeys(this.#material, 'rtcp');
    return this.#rtcpKeys;
  }

  #rtpNonce(ssrc: number, index: number): Uint8Array {
    const nonce = this.#nonce;
    nonce.set(this.#rtp.salt);
    xorUint32(nonce, ssrc, 2);
    xorUint32(nonce, rocOf(index), 6);
    xorUint16(nonce, sequenceOf(index), 10);
    return nonce;
  }

  #rtcpNonce(ssrc: number, index: number): Uint8Array {
    const nonce = this.#nonce;
    nonce.set(this.#rtcp.salt);
    xorUint32(nonce, ssrc, 2);
    xorUint32(nonce, index, 8);
    return nonce;
  }
}
