/** Digits sent as telephone-events (RFC 4733): 100 ms each, their end told three times, a pause between. */
import type { TimerHandle, Timers } from '../base/environment.js';
import type { InsertedEvent } from './path-streams.js';

const DIGITS = '0123456789*#ABCD';
const FRAME_MS = 20;
/** RTP clock of telephone-events here, ticks of one frame. */
const FRAME_TICKS = 160;
const FRAMES = 5;
const END_FRAMES = 3;
const PAUSE_FRAMES = 4;
const END_BIT = 0x80;
/** -10 dBm0 */
const VOLUME = 10;
/** Packets that wait at most; what is dialled beyond them is forgotten. */
const MAX_WAITING = 200;

export class Dialler {
  readonly #timers: Timers;
  readonly #send: (event: InsertedEvent) => void;
  /** null is a frame of pause */
  readonly #waiting: (InsertedEvent | null)[] = [];
  #timer: TimerHandle | undefined;

  constructor(timers: Timers, send: (event: InsertedEvent) => void) {
    this.#timers = timers;
    this.#send = send;
  }

  /** @param payloadType null where the PBX takes no telephone-events: nothing is dialled */
  dial(digits: string, payloadType: number | null): void {
    if (payloadType === null) return;
    for (const digit of digits) {
      const event = DIGITS.indexOf(digit);
      if (event >= 0 && this.#waiting.length < MAX_WAITING) {
        this.#waiting.push(...framesOf(event, payloadType));
      }
    }
    if (this.#timer === undefined) this.#next();
  }

  /** Forgets what waits. */
  stop(): void {
    this.#waiting.length = 0;
    if (this.#timer !== undefined) this.#timers.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #next(): void {
    const frame = this.#waiting.shift();
    this.#timer = undefined;
    if (frame === undefined) return;
    if (frame !== null) this.#send(frame);
    this.#timer = this.#timers.setTimeout(() => this.#next(), FRAME_MS);
  }
}

function framesOf(event: number, payloadType: number): (InsertedEvent | null)[] {
  const frame = (place: number, end: boolean): InsertedEvent => {
    const ticks = Math.min(place, FRAMES) * FRAME_TICKS;
    const flags = (end ? END_BIT : 0) | VOLUME;
    const payload = Uint8Array.of(event, flags, ticks >> 8, ticks & 0xff);
    return { payloadType, payload, first: place === 1 };
  };
  return [
    ...Array.from({ length: FRAMES }, (_, i) => frame(i + 1, false)),
    ...Array.from({ length: END_FRAMES }, (_, i) => frame(FRAMES + i + 1, true)),
    ...Array.from({ length: PAUSE_FRAMES }, () => null),
  ];
}
