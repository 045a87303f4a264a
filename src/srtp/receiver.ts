/**
 * Receiving side of SRTP and SRTCP for one session: any number of master keys, told apart by MKI,
 * and any number of SSRCs under each.
 *
 * Order for each packet: syntax, MKI, replay window, authentication, and only then state. A
 * roll-over counter that the packet carries is tried as it is not covered by the tag: a wrong one
 * makes a wrong nonce and fails, so it is believed only through the tag.
 *
 * Bounds: live streams, contexts that a resolver made and nothing has yet proven, and the record of
 * evicted streams, which keeps only the index below which their packets are replays.
 */
import { ReceiveContext, ReceiveStream } from './receive-context.js';
import { TAG_LENGTH, type SrtpKeyMaterial } from './keys.js';
import { afterMki, framingOf, MkiTable, rocLengthOf, type SrtpFraming } from './mki-table.js';
import { MAX_PACKET_INDEX, packetIndex, readUint32 } from './octets.js';
import { rtpHeaderLength, rtpSequenceNumber, rtpSsrc } from './rtp.js';
import { toHex } from '../base/bytes.js';

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
    }
  | { readonly ok: false; readonly reason: UnprotectFailure };

/** Asked once for each packet whose MKI is not held; must be quick and remember its own refusals. */
export interface MkiResolver {
  readonly framing: SrtpFraming;
  /** Keys that the MKI may stand for (at most `candidatesPerMki` are taken); none: unknown. */
  resolve(mki: Uint8Array): readonly SrtpKeyMaterial[];
}

export interface SrtpReceiverLimits {
  /** live streams over all keys */
  readonly streams: number;
  /** evicted streams of which the highest index is kept; when full, no new stream is taken */
  readonly retired: number;
  /** contexts from the resolver under which no packet has authenticated yet */
  readonly unproven: number;
  /** contexts from the resolver in all */
  readonly resolved: number;
  readonly candidatesPerMki: number;
  /** packets below the highest index that may still come; a multiple of 32 */
  readonly replayWindow: number;
}

export const DEFAULT_RECEIVER_LIMITS: SrtpReceiverLimits = {
  streams: 64,
  retired: 65_536,
  unproven: 16,
  resolved: 256,
  candidatesPerMki: 4,
  replayWindow: 256,
};

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
const RTCP_HEADER = 8;

function sameFraming(a: SrtpFraming, b: SrtpFraming): boolean {
  return a.suite === b.suite && a.mkiLength === b.mkiLength && a.rocRate === b.rocRate;
}

export class SrtpReceiver {
  readonly #limits: SrtpReceiverLimits;
  readonly #resolver: MkiResolver | undefined;
  readonly #tables: MkiTable[] = [];
  /** resolver contexts, least recently made first */
  readonly #resolved = new Set<ReceiveContext>();
  /** "fingerprint/ssrc" of evicted streams to their highest indexes */
  readonly #retired = new Map<string, { rtp: number; rtcp: number }>();
  #streams = 0;
  #uses = 0;

  /** Copies the keys; the caller's stay the caller's to wipe. */
  constructor(options: SrtpReceiverOptions) {
    this.#limits = { ...DEFAULT_RECEIVER_LIMITS, ...options.limits };
    this.#resolver = options.resolver;
    if (this.#resolver) this.#table(this.#resolver.framing);
    this.addKeys(options.keys ?? []);
  }

  /** Live authenticated streams. */
  get streamCount(): number {
    return this.#streams;
  }

  /** Keys held, with those that a resolver gave. */
  get contextCount(): number {
    let count = 0;
    for (const table of this.#tables) count += [...table.all()].length;
    return count;
  }

  /** Adds keys beside those held. A key that is held already keeps its streams and windows. */
  addKeys(keys: readonly SrtpKeyMaterial[]): void {
    for (const key of keys) {
      if (!this.#find(key)) this.#table(framingOf(key)).add(new ReceiveContext(key, false));
    }
  }

  /** Holds exactly `keys` (besides what the resolver gave); the others are wiped. */
  replaceKeys(keys: readonly SrtpKeyMaterial[]): void {
    for (const table of this.#tables) {
      for (const context of [...table.all()]) {
        if (!context.resolved && !keys.some((key) => context.holds(key))) {
          this.#drop(table, context);
        }
      }
    }
    this.addKeys(keys);
  }

  /** Drops and wipes the context of each of `keys` that is held. */
  dropKeys(keys: readonly SrtpKeyMaterial[]): void {
    for (const key of keys) {
      const context = this.#find(key);
      if (context) this.#drop(this.#table(framingOf(key)), context);
    }
  }

  /** Drops every context whose MKI is or begins with `mki`, so that a resolver is asked again. */
  forgetMki(mki: Uint8Array): void {
    const prefix = toHex(mki);
    for (const table of this.#tables) {
      for (const context of [...table.all()]) {
        if (toHex(context.mki).startsWith(prefix)) this.#drop(table, context);
      }
    }
  }

  /** Clear RTP packet with its header as received. */
  unprotect(packet: Uint8Array): UnprotectResult {
    const headerLength = rtpHeaderLength(packet);
    if (headerLength < 0) return FAILURES.malformed;
    const sequence = rtpSequenceNumber(packet);
    let failure: UnprotectFailure = 'malformed';
    for (const table of this.#tables) {
      const rocLength = rocLengthOf(table.framing, sequence);
      const { suite, mkiLength } = table.framing;
      const least = headerLength + TAG_LENGTH[suite] + mkiLength + rocLength;
      if (packet.length < least) continue;
      const mkiAt = packet.length - afterMki(table.framing, rocLength) - mkiLength;
      const contexts = table.find(packet, mkiAt) ?? this.#resolve(table, packet, mkiAt);
      if (contexts.length === 0) {
        if (failure === 'malformed') failure = 'unknown-mki';
        continue;
      }
      for (const context of inOrder(contexts, rtpSsrc(packet))) {
        const result = this.#openRtp(context, packet, headerLength, sequence, rocLength);
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
    for (const table of this.#tables) {
      const { suite, mkiLength } = table.framing;
      if (packet.length < RTCP_HEADER + TAG_LENGTH[suite] + 4 + mkiLength) continue;
      const mkiAt = packet.length - afterMki(table.framing, 0) - mkiLength;
      const contexts = table.find(packet, mkiAt) ?? this.#resolve(table, packet, mkiAt);
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
    for (const table of this.#tables) for (const context of table.all()) context.wipe();
    this.#tables.length = 0;
    this.#resolved.clear();
    this.#retired.clear();
    this.#streams = 0;
  }

  #openRtp(
    context: ReceiveContext,
    packet: Uint8Array,
    headerLength: number,
    sequence: number,
    rocLength: number,
  ): UnprotectResult {
    const ssrc = rtpSsrc(packet);
    const stream = context.streams.get(ssrc);
    const floor = stream ? -1 : (this.#retired.get(retiredKey(context, ssrc))?.rtp ?? -1);
    const guess = stream?.estimate(sequence) ?? -1;
    let first = guess;
    let second = -1;
    if (rocLength > 0) {
      first = packetIndex(readUint32(packet, packet.length - rocLength), sequence);
      if (guess !== first) second = guess;
    } else if (guess < 0) {
      first = sequence;
      if (sequence < FIRST_WRAP_GRACE) second = packetIndex(1, sequence);
    }
    let failure: UnprotectFailure = 'replay';
    for (const index of [first, second]) {
      if (index < 0 || index > MAX_PACKET_INDEX) continue;
      if (index <= floor || (stream && !stream.rtp.isNew(index))) continue;
      const clear = context.transform.openRtp(packet, headerLength, ssrc, index, rocLength);
      if (!clear) {
        failure = 'auth';
        continue;
      }
      const entered = stream ?? this.#admit(context, ssrc);
      if (!entered) return FAILURES['stream-limit'];
      const newest = index > entered.rtp.highest;
      entered.rtp.enter(index);
      entered.usedAt = ++this.#uses;
      return { ok: true, packet: clear, ssrc, index, mki: context.mki, newest };
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
    const floor = stream ? -1 : (this.#retired.get(retiredKey(context, ssrc))?.rtcp ?? -1);
    if (index <= floor || (stream && !stream.rtcp.isNew(index))) return FAILURES.replay;
    const clear = context.transform.openRtcp(packet, ssrc, word);
    if (!clear) return FAILURES.auth;
    const entered = stream ?? this.#admit(context, ssrc);
    if (!entered) return FAILURES['stream-limit'];
    const newest = index > entered.rtcp.highest;
    entered.rtcp.enter(index);
    return { ok: true, packet: clear, ssrc, index, mki: context.mki, newest };
  }

  /** State for an SSRC that has just authenticated, making room by evicting the one idle longest. */
  #admit(context: ReceiveContext, ssrc: number): ReceiveStream | null {
    if (this.#streams >= this.#limits.streams && !this.#evictStream()) return null;
    const stream = new ReceiveStream(ssrc, this.#limits.replayWindow);
    const retired = this.#retired.get(retiredKey(context, ssrc));
    if (retired) {
      stream.rtp.close(retired.rtp);
      stream.rtcp.close(retired.rtcp);
      this.#retired.delete(retiredKey(context, ssrc));
    }
    context.streams.set(ssrc, stream);
    this.#streams += 1;
    return stream;
  }

  #evictStream(): boolean {
    let oldest: { context: ReceiveContext; stream: ReceiveStream } | undefined;
    for (const table of this.#tables) {
      for (const context of table.all()) {
        for (const stream of context.streams.values()) {
          if (!oldest || stream.usedAt < oldest.stream.usedAt) oldest = { context, stream };
        }
      }
    }
    return oldest !== undefined && this.#retire(oldest.context, oldest.stream);
  }

  #retire(context: ReceiveContext, stream: ReceiveStream): boolean {
    if (this.#retired.size >= this.#limits.retired) return false;
    this.#retired.set(retiredKey(context, stream.ssrc), {
      rtp: stream.rtp.highest,
      rtcp: stream.rtcp.highest,
    });
    context.streams.delete(stream.ssrc);
    this.#streams -= 1;
    return true;
  }

  #resolve(table: MkiTable, packet: Uint8Array, mkiAt: number): readonly ReceiveContext[] {
    const resolver = this.#resolver;
    if (!resolver || !sameFraming(table.framing, resolver.framing)) return [];
    const mki = new Uint8Array(packet.subarray(mkiAt, mkiAt + table.framing.mkiLength));
    const keys = resolver.resolve(mki).slice(0, this.#limits.candidatesPerMki);
    const made: ReceiveContext[] = [];
    for (const key of keys) {
      if (!this.#makeRoom(table)) break;
      const context = new ReceiveContext({ ...key, ...table.framing, mki }, true);
      this.#resolved.add(context);
      table.add(context);
      made.push(context);
    }
    return made;
  }

  /** Room for one more resolver context: the oldest unproven goes first, then the idlest proven. */
  #makeRoom(table: MkiTable): boolean {
    const unproven = [...this.#resolved].filter((context) => !context.proven);
    const oldest = unproven[0];
    if (oldest && unproven.length >= this.#limits.unproven) this.#drop(table, oldest);
    if (this.#resolved.size < this.#limits.resolved) return true;
    let idlest = oldest;
    if (!idlest || !this.#resolved.has(idlest)) {
      const lastUse = (context: ReceiveContext): number =>
        Math.max(...[...context.streams.values()].map((stream) => stream.usedAt));
      idlest = [...this.#resolved].reduce((a, b) => (lastUse(b) < lastUse(a) ? b : a));
    }
    return this.#drop(table, idlest);
  }

  /** Wipes a context; its streams leave only their highest indexes behind. */
  #drop(table: MkiTable, context: ReceiveContext): boolean {
    for (const stream of [...context.streams.values()]) {
      if (!this.#retire(context, stream) && context.resolved) return false;
    }
    this.#streams -= context.streams.size;
    table.remove(context);
    this.#resolved.delete(context);
    context.wipe();
    return true;
  }

  #find(key: SrtpKeyMaterial): ReceiveContext | undefined {
    for (const context of this.#table(framingOf(key)).all()) {
      if (context.holds(key)) return context;
    }
    return undefined;
  }

  #table(framing: SrtpFraming): MkiTable {
    const held = this.#tables.find((table) => sameFraming(table.framing, framing));
    if (held) return held;
    const table = new MkiTable(framing);
    this.#tables.push(table);
    return table;
  }
}

function retiredKey(context: ReceiveContext, ssrc: number): string {
  return `${context.fingerprint}/${ssrc}`;
}

/** The contexts of one MKI, the one that already knows the SSRC first. */
function inOrder(contexts: readonly ReceiveContext[], ssrc: number): readonly ReceiveContext[] {
  if (contexts.length < 2) return contexts;
  const known = contexts.find((context) => context.streams.has(ssrc));
  return known ? [known, ...contexts.filter((context) => context !== known)] : contexts;
}
