/** Annex D files as commands take them: certificates, key sets, and what is wrong with them. */
import { readFileSync } from 'node:fs';
import { equalBytes } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import {
  checkKmsCertificate,
  type KmsCertificate,
  type KmsDocument,
  type KmsKeySet,
  readKmsDocument,
} from '../kms/index.js';

function readDocument(file: string): KmsDocument {
  let octets: Uint8Array;
  try {
    octets = readFileSync(file);
  } catch (cause) {
    throw new SegyError('SEGY_E_IO', `${file} cannot be read`, { cause });
  }
  try {
    return readKmsDocument(octets);
  } catch (error) {
    if (!(error instanceof SegyError)) throw error;
    throw new SegyError(error.code, `${file}: ${error.message}`, { cause: error });
  }
}

function isSame(a: KmsCertificate, b: KmsCertificate): boolean {
  return (
    a.userKeyPeriod === b.userKeyPeriod &&
    a.userKeyOffset === b.userKeyOffset &&
    a.revoked === b.revoked &&
    equalBytes(a.pubEncKey, b.pubEncKey) &&
    equalBytes(a.pubAuthKey, b.pubAuthKey)
  );
}

/**
 * Certificates of the files by KMS URI, their points checked.
 * @throws SegyError SEGY_E_IO, SEGY_E_XML, SEGY_E_KMS_DOCUMENT, SEGY_E_KMS_EXISTS (two that differ for one
 * KMS URI)
 */
export function readCertificates(files: readonly string[]): Map<string, KmsCertificate> {
  const byUri = new Map<string, KmsCertificate>();
  for (const file of files) {
    const { certificates } = readDocument(file);
    if (certificates.length === 0) {
      throw new SegyError('SEGY_E_KMS_DOCUMENT', `${file} holds no KmsCertificate`);
    }
    for (const certificate of certificates) {
      const known = byUri.get(certificate.kmsUri);
      if (known === undefined) {
        checkKmsCertificate(certificate);
        byUri.set(certificate.kmsUri, certificate);
      } else if (!isSame(known, certificate)) {
        throw new SegyError(
          'SEGY_E_KMS_EXISTS',
          `${file}: another certificate of ${certificate.kmsUri}`,
        );
      }
    }
  }
  return byUri;
}

/** Key sets of the files, in order. @throws SegyError SEGY_E_IO, SEGY_E_XML, SEGY_E_KMS_DOCUMENT */
export function readKeySets(files: readonly string[]): KmsKeySet[] {
  return files.flatMap((file) => {
    const { keySets } = readDocument(file);
    if (keySets.length === 0) {
      throw new SegyError('SEGY_E_KMS_DOCUMENT', `${file} holds no KmsKeySet`);
    }
    return [...keySets];
  });
}
