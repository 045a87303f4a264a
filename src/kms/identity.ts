/**
 * Rules that need cryptography: UIDs (TS 33.180 F.2.1), key periods, and whether a certificate's public
 * keys are points of their groups.
 */
import { SegyError } from '../base/errors.js';
import { isP256Point, isSakkePoint, keyPeriodNumber, mcxUid } from '../crypto/index.js';
import type { KmsCertificate } from './certificate.js';

/** UID of `uri` in the certificate's domain and that key period, 32 octets (F.2.1). */
export function uidOf(certificate: KmsCertificate, uri: string, periodNo: bigint): Uint8Array {
  return mcxUid({
    uri,
    kmsUri: certificate.kmsUri,
    period: certificate.userKeyPeriod,
    offset: certificate.userKeyOffset,
    periodNo,
  });
}

/** Number of the key period that holds `unixMs` (milliseconds since 1970). */
export function periodAt(certificate: KmsCertificate, unixMs: number): bigint {
  return keyPeriodNumber(unixMs, certificate.userKeyPeriod, certificate.userKeyOffset);
}

/**
 * Whether both public keys are points of the right groups: Z on the SAKKE curve and in its subgroup,
 * KPAK on P-256. Takes some milliseconds; done once, when a certificate comes in.
 * @throws SegyError SEGY_E_KMS_DOCUMENT
 */
export function checkKmsCertificate(certificate: KmsCertificate): void {
  if (!isP256Point(certificate.pubAuthKey)) {
    throw new SegyError('SEGY_E_KMS_DOCUMENT', 'PubAuthKey is not a point of P-256');
  }
  if (!isSakkePoint(certificate.pubEncKey)) {
    throw new SegyError('SEGY_E_KMS_DOCUMENT', 'PubEncKey is not a point of the SAKKE group');
  }
}
