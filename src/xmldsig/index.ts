/**
 * XML signatures of KMS documents: one enveloped signature with one reference, HMAC-SHA256 under a
 * shared key or ECDSA P-256 under a certificate the operator named. Only what a verification returns
 * may be read on. Canonicalisation is our own: over the strict reader's documents it is small, and
 * each element gets its own ancestors' namespaces.
 */
export { C14N, DSIG_NAMESPACE, HMAC_SHA256, SHA256 } from './algorithms.js';
export { canonicalise, INCLUSIVE_C14N } from './c14n.js';
export type { CanonicalForm } from './c14n.js';
export { signXml } from './sign.js';
export type { XmlSigner } from './sign.js';

export { attributeOf, childrenNamed, elementsOf, parseSignedTree, textOf } from './tree.js';
export type { SignedNode } from './tree.js';
export { verifySignedXml } from './verify.js';
export type { TrustedKeys, VerifiedContent, VerifyOptions } from './verify.js';
