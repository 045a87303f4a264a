/** A back end that lives as long as the process: for tests and for commands that keep nothing. */
import type { BackendChange, BackendEntry, StoreBackend } from './backend.js';

export class MemoryBackend implements StoreBackend {
  readonly #entries = new Map<string, Uint8Array>();

  get(name: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#entries.get(name)?.slice());
  }

  write(changes: readonly BackendChange[]): Promise<void> {
    for (const { name, value } of changes) {
      if (value === undefined) this.#entries.delete(name);
      else this.#entries.set(name, value.slice());
    }
    return Promise.resolve();
  }

  mend(): Promise<void> {
    return Promise.resolve();
  }

  compact(): Promise<void> {
    return Promise.resolve();
  }

  async *entries(prefix: string): AsyncIterable<BackendEntry> {
    const names = [...this.#entries.keys()].filter((name) => name.startsWith(prefix)).sort();
    for (const name of names) {
      const value = await this.get(name);
      if (value !== undefined) yield { name, value };
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
