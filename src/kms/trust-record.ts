/** A trust entry as the sealed store keeps it: JSON around the certificates' Annex D XML. */
import { utf8 } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { readKmsDocument } from './annex-d.js';
import { writeKmsCertificate } from './annex-d-write.js';
import type { KmsCertificate } from './certificate.js';

export interface TrustRecord {
  readonly partner: string;
  readonly addedAt: Date;
  readonly revokedAt?: Date;
  /** at least one, all of one KMS URI, in the order they were added */
  readonly certificates: readonly KmsCertificate[];
}

export function writeTrustRecord(record: TrustRecord): Uint8Array {
  return utf8(
    JSON.stringify({
      partner: record.partner,
      addedAt: record.addedAt.toISOString(),
      ...(record.revokedAt && { revokedAt: record.revokedAt.toISOString() }),
      certificates: record.certificates.map(writeKmsCertificate),
    }),
  );
}

/** @throws SegyError SEGY_E_STORE, SEGY_E_XML or SEGY_E_KMS_DOCUMENT when the record is malformed */
export function readTrustRecord(octets: Uint8Array, kmsUri: string): TrustRecord {
  const malformed = (): SegyError =>
    new SegyError('SEGY_E_STORE', `the trust entry of ${kmsUri} is malformed`);
  const fields = parseObject(octets, malformed);
  const { partner, addedAt, revokedAt, certificates } = fields;
  if (typeof partner !== 'string' || !Array.isArray(certificates)) throw malformed();
  const read = certificates.map((xml: unknown) => {
    const [certificate] = readKmsDocument(typeof xml === 'string' ? xml : '').certificates;
    if (certificate?.kmsUri !== kmsUri) throw malformed();
    return certificate;
  });
  if (read.length === 0) throw malformed();
  return {
    partner,
    addedAt: dateOf(addedAt, malformed),
    ...(revokedAt !== undefined && { revokedAt: dateOf(revokedAt, malformed) }),
    certificates: read,
  };
}

function parseObject(octets: Uint8Array, malformed: () => SegyError): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(octets).toString('utf8'));
  } catch {
    throw malformed();
  }
  if (typeof parsed !== 'object' || parsed === null) throw malformed();
  return { ...parsed };
}

function dateOf(value: unknown, malformed: () => SegyError): Date {
  const date = new Date(typeof value === 'string' ? value : Number.NaN);
  if (Number.isNaN(date.getTime())) throw malformed();
  return date;
}
