/**
 * The channels that the PBX has told us of, found by SIP Call-ID, and those who wait for one.
 * Pure bookkeeping: no I/O, no timer.
 */
import type { PbxSignal } from '../edge/ports/pbx-port.js';
import type { ChannelFacts } from './driver.js';

/** Who holds a channel. */
export interface Claim {
  /** called once when it ends */
  gone(): void;
  signal(signal: PbxSignal): void;
}

/** One known channel. */
interface Entry {
  facts: ChannelFacts;
  claim: Claim | undefined;
  /** number of the resync during or after which it was last heard of */
  heardIn: number;
  /** how often it was given back */
  releases: number;
}

/** Someone who waits for a channel with a Call-ID. */
interface Waiter {
  readonly callId: string;
  readonly handedOver: boolean;
  readonly found: (facts: ChannelFacts) => void;
}

/** How often a channel may be given back: redirections that lead in a circle end. */
const MAX_RELEASES = 5;

export class ChannelTable {
  readonly #entries = new Map<string, Entry>();
  readonly #byCallId = new Map<string, Set<Entry>>();
  readonly #waiters = new Map<string, Set<Waiter>>();
  readonly #limit: number;
  #resync = 0;
  /** channels that dial each other, both ways round */
  readonly #joined = new Map<string, Set<string>>();
  /** channels that ended on this link: late news or a list on its way may still name them */
  readonly #ended = new Set<string>();

  /** @param limit how many unclaimed channels are remembered; beyond it the oldest is forgotten */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Takes in what an event or a list tells; a Call-ID once known is kept, an ended channel stays ended. */
  heard(facts: ChannelFacts): void {
    if (this.#ended.has(facts.id)) return;
    const known = this.#entries.get(facts.id);
    const callId = facts.callId === '' ? (known?.facts.callId ?? '') : facts.callId;
    const entry = known ?? { facts, claim: undefined, heardIn: this.#resync, releases: 0 };
    if (known !== undefined) this.#unindex(known);
    entry.facts = { ...facts, callId };
    entry.heardIn = this.#resync;
    if (known === undefined) this.#entries.set(facts.id, entry);
    this.#index(entry);
    this.#forgetOldest();
    if (callId !== '') this.#tellWaiters(entry);
  }

  /** The dialplan has the channel back. */
  released(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.facts = { ...entry.facts, handedOver: false };
  }

  /** The channel has ended: it is forgotten and whoever claimed it is told. */
  gone(id: string): void {
    this.#ended.add(id);
    if (this.#ended.size > this.#limit) this.#ended.delete(first(this.#ended));
    for (const other of this.#joined.get(id) ?? []) {
      const rest = this.#joined.get(other);
      rest?.delete(id);
      if (rest?.size === 0) this.#joined.delete(other);
    }
    this.#joined.delete(id);
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#unindex(entry);
    entry.claim?.gone();
  }

  /** One of these channels dials the other: what is reported of one is said of both. */
  joined(a: string, b: string): void {
    if (this.#ended.has(a) || this.#ended.has(b) || this.#joined.size > this.#limit) return;
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#joined.set(one, (this.#joined.get(one) ?? new Set<string>()).add(other));
    }
  }

  /** Tells whoever holds the channel, or one that it is joined with. */
  signalled(id: string, signal: PbxSignal): void {
    for (const each of [id, ...(this.#joined.get(id) ?? [])]) {
      this.#entries.get(each)?.claim?.signal(signal);
    }
  }

  /** Unclaimed channels of this Call-ID; with `handedOver` only those that wait for the gateway. */
  find(callId: string, handedOver: boolean): ChannelFacts[] {
    const entries = [...(this.#byCallId.get(callId) ?? [])];
    return entries
      .filter((entry) => entry.claim === undefined && (!handedOver || entry.facts.handedOver))
      .map((entry) => entry.facts);
  }

  /** Calls `found` at the next news that fits, until the returned function is called. */
  wait(callId: string, handedOver: boolean, found: (facts: ChannelFacts) => void): () => void {
    const waiter = { callId, handedOver, found };
    const set = this.#waiters.get(callId) ?? new Set();
    this.#waiters.set(callId, set.add(waiter));
    return () => {
      set.delete(waiter);
      if (set.size === 0 && this.#waiters.get(callId) === set) this.#waiters.delete(callId);
    };
  }

  /** Marks the channel as somebody's. @returns false when it is gone or taken */
  claim(id: string, claim: Claim): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.claim !== undefined) return false;
    entry.claim = claim;
    return true;
  }

  /** The channel is nobody's again; one that was given back too often stays taken until it ends. */
  release(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.releases >= MAX_RELEASES) return;
    entry.releases += 1;
    entry.claim = undefined;
  }

  isClaimed(id: string): boolean {
    return this.#entries.get(id)?.claim !== undefined;
  }

  /** Channels that somebody holds. */
  claimed(): string[] {
    return [...this.#entries].filter(([, { claim }]) => claim !== undefined).map(([id]) => id);
  }

  /** Begins a resync on a new link: call before the PBX is asked for its list. */
  beginResync(): void {
    this.#resync++;
    this.#ended.clear();
  }

  /**
   * Ends a resync with the PBX's list. Claimed channels are gone unless they are among `held`, whatever
   * the list says of them; others are gone when neither in it nor heard of since `beginResync`.
   * @param held claimed channels that the PBX has just said to exist
   * @returns identifiers of all channels that live now
   */
  endResync(list: readonly ChannelFacts[], held: ReadonlySet<string>): Set<string> {
    for (const id of this.claimed()) if (!held.has(id)) this.gone(id);
    for (const facts of list) this.heard(facts);
    const missing = [...this.#entries].filter(
      ([, { claim, heardIn }]) => claim === undefined && heardIn !== this.#resync,
    );
    for (const [id] of missing) this.gone(id);
    return new Set(this.#entries.keys());
  }

  /** Forgets everything without telling anybody. */
  clear(): void {
    this.#entries.clear();
    this.#byCallId.clear();
    this.#waiters.clear();
    this.#ended.clear();
    this.#joined.clear();
  }

  #tellWaiters(entry: Entry): void {
    if (entry.claim !== undefined) return;
    for (const waiter of [...(this.#waiters.get(entry.facts.callId) ?? [])]) {
      if (!waiter.handedOver || entry.facts.handedOver) waiter.found(entry.facts);
    }
  }

  #index(entry: Entry): void {
    const { callId } = entry.facts;
    if (callId === '') return;
    const set = this.#byCallId.get(callId) ?? new Set();
    this.#byCallId.set(callId, set.add(entry));
  }

  #unindex(entry: Entry): void {
    const { callId } = entry.facts;
    const set = this.#byCallId.get(callId);
    set?.delete(entry);
    if (set?.size === 0) this.#byCallId.delete(callId);
  }

  #forgetOldest(): void {
    if (this.#entries.size <= this.#limit) return;
    for (const [id, entry] of this.#entries) {
      if (entry.claim !== undefined) continue;
      this.#entries.delete(id);
      this.#unindex(entry);
      return;
    }
  }
}

/** The oldest member of a set that has one. */
function first(set: ReadonlySet<string>): string {
  for (const value of set) return value;
  return '';
}
