/**
 * Packets in one piece of memory of fixed size, one behind the other whatever their lengths. Where it
 * is full the oldest make room. Nothing is made for a packet that is put in.
 */

/** Whose packet it is, as far as it says itself, and when it came. */
export interface RingSign {
  readonly gukId: number;
  readonly ssrc: number;
  readonly port: number;
  readonly address: string;
  /** milliseconds that never go back */
  readonly time: number;
}

export interface RingPacket {
  readonly packet: Uint8Array;
  readonly address: string;
  readonly time: number;
}

export class PacketRing {
  readonly #octets: Uint8Array;
  readonly #size: number;
  readonly #gukIds: Uint32Array;
  readonly #ssrcs: Uint32Array;
  readonly #ports: Uint16Array;
  readonly #starts: Uint32Array;
  /** 0: taken */
  readonly #lengths: Uint16Array;
  readonly #times: Float64Array;
  readonly #addresses: string[];
  /** of the oldest, and how many there are from it on, with those that were taken */
  #first = 0;
  #count = 0;
  /** where the next one would begin */
  #end = 0;

  constructor({ octets, packets }: { readonly octets: number; readonly packets: number }) {
    this.#octets = new Uint8Array(octets);
    this.#size = packets;
    this.#gukIds = new Uint32Array(packets);
    this.#ssrcs = new Uint32Array(packets);
    this.#ports = new Uint16Array(packets);
    this.#starts = new Uint32Array(packets);
    this.#lengths = new Uint16Array(packets);
    this.#times = new Float64Array(packets);
    this.#addresses = new Array<string>(packets).fill('');
  }

  /** Copies a packet of 1 to 65,535 octets. @returns how many made room; null where it never fits */
  push({ gukId, ssrc, port, address, time }: RingSign, packet: Uint8Array): number | null {
    const { length } = packet;
    if (length === 0 || length > 0xffff || length > this.#octets.length) return null;
    const start = this.#end + length > this.#octets.length ? 0 : this.#end;
    let madeRoom = 0;
    while (this.#count > 0 && !this.#fits(start, length)) madeRoom += this.#dropFirst();
    const at = (this.#first + this.#count) % this.#size;
    this.#octets.set(packet, start);
    this.#end = start + length;
    this.#gukIds[at] = gukId;
    this.#ssrcs[at] = ssrc;
    this.#ports[at] = port;
    this.#starts[at] = start;
    this.#lengths[at] = length;
    this.#times[at] = time;
    this.#addresses[at] = address;
    this.#count += 1;
    return madeRoom;
  }

  /** Copies of what waits under this sign, the oldest first; it waits no more. */
  take(gukId: number, ssrc: number, port: number): RingPacket[] {
    const taken: RingPacket[] = [];
    for (let i = 0; i < this.#count; i += 1) {
      const at = (this.#first + i) % this.#size;
      if (this.#ssrcs[at] !== ssrc || this.#gukIds[at] !== gukId || this.#ports[at] !== port) {
        continue;
      }
      const [start = 0, length = 0] = [this.#starts[at], this.#lengths[at]];
      if (length === 0) continue;
      const packet = this.#octets.slice(start, start + length);
      taken.push({ packet, address: this.#addresses[at] ?? '', time: this.#times[at] ?? 0 });
      this.#lengths[at] = 0;
    }
    return taken;
  }

  /** @returns how many came before this time and wait no more */
  letGo(before: number): number {
    let gone = 0;
    while (this.#count > 0 && (this.#times[this.#first] ?? 0) < before) gone += this.#dropFirst();
    return gone;
  }

  /** Whether nothing that is held lies in these octets, and there is a place for one more. */
  #fits(start: number, length: number): boolean {
    if (this.#count === this.#size) return false;
    const oldest = this.#starts[this.#first] ?? 0;
    // what is held lies from the oldest on to the end, around the edge where that is lower
    if (oldest < this.#end) return start >= this.#end || start + length <= oldest;
    return start + length <= oldest && start >= this.#end;
  }

  /** @returns 1, or 0 where it was taken before */
  #dropFirst(): number {
    const waited = this.#lengths[this.#first] === 0 ? 0 : 1;
    this.#lengths[this.#first] = 0;
    this.#first = (this.#first + 1) % this.#size;
    this.#count -= 1;
    return waited;
  }
}
