/**
 * Speech of the radio before the gate opens: packets of the last few hundred milliseconds, in their
 * order, so that the first syllable after a key press is not lost while the floor is asked for.
 */
import type { SpeechGate } from './participant-types.js';

export interface HeldSpeechOptions {
  /** milliseconds that are kept while the gate holds; older packets are dropped */
  readonly holdMs: number;
  /**
   * milliseconds that are kept while the gate is closed, for a key press that is only heard in the
   * speech itself; 0 keeps nothing
   */
  readonly preRollMs: number;
  /** packets that are kept at most, whatever their age */
  readonly maxPackets: number;
}

const DEFAULT_HELD_SPEECH: HeldSpeechOptions = {
  holdMs: 500,
  preRollMs: 0,
  maxPackets: 100,
};

interface Held {
  readonly packet: Uint8Array;
  readonly at: number;
}

export class HeldSpeech {
  readonly #options: HeldSpeechOptions;
  #held: Held[] = [];
  #gate: SpeechGate = 'closed';
  #lost = 0;

  constructor(options: HeldSpeechOptions = DEFAULT_HELD_SPEECH) {
    this.#options = options;
  }

  /** Packets that were given and never sent. */
  get dropped(): number {
    return this.#lost;
  }

  get count(): number {
    return this.#held.length;
  }

  /**
   * Moves the gate. What is returned is to be sent now, in this order, before any later packet. A
   * gate that closes drops everything.
   * @param now milliseconds, of the same clock as in `offer`
   */
  setGate(gate: SpeechGate, now: number): readonly Uint8Array[] {
    const before = this.#gate;
    this.#gate = gate;
    if (gate === 'closed' && before !== 'closed') this.#drop(this.#held.length);
    if (gate !== 'open') return [];
    this.#forget(now, this.#options.holdMs);
    const packets = this.#held.map(({ packet }) => packet);
    this.#held = [];
    return packets;
  }

  /**
   * One packet of the radio. True: send it. False: it is kept, copied, or dropped.
   * @param now milliseconds
   */
  offer(packet: Uint8Array, now: number): boolean {
    if (this.#gate === 'open') return true;
    const keepMs = this.#gate === 'hold' ? this.#options.holdMs : this.#options.preRollMs;
    if (keepMs <= 0 || this.#options.maxPackets <= 0) {
      this.#lost++;
      return false;
    }
    this.#held.push({ packet: packet.slice(), at: now });
    this.#forget(now, keepMs);
    this.#drop(this.#held.length - this.#options.maxPackets);
    return false;
  }

  #forget(now: number, keepMs: number): void {
    const young = this.#held.findIndex(({ at }) => now - at < keepMs);
    this.#drop(young < 0 ? this.#held.length : young);
  }

  #drop(count: number): void {
    if (count <= 0) return;
    this.#held.splice(0, count);
    this.#lost += count;
  }
}
