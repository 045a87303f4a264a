/** What commands say about a certificate: for people and as JSON. */
import { periodAt } from '../kms/index.js';
import type { Fingerprint, KmsCertificate } from '../kms/index.js';
import { fingerprintOf } from '../kms/index.js';
import { printable } from './printable.js';

export interface CertificateSummary {
  readonly kmsUri: string;
  readonly domains: readonly string[];
  readonly role: string;
  readonly isSecurityGateway: boolean;
  readonly userKeyPeriod: string;
  readonly userKeyOffset: string;
  readonly keyPeriodNo: string;
  readonly validFrom: string | null;
  readonly validTo: string | null;
  readonly revoked: boolean;
  readonly issuer: string | null;
  readonly certUri: string | null;
  readonly fingerprint: Fingerprint;
}

/** `now`: milliseconds since 1970, for the number of the present key period */
export function summaryOf(certificate: KmsCertificate, now: number): CertificateSummary {
  return {
    kmsUri: certificate.kmsUri,
    domains: certificate.domains,
    role: certificate.role,
    isSecurityGateway: certificate.isSecurityGateway,
    userKeyPeriod: String(certificate.userKeyPeriod),
    userKeyOffset: String(certificate.userKeyOffset),
    keyPeriodNo: String(periodAt(certificate, now)),
    validFrom: certificate.validFrom?.toISOString() ?? null,
    validTo: certificate.validTo?.toISOString() ?? null,
    revoked: certificate.revoked,
    issuer: certificate.issuer ?? null,
    certUri: certificate.certUri ?? null,
    fingerprint: fingerprintOf(certificate),
  };
}

export function summaryLines(summary: CertificateSummary): string[] {
  const words = summary.fingerprint.words.split(' ');
  return [
    `KMS URI       ${printable(summary.kmsUri)}`,
    `domains       ${summary.domains.map(printable).join(' ') || '(none listed)'}`,
    `kind          ${summary.isSecurityGateway ? 'security gateway' : 'KMS of an MC system'}, Role ${summary.role}`,
    `key period    ${summary.userKeyPeriod} s, offset ${summary.userKeyOffset} s, now in period ${summary.keyPeriodNo}`,
    `valid         ${summary.validFrom ?? 'always'} to ${summary.validTo ?? 'no end'}${summary.revoked ? '  REVOKED' : ''}`,
    `issuer        ${printable(summary.issuer ?? '-')}`,
    `fingerprint   ${groups(summary.fingerprint.hex)}`,
    `in words      ${words.slice(0, 8).join(' ')}`,
    `              ${words.slice(8).join(' ')}`,
  ];
}

function groups(hex: string): string {
  return hex.replace(/(.{8})(?=.)/g, '$1 ');
}
