/**
 * Security domains as TS 33.180 Annex D writes them down: KMS certificates and key sets, their XML.
 * XML signatures and transport keys are not handled: documents come in by a manual process.
 */
export { certificateFault, type KmsCertificate, type KmsKeySet } from './certificate.js';
export { checkKmsCertificate, periodAt, uidOf } from './identity.js';
export { readKmsDocument, type KmsDocument } from './annex-d.js';
export {
  KMS_NAMESPACE,
  writeKmsCertificate,
  writeKmsKeySets,
  writeKmsResponse,
  type KmsResponse,
} from './annex-d-write.js';
