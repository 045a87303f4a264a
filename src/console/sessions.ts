/**
 * Who is logged in. A session is known by 256 random bits in a cookie, of which only the SHA-256 is
 * kept here, in memory alone. It ends by log-out, when it is idle for too long, when it is too old, or
 * when a newer one needs its room; whatever hangs on it ends with it.
 */
import { createHash } from 'node:crypto';
import type { Environment, TimerHandle } from '../base/environment.js';

const SWEEP_MS = 1000;
const ID_OCTETS = 32;
const ID = /^[A-Za-z0-9_-]{43}$/;

export interface Session {
  readonly startedAt: number;
  usedAt: number;
  /** ends what hangs on it: its event streams */
  readonly onEnd: Set<() => void>;
}

export interface SessionLimits {
  readonly sessions: number;
  readonly idleMs: number;
  readonly absoluteMs: number;
}

export class Sessions {
  readonly #env: Pick<Environment, 'clock' | 'timers' | 'random'>;
  readonly #limits: SessionLimits;
  readonly #sessions = new Map<string, Session>();
  #timer: TimerHandle | undefined;

  constructor(env: Pick<Environment, 'clock' | 'timers' | 'random'>, limits: SessionLimits) {
    this.#env = env;
    this.#limits = limits;
  }

  /** @returns the value of its cookie */
  begin(): string {
    const id = Buffer.from(this.#env.random(ID_OCTETS)).toString('base64url');
    const now = this.#env.clock.now();
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= this.#limits.sessions && oldest !== undefined) this.#end(oldest);
    this.#sessions.set(nameOf(id), { startedAt: now, usedAt: now, onEnd: new Set() });
    this.#timer ??= this.#env.timers.setTimeout(() => this.#sweep(), SWEEP_MS);
    return id;
  }

  /** The session of a cookie's value, unless it is over. Looking does not prolong it. */
  find(id: string | undefined): Session | undefined {
    if (id === undefined || !ID.test(id)) return undefined;
    const name = nameOf(id);
    const session = this.#sessions.get(name);
    if (session === undefined || !this.#isOver(session)) return session;
    this.#end(name);
    return undefined;
  }

  touch(session: Session): void {
    session.usedAt = this.#env.clock.now();
  }

  end(id: string): void {
    this.#end(nameOf(id));
  }

  /** @returns how many there were */
  endAll(): number {
    const names = [...this.#sessions.keys()];
    for (const name of names) this.#end(name);
    if (this.#timer !== undefined) this.#env.timers.clearTimeout(this.#timer);
    this.#timer = undefined;
    return names.length;
  }

  #isOver({ startedAt, usedAt }: Session): boolean {
    const now = this.#env.clock.now();
    // A clock that was set back must not keep a session for longer.
    if (now < startedAt) return true;
    return now - usedAt >= this.#limits.idleMs || now - startedAt >= this.#limits.absoluteMs;
  }

  #end(name: string): void {
    const session = this.#sessions.get(name);
    this.#sessions.delete(name);
    for (const end of session?.onEnd ?? []) end();
  }

  #sweep(): void {
    for (const [name, session] of this.#sessions) if (this.#isOver(session)) this.#end(name);
    this.#timer =
      this.#sessions.size === 0
        ? undefined
        : this.#env.timers.setTimeout(() => this.#sweep(), SWEEP_MS);
  }
}

function nameOf(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
