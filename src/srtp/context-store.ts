/**
 * What one receiver holds: contexts by framing and MKI, their streams, and the bounds on both.
 *
 * Bounds: live streams, contexts that a resolver made and nothing has yet proven, and the record of
 * evicted streams, which keeps only the index at and below which their packets are replays.
 */
import type { SrtpKeyMaterial } from './keys.js';
import { toHex } from '../base/bytes.js';
import { framingOf, type SrtpFraming } from './framing.js';
import { MkiTable } from './mki-table.js';
import { ReceiveContext, ReceiveStream } from './receive-context.js';

/** Asked once for each packet whose MKI is not held; must be quick and remember its own refusals. */
export interface MkiResolver {
  /** may change; `framingsChanged` tells so */
  readonly framings: readonly SrtpFraming[];
  /** Keys that the MKI of a packet may stand for (at most `candidatesPerMki` are taken); none: unknown. */
  resolve(mki: Uint8Array, ssrc: number): readonly SrtpKeyMaterial[];
  /**
   * Asked for each packet of an MKI that is held and under which nothing has authenticated yet: whether
   * it is to be tried. Not asked where it is missing.
   */
  triesAgain?(mki: Uint8Array, ssrc: number): boolean;
}

export interface SrtpReceiverLimits {
  /** live streams over all keys */
  readonly streams: number;
  /** evicted streams of which the highest index is kept; when full, no new stream is taken */
  readonly retired: number;
  /**
   * contexts from the resolver under which no packet has authenticated yet: as many as are derived
   * while a talker pauses between two packets, so that its keys are still here whoever had them derived
   */
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
  unproven: 512,
  resolved: 768,
  candidatesPerMki: 4,
  replayWindow: 256,
};

function sameFraming(a: SrtpFraming, b: SrtpFraming): boolean {
  return a.suite === b.suite && a.mkiLength === b.mkiLength && a.rocRate === b.rocRate;
}

/** Highest indexes of a stream that is no longer live; -1 where none was seen. */
interface RetiredStream {
  readonly rtp: number;
  readonly rtcp: number;
}

export class ContextStore {
  readonly tables: MkiTable[] = [];
  readonly #limits: SrtpReceiverLimits;
  readonly #resolver: MkiResolver | undefined;
  /** resolver contexts without a stream, the one longest unused first; and those with one */
  readonly #unproven = new Set<ReceiveContext>();
  readonly #proven = new Set<ReceiveContext>();
  /** "fingerprint/ssrc" of evicted streams to their highest indexes */
  readonly #retired = new Map<string, RetiredStream>();
  #streams = 0;

  constructor(limits: SrtpReceiverLimits, resolver: MkiResolver | undefined) {
    this.#limits = limits;
    this.#resolver = resolver;
    this.framingsChanged();
  }

  /** The resolver answers for packets of other framings from here on. */
  framingsChanged(): void {
    for (const framing of this.#resolver?.framings ?? []) this.#table(framing);
  }

  /** Live authenticated streams. */
  get streamCount(): number {
    return this.#streams;
  }

  get contextCount(): number {
    let count = 0;
    for (const table of this.tables) count += [...table.all()].length;
    return count;
  }

  /** The contexts of the MKI at `mkiAt`; asks the resolver where none is held. */
  find(
    table: MkiTable,
    packet: Uint8Array,
    mkiAt: number,
    ssrc: number,
  ): readonly ReceiveContext[] {
    const held = table.find(packet, mkiAt);
    if (held === undefined) return this.#resolve(table, packet, mkiAt, ssrc);
    if (this.#unproven.size === 0) return held;
    const isProven = held.some((context) => !this.#unproven.has(context));
    // also beside a proven one: the talker may go on under another of its keys
    this.#used(held);
    if (isProven) return held;
    const mki = packet.subarray(mkiAt, mkiAt + table.framing.mkiLength);
    return this.#resolver?.triesAgain?.(mki, ssrc) === false ? [] : held;
  }

  /** What is left of a stream that was evicted, or whose key was dropped. */
  retired(context: ReceiveContext, ssrc: number): RetiredStream | undefined {
    return this.#retired.size === 0 ? undefined : this.#retired.get(retiredKey(context, ssrc));
  }

  /** Highest index of this SSRC under any other key; -1 where there is none. */
  siblingIndex(context: ReceiveContext, ssrc: number): number {
    let index = -1;
    for (const table of this.tables) {
      for (const other of table.all()) {
        if (other !== context) index = Math.max(index, other.streams.get(ssrc)?.rtp.highest ?? -1);
      }
    }
    return index;
  }

  /** Adds keys beside those held. A key that is held already keeps its streams and windows. */
  addKeys(keys: readonly SrtpKeyMaterial[]): void {
    for (const key of keys) {
      if (!this.#find(key)) this.#table(framingOf(key)).add(new ReceiveContext(key, false));
    }
  }

  /** Holds exactly `keys` (besides what the resolver gave); the others are wiped. */
  replaceKeys(keys: readonly SrtpKeyMaterial[]): void {
    for (const table of this.tables) {
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

  /**
   * Drops every context whose MKI is or begins with `mki`, so that a resolver is asked again. The key
   * may have ended, so they go also where the record of evicted streams is full, which then grows by them.
   */
  forgetMki(mki: Uint8Array): void {
    const prefix = toHex(mki);
    for (const table of this.tables) {
      for (const context of [...table.all()]) {
        if (toHex(context.mki).startsWith(prefix)) this.#drop(table, context, true);
      }
    }
  }

  /** Overwrites every key; every packet is of an unknown MKI from then on. */
  wipe(): void {
    for (const table of this.tables) for (const context of table.all()) context.wipe();
    this.tables.length = 0;
    this.#unproven.clear();
    this.#proven.clear();
    this.#retired.clear();
    this.#streams = 0;
  }

  /** State for an SSRC that has just authenticated, making room by evicting the one idle longest. */
  admit(context: ReceiveContext, ssrc: number): ReceiveStream | null {
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
    if (this.#unproven.delete(context)) this.#proven.add(context);
    return stream;
  }

  /** Of those that are unproven the ones longest unused make room. */
  #used(contexts: readonly ReceiveContext[]): void {
    for (const context of contexts) {
      if (this.#unproven.delete(context)) this.#unproven.add(context);
    }
  }

  #evictStream(): boolean {
    let oldest: { context: ReceiveContext; stream: ReceiveStream } | undefined;
    for (const table of this.tables) {
      for (const context of table.all()) {
        for (const stream of context.streams.values()) {
          if (!oldest || stream.usedAt < oldest.stream.usedAt) oldest = { context, stream };
        }
      }
    }
    return oldest !== undefined && this.#retire(oldest.context, oldest.stream);
  }

  #retire(context: ReceiveContext, stream: ReceiveStream, always = false): boolean {
    if (!always && this.#retired.size >= this.#limits.retired) return false;
    this.#retired.set(retiredKey(context, stream.ssrc), {
      rtp: stream.rtp.highest,
      rtcp: stream.rtcp.highest,
    });
    context.streams.delete(stream.ssrc);
    this.#streams -= 1;
    if (!context.proven && this.#proven.delete(context)) this.#unproven.add(context);
    return true;
  }

  #resolve(
    table: MkiTable,
    packet: Uint8Array,
    mkiAt: number,
    ssrc: number,
  ): readonly ReceiveContext[] {
    const resolver = this.#resolver;
    const asks = resolver?.framings.some((framing) => sameFraming(framing, table.framing));
    if (!resolver || asks !== true) return [];
    const mki = new Uint8Array(packet.subarray(mkiAt, mkiAt + table.framing.mkiLength));
    const keys = resolver
      .resolve(mki, ssrc)
      .filter((key) => key.suite === table.framing.suite && key.rocRate === table.framing.rocRate)
      .slice(0, this.#limits.candidatesPerMki);
    const made: ReceiveContext[] = [];
    for (const key of keys) {
      if (!this.#makeRoom()) break;
      const context = new ReceiveContext({ ...key, ...table.framing, mki }, true);
      this.#unproven.add(context);
      table.add(context);
      made.push(context);
    }
    return made;
  }

  /** Room for one more resolver context: the idlest unproven goes first, then the idlest proven. */
  #makeRoom(): boolean {
    const [oldest] = this.#unproven;
    if (oldest && this.#unproven.size >= this.#limits.unproven) {
      return this.#drop(this.#table(oldest.framing), oldest);
    }
    if (this.#unproven.size + this.#proven.size < this.#limits.resolved) return true;
    const lastUse = (context: ReceiveContext): number =>
      Math.max(...[...context.streams.values()].map((stream) => stream.usedAt));
    const idlest = oldest ?? [...this.#proven].reduce((a, b) => (lastUse(b) < lastUse(a) ? b : a));
    return this.#drop(this.#table(idlest.framing), idlest);
  }

  /** Wipes a context; its streams leave only their highest indexes behind. */
  #drop(table: MkiTable, context: ReceiveContext, always = false): boolean {
    for (const stream of [...context.streams.values()]) {
      if (!this.#retire(context, stream, always) && context.resolved) return false;
    }
    this.#streams -= context.streams.size;
    table.remove(context);
    this.#unproven.delete(context);
    this.#proven.delete(context);
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
    const held = this.tables.find((table) => sameFraming(table.framing, framing));
    if (held) return held;
    const table = new MkiTable(framing);
    this.tables.push(table);
    return table;
  }
}

function retiredKey(context: ReceiveContext, ssrc: number): string {
  return `${context.fingerprint}/${ssrc}`;
}
