/** Timers with names, as specifications have them: each runs once at a time, for each owner. */
import type { TimerHandle, Timers } from './environment.js';

export class NamedTimers<Name extends string> {
  readonly #timers: Timers;
  readonly #fire: (name: Name, owner: string) => void;
  readonly #handles = new Map<string, TimerHandle>();

  constructor(timers: Timers, fire: (name: Name, owner: string) => void) {
    this.#timers = timers;
    this.#fire = fire;
  }

  /** Starts or restarts. */
  start(name: Name, ms: number, owner = ''): void {
    this.stop(name, owner);
    const key = `${name} ${owner}`;
    const fire = (): void => {
      this.#handles.delete(key);
      this.#fire(name, owner);
    };
    this.#handles.set(key, this.#timers.setTimeout(fire, ms));
  }

  stop(name: Name, owner = ''): void {
    const key = `${name} ${owner}`;
    const handle = this.#handles.get(key);
    if (handle !== undefined) this.#timers.clearTimeout(handle);
    this.#handles.delete(key);
  }

  stopAll(): void {
    for (const handle of this.#handles.values()) this.#timers.clearTimeout(handle);
    this.#handles.clear();
  }
}
