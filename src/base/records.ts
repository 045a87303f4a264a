/**
 * A space of named records that survive a restart, as those who keep something see it.
 * The sealed store implements it; tests use an in-memory one.
 */

export interface StoredRecord {
  readonly key: string;
  readonly value: Uint8Array;
}

export interface RecordListing {
  readonly records: readonly StoredRecord[];
  /** keys of records that are damaged, missing or older than the last one written */
  readonly refused: readonly string[];
}

/** One change; an absent value removes the record. */
export interface RecordChange {
  readonly key: string;
  readonly value?: Uint8Array;
}

export interface RecordSpace {
  /** @throws SegyError SEGY_E_STORE when the record exists and cannot be trusted */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Resolves when the record is on disk. @throws SegyError SEGY_E_STORE, nothing changed */
  put(key: string, value: Uint8Array): Promise<void>;
  /** Resolves when the record is gone from disk; removing what is not there is no error. */
  delete(key: string): Promise<void>;
  /** All changes or none, on disk when it resolves. */
  write(changes: readonly RecordChange[]): Promise<void>;
  all(): Promise<RecordListing>;
}
