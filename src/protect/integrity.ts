/**
 * XML integrity (TS 33.180 clause 9.3.5, TS 24.379 clause F.6): one part holds a Signature for each XML
 * body, which it names by Content-ID. The digest runs over the octets of the body as they travel; the
 * HMAC over SignedInfo in canonical form, each with the namespaces of its own ancestors.
 */
import { createHash, createHmac } from 'node:crypto';
import { equalBytes, utf8 } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { escapeXml } from '../xml/index.js';
import {
  attributeOf,
  C14N,
  canonicalise,
  DSIG_NAMESPACE,
  elementsOf,
  HMAC_SHA256,
  INCLUSIVE_C14N,
  parseSignedTree,
  SHA256,
  textOf,
} from '../xmldsig/index.js';
import type { SignedNode } from '../xmldsig/index.js';
import type { OpeningKeys } from './encrypted-uri.js';
import { PART_LIMITS } from './located.js';
import { withKey, type Spk } from './spk.js';
import { SIGNED_DOCUMENTS, type Service } from './vocabulary.js';

/** A body that may be signed. */
export interface SignableBody {
  /** Content-ID without angle brackets */
  readonly contentId: string;
  /** as it travels */
  readonly octets: Uint8Array;
}

/** The `signatures` document over `bodies`. */
export function signBodies(
  bodies: readonly SignableBody[],
  service: Service,
  spk: Spk,
  p0: string,
): Uint8Array {
  const infos = bodies.map(({ contentId, octets }) => signedInfo(contentId, octets));
  const document = (values: readonly string[]): string =>
    `<signatures xmlns="${SIGNED_DOCUMENTS[service].namespace}">` +
    infos.map((info, index) => signature(info, values[index] ?? '', spk.keyName)).join('') +
    '</signatures>';
  // canonicalised where they stand: the values do not change what is signed
  const draft = parseSignedTree(document([]));
  const values = withKey('integrity', spk, p0, (key) =>
    elementsOf(draft).map((node) =>
      Buffer.from(hmacOf(key, only(node, 'SignedInfo'))).toString('base64'),
    ),
  );
  return utf8(document(values));
}

function signedInfo(contentId: string, octets: Uint8Array): string {
  const digest = createHash('sha256').update(octets).digest('base64');
  return (
    `<SignedInfo><CanonicalizationMethod Algorithm="${C14N}"/>` +
    `<SignatureMethod Algorithm="${HMAC_SHA256}"/><Reference URI="cid:${escapeXml(contentId)}">` +
    `<DigestMethod Algorithm="${SHA256}"/><DigestValue>${digest}</DigestValue></Reference></SignedInfo>`
  );
}

function signature(info: string, value: string, keyName: string): string {
  return (
    `<Signature xmlns="${DSIG_NAMESPACE}">${info}<SignatureValue>${value}</SignatureValue>` +
    `<KeyInfo><KeyName>${keyName}</KeyName></KeyInfo></Signature>`
  );
}

/**
 * Verifies every Signature of a `signatures` document.
 * @param bodies all bodies of the message but the document itself; no two with one Content-ID
 * @returns Content-IDs of the bodies that are signed
 * @throws SegyError SEGY_E_XML, SEGY_E_XML_SIGNATURE, SEGY_E_SPK_*
 */
export function verifyBodies(
  document: Uint8Array,
  service: Service,
  bodies: readonly SignableBody[],
  keys: OpeningKeys,
): ReadonlySet<string> {
  const root = parseSignedTree(document, PART_LIMITS);
  const { namespace } = SIGNED_DOCUMENTS[service];
  if (root.localName !== 'signatures' || root.namespace !== namespace) {
    refuse('is no signatures document of its service');
  }
  const byId = new Map(bodies.map((body) => [body.contentId, body.octets]));
  const verified = new Set<string>();
  for (const node of elementsOf(root)) {
    if (node.localName !== 'Signature' || node.namespace !== DSIG_NAMESPACE) {
      refuse('holds something that is no Signature');
    }
    const contentId = verifyOne(node, byId, keys);
    if (verified.has(contentId)) refuse('signs one body twice');
    verified.add(contentId);
  }
  if (verified.size === 0) refuse('holds no Signature');
  return verified;
}

function verifyOne(
  node: SignedNode,
  bodies: ReadonlyMap<string, Uint8Array>,
  keys: OpeningKeys,
): string {
  allow(node, ['SignedInfo', 'SignatureValue', 'KeyInfo']);
  const info = only(node, 'SignedInfo');
  allow(info, ['CanonicalizationMethod', 'SignatureMethod', 'Reference']);
  const canonicalisation = only(info, 'CanonicalizationMethod');
  const method = only(info, 'SignatureMethod');
  const reference = only(info, 'Reference');
  // no Transforms: nothing stands between the octets that travelled and the digest
  allow(reference, ['DigestMethod', 'DigestValue']);
  const digestMethod = only(reference, 'DigestMethod');
  for (const [element, algorithm] of [
    [canonicalisation, C14N],
    [method, HMAC_SHA256],
    [digestMethod, SHA256],
  ] as const) {
    if (attributeOf(element, 'Algorithm') !== algorithm) refuse('uses an algorithm not allowed');
    allow(element, []);
  }
  const contentId = contentIdOf(attributeOf(reference, 'URI'));
  const octets = bodies.get(contentId);
  if (octets === undefined) refuse('signs a body that the message does not hold');
  const value = octetsOf(only(node, 'SignatureValue'));
  const isSigned = keys.spks
    .forReceiving(keyNameOf(node), keys.now)
    .some((spk) =>
      withKey('integrity', spk, keys.p0, (key) => equalBytes(hmacOf(key, info), value)),
    );
  if (!isSigned) refuse('does not verify under the SPK');
  const digest = createHash('sha256').update(octets).digest();
  if (!equalBytes(digest, octetsOf(only(reference, 'DigestValue')))) {
    refuse('is over other octets than the body has');
  }
  return contentId;
}

function hmacOf(key: Uint8Array, info: SignedNode): Uint8Array {
  return createHmac('sha256', key).update(canonicalise(info, INCLUSIVE_C14N), 'utf8').digest();
}

/** `cid:…`, `<…>` or bare; percent-escapes of a cid URL undone (RFC 2392). */
function contentIdOf(uri: string | undefined): string {
  const bare = (uri ?? '').trim().replace(/^<(.*)>$/, '$1');
  const isUrl = /^cid:/i.test(bare);
  try {
    const id = isUrl ? decodeURIComponent(bare.slice(4)) : bare;
    return id.replace(/^<(.*)>$/, '$1');
  } catch {
    return refuse('has a malformed reference');
  }
}

function keyNameOf(node: SignedNode): string | null {
  const infos = elementsOf(node).filter(({ localName }) => localName === 'KeyInfo');
  if (infos.length === 0) return null;
  const info = only(node, 'KeyInfo');
  allow(info, ['KeyName']);
  return textOf(only(info, 'KeyName')).trim();
}

function allow(node: SignedNode, names: readonly string[]): void {
  const other = elementsOf(node).find(
    (child) => child.namespace !== DSIG_NAMESPACE || !names.includes(child.localName),
  );
  if (other !== undefined) refuse(`has a ${other.localName} in its ${node.localName}`);
}

function only(parent: SignedNode, localName: string): SignedNode {
  const [first, ...more] = elementsOf(parent).filter((child) => child.localName === localName);
  if (first?.namespace !== DSIG_NAMESPACE || more.length > 0) {
    return refuse(`has not exactly one ${localName}`);
  }
  return first;
}

function octetsOf(element: SignedNode): Uint8Array {
  const text = textOf(element).replace(/\s+/g, '');
  if (elementsOf(element).length > 0 || !/^[A-Za-z0-9+/]{43}=$/.test(text)) {
    return refuse(`has a ${element.localName} that is not 32 octets in base64`);
  }
  const octets = Buffer.from(text, 'base64');
  if (octets.toString('base64') !== text) return refuse('has base64 with bits to spare');
  return new Uint8Array(octets);
}

function refuse(what: string): never {
  throw new SegyError('SEGY_E_XML_SIGNATURE', `the signature part ${what}`);
}
