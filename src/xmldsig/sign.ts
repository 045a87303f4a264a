/**
 * Making an enveloped XML signature (TS 33.180 D.1): Reference to the root by its Id, C14N 1.0,
 * SHA-256, and HMAC-SHA256 under a named shared key or ECDSA P-256 under an X.509 certificate.
 */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { SegyError } from '../base/errors.js';
import { escapeXml } from '../xml/index.js';
import {
  C14N,
  DSIG_NAMESPACE,
  ecdsaSha256,
  ECDSA_SHA256,
  ENVELOPED,
  hmacSha256,
  HMAC_SHA256,
  isP256,
  sha256,
  SHA256,
} from './algorithms.js';
import { canonicalise, INCLUSIVE_C14N } from './c14n.js';
import { attributeOf, elementsOf, parseSignedTree } from './tree.js';

export type XmlSigner =
  | { readonly kind: 'hmac'; readonly keyName: string; readonly key: Uint8Array }
  | {
      readonly kind: 'ecdsa';
      /** P-256 private key of the certificate */
      readonly key: KeyObject;
      readonly certificate: X509Certificate;
    };

const MIN_HMAC_OCTETS = 32;

/**
 * `xml` with a Signature as the last child of its root, which must have an Id attribute.
 * @throws SegyError SEGY_E_XML; SEGY_E_ARGUMENT for an unfit key or a root without an Id
 */
export function signXml(xml: string, signer: XmlSigner): string {
  checkSigner(signer);
  const root = parseSignedTree(xml);
  const id = attributeOf(root, 'Id');
  if (id === undefined || !/^[\w.:-]+$/.test(id)) {
    throw new SegyError('SEGY_E_ARGUMENT', 'the element to sign has no usable Id');
  }
  const digest = Buffer.from(sha256(canonicalise(root, INCLUSIVE_C14N))).toString('base64');
  const method = signer.kind === 'hmac' ? HMAC_SHA256 : ECDSA_SHA256;
  const signedInfo =
    `<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="${C14N}"/>` +
    `<ds:SignatureMethod Algorithm="${method}"/><ds:Reference URI="#${id}"><ds:Transforms>` +
    `<ds:Transform Algorithm="${ENVELOPED}"/><ds:Transform Algorithm="${C14N}"/></ds:Transforms>` +
    `<ds:DigestMethod Algorithm="${SHA256}"/><ds:DigestValue>${digest}</ds:DigestValue>` +
    '</ds:Reference></ds:SignedInfo>';
  const signed = canonicalise(signedInfoInPlace(xml, signedInfo), INCLUSIVE_C14N);
  const value =
    signer.kind === 'hmac' ? hmacSha256(signer.key, signed) : ecdsaSha256(signer.key, signed);
  return insertLast(
    xml,
    `<ds:Signature xmlns:ds="${DSIG_NAMESPACE}">${signedInfo}` +
      `<ds:SignatureValue>${Buffer.from(value).toString('base64')}</ds:SignatureValue>` +
      `<ds:KeyInfo>${keyInfo(signer)}</ds:KeyInfo></ds:Signature>`,
  );
}

function checkSigner(signer: XmlSigner): void {
  if (signer.kind === 'hmac') {
    if (signer.key.length < MIN_HMAC_OCTETS) {
      throw new SegyError('SEGY_E_ARGUMENT', 'an integrity key has at least 32 octets');
    }
  } else if (!isP256(signer.key) || !signer.certificate.checkPrivateKey(signer.key)) {
    throw new SegyError(
      'SEGY_E_ARGUMENT',
      'the signing key is not the P-256 key of its certificate',
    );
  }
}

/** SignedInfo is canonicalised where it will stand, under the namespaces of its ancestors. */
function signedInfoInPlace(xml: string, signedInfo: string) {
  const draft = `<ds:Signature xmlns:ds="${DSIG_NAMESPACE}">${signedInfo}</ds:Signature>`;
  const [found] = elementsOf(parseSignedTree(insertLast(xml, draft)))
    .slice(-1)
    .flatMap(elementsOf);
  if (found !== undefined) return found;
  throw new SegyError('SEGY_E_INTERNAL', 'the SignedInfo is not where it was put');
}

function insertLast(xml: string, signature: string): string {
  const end = xml.lastIndexOf('</');
  if (end < 0) throw new SegyError('SEGY_E_ARGUMENT', 'the element to sign is empty');
  return xml.slice(0, end) + signature + xml.slice(end);
}

function keyInfo(signer: XmlSigner): string {
  return signer.kind === 'hmac'
    ? `<ds:KeyName>${escapeXml(signer.keyName)}</ds:KeyName>`
    : `<ds:X509Data><ds:X509Certificate>${signer.certificate.raw.toString('base64')}</ds:X509Certificate></ds:X509Data>`;
}
