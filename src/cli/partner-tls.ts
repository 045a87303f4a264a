/** Whom we take for a partner on HTTPS, and our certificate towards it, read from their files. */
import { readFileSync } from 'node:fs';
import { SegyError } from '../base/errors.js';
import type { PartnerConfig, PartnerTlsConfig } from '../config/index.js';
import type { PinnedTls } from '../https/index.js';

/** @throws SegyError SEGY_E_CONFIG when a file cannot be read */
export function readPins({
  caFile,
  certificateSha256,
  certFile,
  keyFile,
}: PartnerTlsConfig): PinnedTls {
  return {
    ...(caFile !== undefined && { ca: read(caFile) }),
    ...(certificateSha256 !== undefined && { certificateSha256 }),
    ...(certFile !== undefined && { cert: read(certFile) }),
    ...(keyFile !== undefined && { key: read(keyFile) }),
  };
}

/** Certificates of all partners' HTTPS settings, for who watches over their validity. */
export function pinnedFiles(partners: readonly PartnerConfig[]): string[] {
  return partners
    .flatMap(({ idm, groupDocuments }) => [idm?.tls, groupDocuments?.tls])
    .flatMap((tls) => [tls?.caFile, tls?.certFile])
    .filter((file) => file !== undefined);
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new SegyError('SEGY_E_CONFIG', `${file} cannot be read`, { cause });
  }
}
