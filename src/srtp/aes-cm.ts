/**
 * AES_CM_128_HMAC_SHA1_80, RFC 3711 sections 4.1.1 and 4.2.1.
 *
 *   SRTP   header | ciphertext | MKI | tag(10), tag over header, ciphertext and ROC
 *   SRTCP  header(8) | ciphertext | E and index(4) | MKI | tag(10), tag over all before the MKI
 *   IV     (session salt | 00 00) XOR (SSRC at octet 4) XOR (48-bit index at octet 8)
 */
import { createCipheriv, createHmac } from 'node:crypto';
import { equalBytes } from '../base/bytes.js';
import { deriveSessionKeys, wipeSessionKeys, type SessionKeys } from './derivation.js';
import { copyKeyMaterial, wipeKeyMaterial, type SrtpKeyMaterial } from './keys.js';
import { rocOf, sequenceOf, writeUint32, xorUint16, xorUint32 } from './octets.js';
import type { SrtpTransform } from './transform.js';

const CIPHER = 'aes-128-ctr';
const TAG = 10;
const RTCP_HEADER = 8;
const E_FLAG = 0x8000_0000;

export class AesCmTransform implements SrtpTransform {
  readonly #rtp: SessionKeys;
  readonly #material: SrtpKeyMaterial;
  #rtcpKeys: SessionKeys | null = null;
  readonly #mki: Uint8Array;
  readonly #iv = new Uint8Array(16);
  readonly #roc = new Uint8Array(4);

  constructor(key: SrtpKeyMaterial) {
    this.#rtp = deriveSessionKeys(key, 'rtp');
    this.#material = copyKeyMaterial(key);
    this.#mki = new Uint8Array(key.mki);
  }

  sealRtp(header: Uint8Array, payload: Uint8Array, ssrc: number, index: number): Uint8Array {
    const mkiAt = header.length + payload.length;
    const tagAt = mkiAt + this.#mki.length;
    const out = Buffer.allocUnsafe(tagAt + TAG);
    out.set(header);
    out.set(this.#crypt(this.#rtp, payload, ssrc, index), header.length);
    out.set(this.#mki, mkiAt);
    out.set(this.#rtpTag(out.subarray(0, mkiAt), index), tagAt);
    return out;
  }

  openRtp(
    packet: Uint8Array,
    headerLength: number,
    ssrc: number,
    index: number,
  ): Uint8Array | null {
    const tagAt = packet.length - TAG;
    const mkiAt = tagAt - this.#mki.length;
    const tag = this.#rtpTag(packet.subarray(0, mkiAt), index);
    if (!equalBytes(tag, packet.subarray(tagAt))) return null;
    const out = Buffer.allocUnsafe(mkiAt);
    out.set(packet.subarray(0, headerLength));
    const payload = packet.subarray(headerLength, mkiAt);
    out.set(this.#crypt(this.#rtp, payload, ssrc, index), headerLength);
    return out;
  }

  sealRtcp(packet: Uint8Array, ssrc: number, index: number, encrypt: boolean): Uint8Array {
    const mkiAt = packet.length + 4;
    const tagAt = mkiAt + this.#mki.length;
    const out = Buffer.allocUnsafe(tagAt + TAG);
    out.set(packet);
    if (encrypt) {
      out.set(this.#crypt(this.#rtcp, packet.subarray(RTCP_HEADER), ssrc, index), RTCP_HEADER);
    }
    writeUint32(out, encrypt ? (index | E_FLAG) >>> 0 : index, packet.length);
    out.set(this.#mki, mkiAt);
    out.set(this.#rtcpTag(out.subarray(0, mkiAt)), tagAt);
    return out;
  }

  openRtcp(packet: Uint8Array, ssrc: number, word: number): Uint8Array | null {
    const tagAt = packet.length - TAG;
    const mkiAt = tagAt - this.#mki.length;
    if (!equalBytes(this.#rtcpTag(packet.subarray(0, mkiAt)), packet.subarray(tagAt))) return null;
    const out = Buffer.from(packet.subarray(0, mkiAt - 4));
    if (word >= E_FLAG) {
      const index = (word & 0x7fff_ffff) >>> 0;
      out.set(this.#crypt(this.#rtcp, out.subarray(RTCP_HEADER), ssrc, index), RTCP_HEADER);
    }
    return out;
  }

  wipe(): void {
    wipeSessionKeys(this.#rtp);
    if (this.#rtcpKeys) wipeSessionKeys(this.#rtcpKeys);
    wipeKeyMaterial(this.#material);
    this.#iv.fill(0);
  }

  /** RTCP comes seldom, from an invented MKI never. */
  get #rtcp(): SessionKeys {
    this.#rtcpKeys ??= deriveSessionKeys(this.#material, 'rtcp');
    return this.#rtcpKeys;
  }

  #crypt(keys: SessionKeys, data: Uint8Array, ssrc: number, index: number): Uint8Array {
    const iv = this.#iv.fill(0);
    iv.set(keys.salt);
    xorUint32(iv, ssrc, 4);
    xorUint32(iv, rocOf(index), 8);
    xorUint16(iv, sequenceOf(index), 12);
    return createCipheriv(CIPHER, keys.encryption, iv).update(data);
  }

  #rtpTag(authenticated: Uint8Array, index: number): Uint8Array {
    writeUint32(this.#roc, rocOf(index), 0);
    const mac = createHmac('sha1', this.#rtp.authentication);
    return mac.update(authenticated).update(this.#roc).digest().subarray(0, TAG);
  }

  #rtcpTag(authenticated: Uint8Array): Uint8Array {
    const mac = createHmac('sha1', this.#rtcp.authentication);
    return mac.update(authenticated).digest().subarray(0, TAG);
  }
}
