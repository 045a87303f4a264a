/**
 * Security domains (TS 33.180 clause 5.3, Annex D, L.3.2): KMS certificates and key sets and their
 * XML, the gateway's own domain, which mints key sets, and the certificates of partner domains
 * that an operator trusts by fingerprint.
 */
export { certificateFault, type KmsCertificate, type KmsKeySet } from './certificate.js';
export { checkKmsCertificate, periodAt, uidOf } from './identity.js';
export { readKmsDocument, type KmsDocument, type ReadOptions } from './annex-d.js';
export {
  KMS_NAMESPACE,
  writeKmsCertificate,
  writeKmsKeySets,
  writeKmsResponse,
  type KmsResponse,
  type WriteOptions,
  type NewExchangeKeys,
} from './annex-d-write.js';
export { CredentialCache, type CredentialCacheOptions } from './credential-cache.js';
export { SecurityDomain, type DomainParameters, type DomainTools } from './domain.js';
export { loadDomain, saveDomain } from './domain-record.js';
export { fingerprintMatches, fingerprintOf, type Fingerprint } from './fingerprint.js';
export { keySetOf } from './key-set.js';
export { ntp64Hex, periodBounds } from './period.js';
export { TrustStore, type AddTrustOptions, type TrustEntry } from './trust.js';
export {
  readSignedKmsDocument,
  writeSignedKmsCertificate,
  writeSignedKmsResponse,
} from './signed.js';
export {
  DEFAULT_WRAP_PROFILE,
  unwrapKey,
  wrapKey,
  type TransportKey,
  type WrapProfile,
} from './transport-key.js';
export {
  adviceOf,
  readRedirect,
  REDIRECT_CONTENT_TYPE,
  REDIRECT_PURPOSES,
  writeRedirect,
  type KmsRedirect,
  type RedirectNames,
  type RedirectPurpose,
} from './redirect.js';
