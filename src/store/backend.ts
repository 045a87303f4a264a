/**
 * What the sealed store asks of the place that holds its octets. A back end knows nothing of
 * keys or sealing; it keeps octets under names, in order, and changes several of them at once.
 */

/** One change; an absent value removes the entry. */
export interface BackendChange {
  readonly name: string;
  readonly value?: Uint8Array;
}

export interface BackendEntry {
  readonly name: string;
  readonly value: Uint8Array;
}

export interface StoreBackend {
  get(name: string): Promise<Uint8Array | undefined>;
  /**
   * All changes or none, and on stable storage when it resolves.
   * @throws any error; the store maps it
   */
  write(changes: readonly BackendChange[]): Promise<void>;
  /**
   * After a write that failed: makes it possible to write again, where there is room. What that write
   * changed is there whole or not at all. Until this resolves nothing may be written.
   */
  mend(): Promise<void>;
  /** Moves what was overwritten or removed off the disk, as far as the back end can. */
  compact(): Promise<void>;
  /** Entries whose name starts with `prefix`, by name in code-unit order of UTF-8. */
  entries(prefix: string): AsyncIterable<BackendEntry>;
  /** Lets go of the exclusive lock. */
  close(): Promise<void>;
}
