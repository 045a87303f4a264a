/**
 * Receiving side of SRTP and SRTCP for one session: any number of master keys, told apart by MKI,
 * and any number of SSRCs under each.
 *
 * Order for each packet: syntax, MKI, replay window, authentication, and only then state. A
 * roll-over counter that the packet carries is tried as it is not covered by the tag: a wrong one
 * makes a wrong nonce and fails, so it is believed only through the tag. Without one, a stream that
 * is new under its key begins at ROC 0, just above a wrap whose packets were lost, or where the same
 * SSRC stands under another key of this session (a re-key in mid-stream).
 */
import {
  ContextStore,
  DEFAULT_RECEIVER_LIMITS,
  type MkiResolver,
  type SrtpReceiverLimits,
} from './context-store.js';
import { TAG_LENGTH, type SrtpKeyMaterial } from './keys.js';
import { afterMki, rocLengthOf } from './framing.js';
import { MAX_PACKET_INDEX, packetIndex, readUint32 } from './octets.js';
import { estimateIndex, type ReceiveContext } from './receive-context.js';
import { rtpHeaderLength, rtpSequenceNumber, rtpSsrc } from './rtp.js';

export type UnprotectFailure = 'malformed' | 'unknown-mki' | 'replay' | 'auth' | 'stream-limit';

export type UnprotectResult =
  | {
      readonly ok: true;
      /** clear RTP or RTCP packet; its memory is the receiver's caller's to reuse */
      readonly packet: Uint8Array;
      readonly ssrc: number;
      /** 48-bit packet index, or the 31-bit SRTCP index */
      readonly index: number;
      readonly mki: Uint8Array;
      /** no packet of this stream had a higher index before */
      readonly newest: boolean;
      /** nothing of this stream has authenticated before */
      readonly first: boolean;
    }
  | { readonly ok: false; readonly reason: UnprotectFailure };

export interface SrtpReceiverOptions {
  readonly keys?: readonly SrtpKeyMaterial[];
  readonly resolver?: MkiResolver;
  readonly limits?: Partial<SrtpReceiverLimits>;
}

const FAILURES = {
  malformed: Object.freeze({ ok: false, reason: 'malformed' }),
  'unknown-mki': Object.freeze({ ok: false, reason: 'unknown-mki' }),
  replay: Object.freeze({ ok: false, reason: 'replay' }),
  auth: Object.freeze({ ok: false, reason: 'auth' }),
  'stream-limit': Object.freeze({ ok: false, reason: 'stream-limit' }),
} as const satisfies Record<UnprotectFailure, UnprotectResult>;

/** A stream without a ROC whose first packets were lost may begin just above a wrap. */
const FIRST_WRAP_GRACE = 0x1000;
const MAX_SEQUENCE = 0xffff;
const RTCP_HEADER = 8;

export class SrtpReceiver {
  readonly #store: ContextStore;
  #uses = 0;
  /** packets that authenticated under another ROC than their sequence number let expect */
  rocJumps = 0;

  /** Copies the keys; the caller's stay the caller's to wipe. */
  constructor(options: SrtpReceiverOptions) {
    const limits = { ...DEFAULT_RECEIVER_LIMITS, ...options.limits };
    this.#store = new ContextStore(limits, options.resolver);
    this.addKeys(options.keys ?? []);
  }

  /** Live authenticated streams. */
  get streamCount(): number {
    return this.#store.streamCount;
  }

  /** Keys held, with those that a resolver gave. */
  get contextCount(): number {
    return this.#store.contextCount;
  }

  /** Adds keys beside those held. A key that is held already keeps its streams and windows. */
  addKeys(keys: readonly SrtpKeyMaterial[]): void {
    this.#store.addKeys(keys);
  }

  /** Holds exactly `keys` (besides what the resolver gave); the others are wiped. */
  replaceKeys(keys: readonly SrtpKeyMaterial[]): void {
    this.#store.replaceKeys(keys);
  }

  /** Drops and wipes the context of each of `keys` that is held. */
  dropKeys(keys: readonly SrtpKeyMaterial[]): void {
    this.#store.dropKeys(keys);
  }

  /** The resolver answers for other framings than before. */
  framingsChanged(): void {
    this.#store.framingsChanged();
  }

  /** Drops every context whose MKI is or begins with `mki`, so that a resolver is asked again. */
  forgetMki(mki: Uint8Array): void {
    this.#store.forgetMki(mki);
  }

  /** Clear RTP packet with its header as received. */
  unprotect(packet: Uint8Array): UnprotectResult {
    const headerLength = rtpHeaderLength(packet);
    if (headerLength < 0) return FAILURES.malformed;
    const sequence = rtpSequenceNumber(packet);
    const ssrc = rtpSsrc(packet);
    let failure: UnprotectFailure = 'malformed';
    for (const table of this.#store.tables) {
      const rocLength = rocLengthOf(table.framing, sequence);
      const { suite, mkiLength } = table.framing;
      const least = headerLength + TAG_LENGTH[suite] + mkiLength + rocLength;
      if (packet.length < least) continue;
      const mkiAt = packet.length - afterMki(table.framing, rocLength) - mkiLength;
      const contexts = this.#store.find(table, packet, mkiAt, ssrc);
      if (contexts.length === 0) {
        if (failure === 'malformed') failure = 'unknown-mki';
        continue;
      }
      for (const context of inOrder(contexts, ssrc)) {
        const result = this.#openRtp(context, packet, headerLength, ssrc, sequence, rocLength);
        if (result.ok) return result;
        if (failure !== 'replay') failure = result.reason;
      }
    }
    return FAILURES[failure];
  }

  /** Clear RTCP compound packet. */
  unprotectRtcp(packet: Uint8Array): UnprotectResult {
    if (packet.length < RTCP_HEADER || (packet[0] ?? 0) >>> 6 !== 2) return FAILURES.malformed;
    const ssrc = readUint32(packet, 4);
    let failure: UnprotectFailure = 'malformed';
    for (const table of this.#store.tables) {
      const { suite, mkiLength } = table.framing;
      if (packet.length < RTCP_HEADER + TAG_LENGTH[suite] + 4 + mkiLength) continue;
      const mkiAt = packet.length - afterMki(table.framing, 0) - mkiLength;
      const contexts = this.#store.find(table, packet, mkiAt, ssrc);
      if (contexts.length === 0) {
        if (failure === 'malformed') failure = 'unknown-mki';
        continue;
      }
      const word = readUint32(packet, mkiAt - 4);
      for (const context of inOrder(contexts, ssrc)) {
        const result = this.#openRtcp(context, packet, ssrc, word);
        if (result.ok) return result;
        if (failure !== 'replay') failure = result.reason;
      }
    }
    return FAILURES[failure];
  }

  /** Overwrites every key; every packet is of an unknown MKI from then on. */
  wipe(): void {
    this.#store.wipe();
  }

  #openRtp(
    context: ReceiveContext,
    packet: Uint8Array,
    headerLength: number,
    ssrc: number,
    sequence: number,
    rocLength: number,
  ): UnprotectResult {
    const stream = context.streams.get(ssrc);
    const floor = stream ? -1 : (this.#store.retired(context, ssrc)?.rtp ?? -1);
    const guess = stream?.estimate(sequence) ?? (floor < 0 ? -1 : estimateIndex(floor, sequence));
    let likely = guess;
    let second = -1;
    if (rocLength > 0) {
      likely = packetIndex(readUint32(packet, packet.length - rocLength), sequence);
      if (guess !== likely) second = guess;
    } else if (guess < 0) {
      const sibling = this.#store.siblingIndex(context, ssrc);
      likely = sequence;
      if (sibling > MAX_SEQUENCE) second = estimateIndex(sibling, sequence);
      else if (sequence < FIRST_WRAP_GRACE) second = packetIndex(1, sequence);
    }
    let failure: UnprotectFailure = 'replay';
    for (const index of [likely, second]) {
      if (index < 0 || index > MAX_PACKET_INDEX) continue;
      if (index <= floor || (stream && !stream.rtp.isNew(index))) continue;
      const clear = context.transform.openRtp(packet, headerLength, ssrc, index, rocLength);
      if (!clear) {
        failure = 'auth';
        continue;
      }
      const entered = stream ?? this.#store.admit(context, ssrc);
      if (!entered) return FAILURES['stream-limit'];
      if (stream && index !== guess) this.rocJumps += 1;
      const newest = index > entered.rtp.highest;
      entered.rtp.enter(index);
      entered.usedAt = ++this.#uses;
      const first = stream === undefined;
      return { ok: true, packet: clear, ssrc, index, mki: context.mki, newest, first };
    }
    return FAILURES[failure];
  }

  #openRtcp(
    context: ReceiveContext,
    packet: Uint8Array,
    ssrc: number,
    word: number,
  ): UnprotectResult {
    const index = (word & 0x7fff_ffff) >>> 0;
    const stream = context.streams.get(ssrc);
    const floor = stream ? -1 : (this.#store.retired(context, ssrc)?.rtcp ?? -1);
    if (index <= floor || (stream && !stream.rtcp.isNew(index))) return FAILURES.replay;
    const clear = context.transform.openRtcp(packet, ssrc, word);
    if (!clear) return FAILURES.auth;
    const entered = stream ?? this.#store.admit(context, ssrc);
    if (!entered) return FAILURES['stream-limit'];
    const newest = index > entered.rtcp.highest;
    entered.rtcp.enter(index);
    const first = stream === undefined;
    return { ok: true, packet: clear, ssrc, index, mki: context.mki, newest, first };
  }
}

/** The contexts of one MKI, the one that already knows the SSRC first. */
function inOrder(contexts: readonly ReceiveContext[], ssrc: number): readonly ReceiveContext[] {
  if (contexts.length < 2) return contexts;
  const known = contexts.find((context) => context.streams.has(ssrc));
  return known ? [known, ...contexts.filter((context) => context !== known)] : contexts;
}
