/**
 * Signed Annex D documents (TS 33.180 D.1, D.3.2): made for a partner, and read from one. What is
 * read is the canonical text that the signature covers, nothing else of the file.
 */
import { signXml, verifySignedXml } from '../xmldsig/index.js';
import type { TrustedKeys, XmlSigner } from '../xmldsig/index.js';
import { readKmsDocument } from './annex-d.js';
import type { KmsDocument, ReadOptions } from './annex-d.js';
import { KMS_NAMESPACE, writeKmsCertificate, writeKmsResponse } from './annex-d-write.js';
import type { KmsResponse, WriteOptions } from './annex-d-write.js';
import type { KmsCertificate } from './certificate.js';
import { fingerprintOf } from './fingerprint.js';

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** SignedKmsCertificate: its Id is made of the certificate's fingerprint. */
export function writeSignedKmsCertificate(certificate: KmsCertificate, signer: XmlSigner): string {
  const id = `cert-${fingerprintOf(certificate).hex.slice(0, 16)}`;
  return signedDocument('SignedKmsCertificate', id, writeKmsCertificate(certificate), signer);
}

/** SignedKmsResponse around any message. */
export function writeSignedKmsResponse(
  response: KmsResponse,
  signer: XmlSigner,
  options?: WriteOptions,
): string {
  const id = `response-${response.time.getTime()}`;
  return signedDocument('SignedKmsResponse', id, writeKmsResponse(response, options), signer);
}

/** @throws SegyError SEGY_E_XML, SEGY_E_XML_SIGNATURE, SEGY_E_KMS_DOCUMENT */
export function readSignedKmsDocument(
  xml: Uint8Array | string,
  keys: TrustedKeys,
  options?: ReadOptions,
): KmsDocument & { readonly signedBy: string } {
  const verified = verifySignedXml(xml, keys);
  return { ...readKmsDocument(verified.xml, options), signedBy: verified.signedBy };
}

function signedDocument(name: string, id: string, document: string, signer: XmlSigner): string {
  const inside = document.replace(/^<\?xml[^>]*\?>\n/, '');
  return (
    DECLARATION +
    signXml(`<${name} xmlns="${KMS_NAMESPACE}" Id="${id}">\n${inside}</${name}>`, signer) +
    '\n'
  );
}
