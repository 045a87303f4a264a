/**
 * Packets of talkers whose keys could not be derived yet because a flood had used up the rates: they
 * wait 200 ms, so that a talker who is admitted at a later packet loses none of the words before.
 * They lie in two rings of fixed size (1 MiB together), one for packets as long as those of speech, so
 * that a flood of long ones does not push it out, and one for longer ones up to a whole datagram. A
 * ring is made with its first packet; all are given back when none has waited for a second.
 */
import { rtpSequenceNumber } from '../srtp/index.js';
import { PacketRing } from './packet-ring.js';

/** Whose packet it is, as far as it says itself. */
export interface WaitingSign {
  /** second half of the MKI */
  readonly gukId: number;
  readonly ssrc: number;
  readonly port: number;
}

/** A talker whose first packet has authenticated. */
export interface Began extends WaitingSign {
  /** RTP sequence number of that packet */
  readonly sequence: number;
}

export interface WaitingPacket {
  readonly packet: Uint8Array;
  readonly address: string;
  readonly port: number;
}

/** octets of the longest packet that counts as short */
const SHORT = 512;
const SHORT_RING = { octets: 786_432, packets: 4_096 };
const LONG_RING = { octets: 262_144, packets: 512 };
const WAIT_MS = 200;
/** packets that a talker may have said while it waited, at 100 a second */
const MOST_BEFORE = 20;
/** of one talker, with those that others sent under its sign: so many are tried at once */
const MOST_TAKEN = 64;
const CALM_MS = 1_000;

export class WaitingPackets {
  readonly #dropped: (count: number) => void;
  #rings: { readonly short: PacketRing; readonly long: PacketRing } | null = null;
  #pushedAt = 0;

  /** @param dropped is told how many waited in vain */
  constructor(dropped: (count: number) => void) {
    this.#dropped = dropped;
  }

  /** Copies a packet. @returns false where it cannot wait */
  push(sign: WaitingSign, packet: Uint8Array, address: string, now: number): boolean {
    this.#rings ??= { short: new PacketRing(SHORT_RING), long: new PacketRing(LONG_RING) };
    const ring = packet.length <= SHORT ? this.#rings.short : this.#rings.long;
    const madeRoom = ring.push({ ...sign, address, time: now }, packet);
    if (madeRoom === null) return false;
    this.#pushedAt = now;
    if (madeRoom > 0) this.#dropped(madeRoom);
    return true;
  }

  /**
   * What waits of this talker and came shortly before the packet that has authenticated, the oldest
   * first and the latest 64 at most. What else waits under its sign is not the talker's, and is let go.
   */
  take({ gukId, ssrc, port, sequence }: Began, now: number): WaitingPacket[] {
    if (this.#rings === null) return [];
    const { short, long } = this.#rings;
    const found = [short, long].flatMap((ring) => ring.take(gukId, ssrc, port));
    const mayBe = found
      .filter(({ packet, time }) => now - time <= WAIT_MS && isBefore(packet, sequence))
      .sort((a, b) => a.time - b.time)
      .slice(-MOST_TAKEN);
    if (found.length > mayBe.length) this.#dropped(found.length - mayBe.length);
    return mayBe.map(({ packet, address }) => ({ packet, address, port }));
  }

  /** Lets go what waited too long, and the memory when all is calm. */
  tick(now: number): void {
    if (this.#rings !== null) this.#letGo(now - WAIT_MS);
    if (this.#rings !== null && now - this.#pushedAt > CALM_MS) this.#rings = null;
  }

  /** Lets everything go. */
  drop(): void {
    this.#letGo(Infinity);
    this.#rings = null;
  }

  #letGo(before: number): void {
    if (this.#rings === null) return;
    const gone = this.#rings.short.letGo(before) + this.#rings.long.letGo(before);
    if (gone > 0) this.#dropped(gone);
  }
}

function isBefore(packet: Uint8Array, sequence: number): boolean {
  const behind = (sequence - rtpSequenceNumber(packet)) & 0xffff;
  return behind > 0 && behind <= MOST_BEFORE;
}
