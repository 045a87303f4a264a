/** A key set of one of the domain's users, put together from its octets and the certificate. */
import type { KmsCertificate, KmsKeySet } from './certificate.js';
import { uidOf } from './identity.js';
import { periodBounds } from './period.js';

/** Names whose key set it is, for which period and span of time; the octets are taken as they are. */
export function keySetOf(
  certificate: KmsCertificate,
  userUri: string,
  keyPeriodNo: bigint,
  octets: Pick<KmsKeySet, 'rsk' | 'ssk' | 'pvt'>,
): KmsKeySet {
  const { from, to } = periodBounds(certificate, keyPeriodNo);
  return {
    kmsUri: certificate.kmsUri,
    ...(certificate.certUri !== undefined && { certUri: certificate.certUri }),
    ...(certificate.issuer !== undefined && { issuer: certificate.issuer }),
    userUri,
    userId: uidOf(certificate, userUri, keyPeriodNo),
    ...(from && { validFrom: from }),
    ...(to && { validTo: to }),
    keyPeriodNo,
    revoked: false,
    ...octets,
  };
}
