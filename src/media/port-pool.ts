/**
 * Free RTP ports of one side. Pairs start even (RFC 3550 section 11); they are drawn in random
 * order and a freed pair goes to the end of the queue, so that packets of an ended call do not meet
 * the next one.
 */
import type { RandomBytes } from '../base/environment.js';
import { bytesToUint } from '../base/bytes.js';
import { checkPortRange, type PortRange } from './options.js';

export class PortPool {
  readonly #free: number[] = [];

  constructor(range: PortRange, name: string, random: RandomBytes) {
    checkPortRange(range, name);
    for (let port = range.portMin + (range.portMin % 2); port < range.portMax; port += 2) {
      this.#free.push(port);
    }
    for (let i = this.#free.length - 1; i > 0; i--) {
      const j = Number(bytesToUint(random(4)) % BigInt(i + 1));
      const other = this.#free[j] ?? 0;
      this.#free[j] = this.#free[i] ?? 0;
      this.#free[i] = other;
    }
  }

  /** Free pairs. */
  get size(): number {
    return this.#free.length;
  }

  /** RTP port of a free pair, which is the taker's from now on; undefined when there is none. */
  take(): number | undefined {
    return this.#free.shift();
  }

  release(rtpPort: number): void {
    this.#free.push(rtpPort);
  }
}
