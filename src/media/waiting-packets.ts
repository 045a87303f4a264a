/**
 * Packets of talkers whose keys could not be derived yet because a flood had used up the rates: they
 * wait 200 ms, so that a talker who is admitted at a later packet loses none of the words before.
 * They lie in one piece of memory of fixed size (1 MiB), which is made with the first of them and
 * given back when none has waited for a second; where it is full the oldest makes room.
 */

/** Whose packet it is, as far as it says itself. */
export interface WaitingSign {
  /** second half of the MKI */
  readonly gukId: number;
  readonly ssrc: number;
  readonly port: number;
}

export interface WaitingPacket {
  readonly packet: Uint8Array;
  readonly address: string;
  readonly port: number;
}

const SLOTS = 2_048;
/** octets; a longer packet does not wait */
const SLOT = 512;
const WAIT_MS = 200;
/** of one talker; so many frames of 20 ms fit into the wait, and whoever copies its sign gets no more tried at once */
const MOST_TAKEN = 12;
const CALM_MS = 1_000;

interface Slots {
  readonly octets: Uint8Array;
  readonly gukIds: Uint32Array;
  readonly ssrcs: Uint32Array;
  readonly ports: Uint16Array;
  /** 0: empty */
  readonly lengths: Uint16Array;
  readonly times: Float64Array;
  readonly addresses: string[];
}

export class WaitingPackets {
  readonly #dropped: (count: number) => void;
  #slots: Slots | null = null;
  #next = 0;
  #pushedAt = 0;

  /** @param dropped is told how many waited in vain */
  constructor(dropped: (count: number) => void) {
    this.#dropped = dropped;
  }

  /** Copies a packet. @returns false where it cannot wait */
  push(sign: WaitingSign, packet: Uint8Array, address: string, now: number): boolean {
    if (packet.length > SLOT || packet.length === 0) return false;
    this.#slots ??= newSlots();
    const { octets, gukIds, ssrcs, ports, lengths, times, addresses } = this.#slots;
    const at = this.#next;
    this.#next = (at + 1) % SLOTS;
    this.#pushedAt = now;
    if (lengths[at] !== 0) this.#dropped(1);
    octets.set(packet, at * SLOT);
    gukIds[at] = sign.gukId;
    ssrcs[at] = sign.ssrc;
    ports[at] = sign.port;
    lengths[at] = packet.length;
    times[at] = now;
    addresses[at] = address;
    return true;
  }

  /** What waits of this sign, the oldest first and the latest 12 at most, and waits no more. */
  take({ gukId, ssrc, port }: WaitingSign, now: number): WaitingPacket[] {
    const slots = this.#slots;
    if (slots === null) return [];
    const { octets, gukIds, ssrcs, ports, lengths, times, addresses } = slots;
    const taken: WaitingPacket[] = [];
    for (let i = 0; i < SLOTS; i += 1) {
      const at = (this.#next + i) % SLOTS;
      if (gukIds[at] !== gukId || ssrcs[at] !== ssrc || ports[at] !== port) continue;
      const length = lengths[at] ?? 0;
      if (length === 0 || now - (times[at] ?? 0) > WAIT_MS) continue;
      const packet = octets.slice(at * SLOT, at * SLOT + length);
      taken.push({ packet, address: addresses[at] ?? '', port });
      lengths[at] = 0;
    }
    const tooMany = taken.splice(0, Math.max(0, taken.length - MOST_TAKEN)).length;
    if (tooMany > 0) this.#dropped(tooMany);
    return taken;
  }

  /** Lets go what waited too long, and the memory when all is calm. */
  tick(now: number): void {
    if (this.#slots !== null) this.#letGo(now - WAIT_MS);
    if (this.#slots !== null && now - this.#pushedAt > CALM_MS) this.#slots = null;
  }

  /** Lets everything go. */
  drop(): void {
    this.#letGo(Infinity);
    this.#slots = null;
  }

  #letGo(before: number): void {
    const slots = this.#slots;
    if (slots === null) return;
    let gone = 0;
    for (let at = 0; at < SLOTS; at += 1) {
      if (slots.lengths[at] === 0 || (slots.times[at] ?? 0) >= before) continue;
      slots.lengths[at] = 0;
      gone += 1;
    }
    if (gone > 0) this.#dropped(gone);
  }
}

function newSlots(): Slots {
  return {
    octets: new Uint8Array(SLOTS * SLOT),
    gukIds: new Uint32Array(SLOTS),
    ssrcs: new Uint32Array(SLOTS),
    ports: new Uint16Array(SLOTS),
    lengths: new Uint16Array(SLOTS),
    times: new Float64Array(SLOTS),
    addresses: new Array<string>(SLOTS).fill(''),
  };
}
