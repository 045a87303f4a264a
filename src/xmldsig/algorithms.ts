/** The few algorithms there are: no SHA-1, no RSA, no truncation. */
import { createHash, createHmac, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { equalBytes, utf8 } from '../base/bytes.js';

export const DSIG_NAMESPACE = 'http://www.w3.org/2000/09/xmldsig#';
export const HMAC_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256';
export const ECDSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256';
export const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
export const ENVELOPED = `${DSIG_NAMESPACE}enveloped-signature`;
export const C14N = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315';
export const EXCLUSIVE_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';

export function sha256(text: string): Uint8Array {
  return createHash('sha256').update(text, 'utf8').digest();
}

export function hmacSha256(key: Uint8Array, text: string): Uint8Array {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

export function hmacVerifies(key: Uint8Array, text: string, value: Uint8Array): boolean {
  return equalBytes(hmacSha256(key, text), value);
}

/** r and s, 32 octets each (RFC 4050). */
export function ecdsaSha256(key: KeyObject, text: string): Uint8Array {
  return sign('sha256', utf8(text), { key, dsaEncoding: 'ieee-p1363' });
}

export function ecdsaVerifies(key: KeyObject, text: string, value: Uint8Array): boolean {
  return (
    value.length === 64 && verify('sha256', utf8(text), { key, dsaEncoding: 'ieee-p1363' }, value)
  );
}

export function isP256(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
}
