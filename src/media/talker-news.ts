/**
 * Who is heard, told at most ten times a second: a member who changes its SSRC or its name with each
 * packet would else make an event, a command to the PBX and a line in the log of each. What comes
 * sooner waits, and only the latest of it is told.
 */
import type { MediaEvent } from './types.js';

type TalkerEvent = Extract<MediaEvent, { type: 'talker' }>;

const APART_MS = 100;

export class TalkerNews {
  readonly #emit: (event: TalkerEvent) => void;
  #toldAt = -Infinity;
  #waiting: TalkerEvent | null = null;

  constructor(emit: (event: TalkerEvent) => void) {
    this.#emit = emit;
  }

  /** @param now milliseconds that never go back */
  heard(event: TalkerEvent, now: number): void {
    this.#waiting = event;
    this.tick(now);
  }

  /** Tells what has waited long enough. */
  tick(now: number): void {
    if (this.#waiting === null || now - this.#toldAt < APART_MS) return;
    const event = this.#waiting;
    this.#waiting = null;
    this.#toldAt = now;
    this.#emit(event);
  }
}
