/**
 * Keys of calls that were refused with a status after which the caller tries again with the same
 * message (420 without the extension, RFC 3261; 422 with a longer session interval, RFC 4028). For a short while the key waits for that
 * INVITE, so that one I_MESSAGE is decapsulated once; then it is wiped.
 */
import { equalBytes } from '../../base/bytes.js';
import type { TimerHandle, Timers } from '../../base/environment.js';
import type { CallKey } from './call-key.js';
import type { McIdentity } from '../messages/identity.js';

export interface RetryKey {
  readonly key: CallKey;
  /** the identity that signed */
  readonly caller: McIdentity;
  /** whom the message was for */
  readonly callee: string;
}

interface Kept extends RetryKey {
  readonly timer: TimerHandle;
}

const MAX_KEPT = 256;

export class RetryKeys {
  readonly #timers: Timers;
  readonly #keepMs: number;
  readonly #kept = new Map<string, Kept>();

  /** @param keepMs how long a key waits, in milliseconds */
  constructor(timers: Timers, keepMs: number) {
    this.#timers = timers;
    this.#keepMs = keepMs;
  }

  /** Takes over `entry`'s key until it is asked for, or wipes it. */
  keep(dialogKey: string, entry: RetryKey): void {
    this.#drop(dialogKey);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size >= MAX_KEPT && oldest.done !== true) this.#drop(oldest.value);
    const timer = this.#timers.setTimeout(() => this.#drop(dialogKey), this.#keepMs);
    this.#kept.set(dialogKey, { ...entry, timer });
  }

  /** The key of the same message in the same dialog for the same callee; the asker owns it then. */
  take(dialogKey: string, message: Uint8Array, callee: string): RetryKey | null {
    const kept = this.#kept.get(dialogKey);
    if (kept === undefined) return null;
    if (kept.callee !== callee || !equalBytes(kept.key.message, message)) return null;
    this.#timers.clearTimeout(kept.timer);
    this.#kept.delete(dialogKey);
    return kept;
  }

  /** Wipes all of them. */
  clear(): void {
    for (const dialogKey of [...this.#kept.keys()]) this.#drop(dialogKey);
  }

  #drop(dialogKey: string): void {
    const kept = this.#kept.get(dialogKey);
    if (kept === undefined) return;
    this.#timers.clearTimeout(kept.timer);
    this.#kept.delete(dialogKey);
    kept.key.wipe();
  }
}
