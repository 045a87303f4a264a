/**
 * A key made of speech: on when the level stays above a threshold for the attack time, off when it was
 * below for the hang time or no packet came. Between the two thresholds nothing changes.
 */
import type { FloorInput } from './participant-types.js';

export interface TalkDetectorOptions {
  /** dBov at which speech begins */
  readonly onDbov: number;
  /** dBov below which it ends; not above `onDbov` */
  readonly offDbov: number;
  /** milliseconds of speech before the key is pressed */
  readonly attackMs: number;
  /** milliseconds of silence before it is let go */
  readonly hangMs: number;
}

const DEFAULT_TALK_DETECTOR: TalkDetectorOptions = {
  onDbov: -40,
  offDbov: -46,
  attackMs: 40,
  hangMs: 600,
};

export type TalkKey = Extract<FloorInput, { readonly kind: 'key-on' | 'key-off' }>;

export class TalkDetector {
  readonly #options: TalkDetectorOptions;
  #on = false;
  /** when the speech began that may become a key press; null in silence */
  #since: number | null = null;
  #lastSpeech = 0;

  constructor(options: TalkDetectorOptions = DEFAULT_TALK_DETECTOR) {
    this.#options = options;
  }

  get talking(): boolean {
    return this.#on;
  }

  /**
   * One packet. @returns the key when it moves
   * @param level dBov; null for a packet that says nothing about speech
   * @param packetMs duration of the packet
   * @param now milliseconds
   */
  packet(level: number | null, packetMs: number, now: number): TalkKey | null {
    if (level === null) return this.tick(now);
    const { onDbov, offDbov, attackMs } = this.#options;
    if (this.#on) {
      if (level >= offDbov) this.#lastSpeech = now;
      return this.tick(now);
    }
    if (level < onDbov) {
      this.#since = null;
      return null;
    }
    this.#since ??= now;
    if (now - this.#since + packetMs < attackMs) return null;
    this.#on = true;
    this.#lastSpeech = now;
    return { kind: 'key-on' };
  }

  /** Lets the key go when the packets stopped; to be called now and then. */
  tick(now: number): TalkKey | null {
    if (!this.#on || now - this.#lastSpeech < this.#options.hangMs) return null;
    this.#on = false;
    this.#since = null;
    return { kind: 'key-off' };
  }
}
