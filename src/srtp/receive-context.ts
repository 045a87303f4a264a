/**
 * Receiving state under one master key: its transform and, for each authenticated SSRC, the packet
 * index and the replay windows (RFC 3711 section 3.2.3). Nothing is kept for an SSRC before one of
 * its packets has authenticated.
 */
import { createHash } from 'node:crypto';
import { toHex } from '../base/bytes.js';
import { copyKeyMaterial, sameKeyMaterial, wipeKeyMaterial, type SrtpKeyMaterial } from './keys.js';
import { framingOf, type SrtpFraming } from './framing.js';
import { MAX_PACKET_INDEX, packetIndex, rocOf, sequenceOf } from './octets.js';
import { ReplayWindow } from './replay.js';
import { createTransform, type SrtpTransform } from './transform.js';

const HALF_SEQUENCE = 0x8000;

/** The index that RFC 3711 section 3.3.1 guesses for a sequence number near the highest index. */
export function estimateIndex(highest: number, sequence: number): number {
  const roc = rocOf(highest);
  const last = sequenceOf(highest);
  let guess = roc;
  if (last < HALF_SEQUENCE) {
    if (sequence - last > HALF_SEQUENCE) guess = Math.max(0, roc - 1);
  } else if (last - HALF_SEQUENCE > sequence) {
    guess = roc + 1;
  }
  return Math.min(packetIndex(guess, sequence), MAX_PACKET_INDEX);
}

/** One authenticated SSRC under one master key. */
export class ReceiveStream {
  readonly ssrc: number;
  readonly rtp: ReplayWindow;
  readonly rtcp: ReplayWindow;
  /** position in the receiver's order of use; higher is later */
  usedAt = 0;

  constructor(ssrc: number, replayWindow: number) {
    this.ssrc = ssrc;
    this.rtp = new ReplayWindow(replayWindow);
    this.rtcp = new ReplayWindow(64);
  }

  /** The index of a sequence number; -1 before the first packet. */
  estimate(sequence: number): number {
    return this.rtp.highest < 0 ? -1 : estimateIndex(this.rtp.highest, sequence);
  }
}

export class ReceiveContext {
  readonly mki: Uint8Array;
  readonly framing: SrtpFraming;
  readonly transform: SrtpTransform;
  readonly streams = new Map<number, ReceiveStream>();
  /** came from the resolver and may be evicted; not given by the session */
  readonly resolved: boolean;
  readonly #key: SrtpKeyMaterial;
  #fingerprint = '';

  constructor(key: SrtpKeyMaterial, resolved: boolean) {
    this.#key = copyKeyMaterial(key);
    this.mki = this.#key.mki;
    this.framing = framingOf(key);
    this.resolved = resolved;
    this.transform = createTransform(this.#key);
  }

  /** Names the master key in tables without being usable as one. Made when it is first asked for. */
  get fingerprint(): string {
    if (this.#fingerprint === '') {
      const { masterKey, masterSalt } = this.#key;
      const digest = createHash('sha256').update(masterKey).update(masterSalt).digest();
      this.#fingerprint = toHex(digest.subarray(0, 16));
    }
    return this.#fingerprint;
  }

  /** An authenticated packet has used this key. */
  get proven(): boolean {
    return this.streams.size > 0;
  }

  holds(key: SrtpKeyMaterial): boolean {
    return sameKeyMaterial(this.#key, key);
  }

  wipe(): void {
    this.transform.wipe();
    wipeKeyMaterial(this.#key);
    this.streams.clear();
  }
}
