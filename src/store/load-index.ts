/** Reads the index of a store as the head record names it; a bucket that is damaged is marked so. */
import type { Log } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import type { StoreBackend } from './backend.js';
import type { DataKeys } from './key-record.js';
import { bucketName, decodeBucket, decodeHead, HEAD_NAME, RecordIndex } from './record-index.js';
import { readSealedHeader, unseal } from './seal.js';

/**
 * @returns the index, and the version of the head record, the highest there is
 * @throws SegyError SEGY_E_STORE when the head record is missing or damaged
 */
export async function loadIndex(
  backend: StoreBackend,
  keys: DataKeys,
  log: Log,
): Promise<{ index: RecordIndex; version: number }> {
  const sealedHead = await backend.get(HEAD_NAME);
  if (sealedHead === undefined) {
    throw new SegyError('SEGY_E_STORE', 'the head record of the store is missing');
  }
  const head = decodeHead(unseal(sealedHead, HEAD_NAME, keys));
  const index = new RecordIndex(head.schema);
  for (const [bucket, version] of head.buckets.entries()) {
    if (version === 0) continue;
    try {
      index.setBucket(bucket, await readBucket(backend, keys, bucket, version), version);
    } catch (error) {
      index.setBucket(bucket, undefined, version);
      log.error('store.index.refused', {
        record: bucketName(bucket),
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }
  return { index, version: readSealedHeader(sealedHead, HEAD_NAME).version };
}

async function readBucket(
  backend: StoreBackend,
  keys: DataKeys,
  bucket: number,
  version: number,
): Promise<Map<string, number>> {
  const name = bucketName(bucket);
  const sealed = await backend.get(name);
  if (sealed === undefined) throw new SegyError('SEGY_E_STORE', `index ${name} is missing`);
  if (readSealedHeader(sealed, name).version !== version) {
    throw new SegyError('SEGY_E_STORE', `index ${name} is not the one last written`);
  }
  return decodeBucket(unseal(sealed, name, keys));
}
