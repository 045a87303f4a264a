/** Reads the known-answer files of test/vectors. */
import { readFileSync } from 'node:fs';
import { fromHex } from '../../src/base/bytes.js';
import type { KmsCertificate } from '../../src/kms/index.js';

/** The parsed content of `test/vectors/<name>.json`. */
export function readVectors(name: string): unknown {
  const url = new URL(`../../../test/vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as unknown;
}

/** A KMS certificate as the vectors have it; keys in hexadecimal. */
export interface CertificateVector {
  readonly kmsUri: string;
  readonly userKeyPeriod: number;
  readonly userKeyOffset: number;
  readonly pubEncKey: string;
  readonly pubAuthKey: string;
}

export function certificateOf(vector: CertificateVector): KmsCertificate {
  return {
    role: 'Root',
    isSecurityGateway: false,
    kmsUri: vector.kmsUri,
    revoked: false,
    userKeyPeriod: BigInt(vector.userKeyPeriod),
    userKeyOffset: BigInt(vector.userKeyOffset),
    pubEncKey: fromHex(vector.pubEncKey),
    pubAuthKey: fromHex(vector.pubAuthKey),
    domains: [],
  };
}
