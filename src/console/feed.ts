/**
 * Tells every open page what changed, twice a second at most, and reads nothing while none is open.
 *
 * A page gets everything first, then changes. One that reads too slowly is told nothing more until it
 * has read what waits for it, then everything anew; one that stays behind is cut off.
 */
import type { Environment, TimerHandle } from '../base/environment.js';
import { toSegyError } from '../base/errors.js';
import { changeText, textsOf } from './changes.js';
import type { PanelTexts } from './changes.js';
import type { ConsoleLimits } from './limits.js';
import type { Panels } from './model.js';

/** The sending side of one page's stream. */
export interface FeedReader {
  /** octets that wait to be sent */
  waiting(): number;
  send(text: string): void;
  cut(): void;
}

interface Follower {
  readonly reader: FeedReader;
  /** it has what `#last` says */
  current: boolean;
  heardAt: number;
  behindSince: number | null;
}

type FeedLimits = Pick<ConsoleLimits, 'tickMs' | 'backlogOctets' | 'stalledMs' | 'heartbeatMs'>;

export class Feed {
  readonly #read: () => Promise<Panels>;
  readonly #env: Pick<Environment, 'clock' | 'timers' | 'log'>;
  readonly #limits: FeedLimits;
  readonly #followers = new Map<FeedReader, Follower>();
  #last: PanelTexts | undefined;
  #timer: TimerHandle | undefined;

  constructor(
    read: () => Promise<Panels>,
    env: Pick<Environment, 'clock' | 'timers' | 'log'>,
    limits: FeedLimits,
  ) {
    this.#read = read;
    this.#env = env;
    this.#limits = limits;
  }

  get readers(): number {
    return this.#followers.size;
  }

  add(reader: FeedReader): void {
    const heardAt = this.#env.clock.now();
    this.#followers.set(reader, { reader, current: false, heardAt, behindSince: null });
    if (this.#timer === undefined) this.#schedule(0);
  }

  remove(reader: FeedReader): void {
    this.#followers.delete(reader);
    if (this.#followers.size === 0) this.stop();
  }

  stop(): void {
    if (this.#timer !== undefined) this.#env.timers.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#last = undefined;
  }

  #schedule(ms: number): void {
    this.#timer = this.#env.timers.setTimeout(() => void this.#tick(), ms);
  }

  async #tick(): Promise<void> {
    const timer = this.#timer;
    try {
      const panels = await this.#read();
      if (timer === this.#timer) this.#tell(textsOf(panels));
    } catch (error) {
      this.#env.log.error('console.read.failed', { message: toSegyError(error).message });
    }
    // Whoever stopped or started it meanwhile has a timer of its own, or none.
    if (timer === this.#timer && timer !== undefined) this.#schedule(this.#limits.tickMs);
  }

  #tell(next: PanelTexts): void {
    const now = this.#env.clock.now();
    const change = changeText(this.#last, next, now);
    let whole: string | null = null;
    for (const follower of this.#followers.values()) {
      if (this.#isBehind(follower, now)) continue;
      const text = follower.current ? change : (whole ??= changeText(undefined, next, now));
      follower.current = true;
      if (text !== null) follower.reader.send(`data: ${text}\n\n`);
      else if (now - follower.heardAt < this.#limits.heartbeatMs) continue;
      else follower.reader.send(':\n\n');
      follower.heardAt = now;
    }
    this.#last = next;
  }

  #isBehind(follower: Follower, now: number): boolean {
    const waiting = follower.reader.waiting();
    const isBehind =
      follower.behindSince === null ? waiting > this.#limits.backlogOctets : waiting > 0;
    if (!isBehind) {
      follower.behindSince = null;
      return false;
    }
    follower.behindSince ??= now;
    follower.current = false;
    if (now - follower.behindSince >= this.#limits.stalledMs) {
      this.remove(follower.reader);
      follower.reader.cut();
    }
    return true;
  }
}
