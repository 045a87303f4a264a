/**
 * Names of the dialogs that INVITEs of MC systems open, as the replay record and the audit log know
 * them. A caller that is refused before any media was armed tries again with the same Call-ID and
 * tag, and for a short while that is the same dialog. Once its media was armed, or after that while,
 * or in another run of the gateway, an INVITE with the same identifiers opens another dialog: so
 * nobody who recorded a call can have its I_MESSAGE opened again and play its packets to the radio.
 */
import { toHex } from '../../base/bytes.js';
import type { RandomBytes, TimerHandle, Timers } from '../../base/environment.js';

interface Kept {
  readonly name: string;
  readonly timer: TimerHandle;
}

const MAX_KEPT = 1024;

export class Attempts {
  readonly #timers: Timers;
  readonly #random: RandomBytes;
  readonly #keepMs: number;
  readonly #kept = new Map<string, Kept>();

  /** @param keepMs how long a refused attempt may be repeated, in milliseconds */
  constructor(timers: Timers, random: RandomBytes, keepMs: number) {
    this.#timers = timers;
    this.#random = random;
    this.#keepMs = keepMs;
  }

  /**
   * The name for an INVITE of `partner`: that of its refused attempt, else a new one.
   * @param identifiers Call-ID and From tag
   */
  begin(partner: string, identifiers: string): string {
    const name = this.#drop(`${partner} ${identifiers}`);
    return name ?? `${identifiers};${toHex(this.#random(8))}`;
  }

  /** The attempt of that name ended before its media was armed. */
  refused(partner: string, identifiers: string, name: string): void {
    const key = `${partner} ${identifiers}`;
    this.#drop(key);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size >= MAX_KEPT && oldest.done !== true) this.#drop(oldest.value);
    const timer = this.#timers.setTimeout(() => this.#drop(key), this.#keepMs);
    this.#kept.set(key, { name, timer });
  }

  /** Forgets all of them. */
  clear(): void {
    for (const key of [...this.#kept.keys()]) this.#drop(key);
  }

  #drop(key: string): string | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#timers.clearTimeout(kept.timer);
    this.#kept.delete(key);
    return kept.name;
  }
}
