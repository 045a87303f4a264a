/**
 * Which version of each record is the last one written, so that an older, removed or added
 * record is noticed. The index is sealed too, in 256 buckets chosen by a hash of the name; the
 * head record names the version of every bucket. What one look at the disk can put back
 * unnoticed is therefore only the whole store at once.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SegyError } from '../base/errors.js';
import { utf8 } from '../base/bytes.js';

export const BUCKETS = 256;
export const HEAD_NAME = 'h';
export const RECORD_PREFIX = 'r/';

export interface Head {
  /** version of the records' contents; see migrations.ts */
  readonly schema: number;
  /** version of each bucket; 0 where it was never written */
  readonly buckets: readonly number[];
}

const versionNumber = z.number().int().nonnegative();
const headSchema = z.strictObject({
  schema: versionNumber,
  buckets: z.array(versionNumber).length(BUCKETS),
});
const bucketSchema = z.array(z.tuple([z.string(), versionNumber]));

export function bucketName(bucket: number): string {
  return `i/${bucket.toString(16).padStart(2, '0')}`;
}

export function bucketOf(name: string): number {
  return createHash('sha256').update(name, 'utf8').digest()[0] ?? 0;
}

export function encodeHead(head: Head): Uint8Array {
  return utf8(JSON.stringify(head));
}

/** @throws SegyError SEGY_E_STORE */
export function decodeHead(octets: Uint8Array): Head {
  return parseAs(headSchema, octets);
}

export type Bucket = ReadonlyMap<string, number>;

export function encodeBucket(bucket: Bucket): Uint8Array {
  return utf8(JSON.stringify([...bucket]));
}

/** @throws SegyError SEGY_E_STORE */
export function decodeBucket(octets: Uint8Array): Map<string, number> {
  return new Map(parseAs(bucketSchema, octets));
}

function parseAs<T>(schema: z.ZodType<T>, octets: Uint8Array): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(octets).toString('utf8')));
  } catch (cause) {
    throw new SegyError('SEGY_E_STORE', 'an index record of the store is malformed', { cause });
  }
}

/** The committed index in memory. A bucket that could not be read is `undefined`. */
export class RecordIndex {
  readonly #buckets: (Map<string, number> | undefined)[];
  #bucketVersions: number[];
  schema: number;

  constructor(schema: number) {
    this.schema = schema;
    this.#buckets = Array.from({ length: BUCKETS }, () => new Map<string, number>());
    this.#bucketVersions = new Array<number>(BUCKETS).fill(0);
  }

  get bucketVersions(): readonly number[] {
    return this.#bucketVersions;
  }

  /** @throws SegyError SEGY_E_STORE when the bucket that would know is damaged */
  versionOf(name: string): number | undefined {
    return this.bucket(bucketOf(name)).get(name);
  }

  /** @throws SegyError SEGY_E_STORE when it is damaged */
  bucket(bucket: number): Bucket {
    const entries = this.#buckets[bucket];
    if (entries === undefined) {
      throw new SegyError('SEGY_E_STORE', `index ${bucketName(bucket)} of the store is damaged`);
    }
    return entries;
  }

  isDamaged(bucket: number): boolean {
    return this.#buckets[bucket] === undefined;
  }

  setBucket(bucket: number, entries: Map<string, number> | undefined, version: number): void {
    this.#buckets[bucket] = entries;
    this.#bucketVersions[bucket] = version;
  }

  /** Names that start with `prefix`, sorted, from the buckets that are whole. */
  names(prefix: string): string[] {
    const names: string[] = [];
    for (const entries of this.#buckets) {
      for (const name of entries?.keys() ?? []) if (name.startsWith(prefix)) names.push(name);
    }
    return names.sort();
  }

  get highestVersion(): number {
    let highest = 0;
    for (const version of this.#bucketVersions) highest = Math.max(highest, version);
    return highest;
  }
}
