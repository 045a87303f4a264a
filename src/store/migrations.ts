/**
 * The contents of the records have a version of their own. A store with an older one is brought
 * up step by step when it is opened, all records and the new version in one atomic write; a
 * store with a newer one is refused untouched.
 */

export interface MigratedRecord {
  readonly namespace: string;
  readonly key: string;
  readonly value: Uint8Array;
}

export interface Migration {
  /** brings contents of version `from` to `from + 1` */
  readonly from: number;
  /** The record in its new form: the same object where nothing changes, undefined to drop it. */
  migrate(record: MigratedRecord): MigratedRecord | undefined;
}

/** Steps from version 1, the first, to the version this program writes. */
export const MIGRATIONS: readonly Migration[] = [];
