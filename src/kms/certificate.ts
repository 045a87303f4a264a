/** What a KMS publishes and issues, as data (TS 33.180 D.3.2.2, D.3.2.3). */

/** The public part of a security domain. */
export interface KmsCertificate {
  /** how the KMS that delivered it marked it; a partner's own Root is External to us */
  readonly role: 'Root' | 'External' | 'Migration';
  readonly isSecurityGateway: boolean;
  readonly version?: string;
  readonly id?: string;
  readonly certUri?: string;
  /** unique identifier of the security domain, verbatim */
  readonly kmsUri: string;
  readonly issuer?: string;
  readonly validFrom?: Date;
  readonly validTo?: Date;
  readonly revoked: boolean;
  /** seconds, at least 1 */
  readonly userKeyPeriod: bigint;
  /** seconds, below the period */
  readonly userKeyOffset: bigint;
  /** Z, 257 octets */
  readonly pubEncKey: Uint8Array;
  /** KPAK, 65 octets */
  readonly pubAuthKey: Uint8Array;
  /** KmsDomainList, verbatim; empty where the certificate has none */
  readonly domains: readonly string[];
}

/** The secret keys of one user for one key period. */
export interface KmsKeySet {
  readonly kmsUri: string;
  readonly certUri?: string;
  readonly issuer?: string;
  /** the identifier URI that was hashed into the UID, verbatim */
  readonly userUri: string;
  /** UID, 32 octets */
  readonly userId: Uint8Array;
  readonly validFrom?: Date;
  readonly validTo?: Date;
  readonly keyPeriodNo: bigint;
  readonly revoked: boolean;
  /** UserDecryptKey, 257 octets */
  readonly rsk: Uint8Array;
  /** UserSigningKeySSK, 32 octets */
  readonly ssk: Uint8Array;
  /** UserPubTokenPVT, 65 octets, not secret */
  readonly pvt: Uint8Array;
}

/** Why a certificate may not be relied on at a time, or null. */
export function certificateFault(
  certificate: KmsCertificate,
  unixMs: number,
): 'revoked' | 'not yet valid' | 'expired' | null {
  if (certificate.revoked) return 'revoked';
  if (certificate.validFrom !== undefined && unixMs < certificate.validFrom.getTime()) {
    return 'not yet valid';
  }
  if (certificate.validTo !== undefined && unixMs > certificate.validTo.getTime()) return 'expired';
  return null;
}
