/**
 * Verification of one enveloped XML signature. What it returns is the canonical text of what was
 * signed, and that alone may be read on; the document it came in may not.
 *
 * Refused before any cryptography: more or less than one Signature, or one that is not a child of
 * the root; SignedInfo with anything but one Reference; an algorithm that is not in the short list;
 * HMACOutputLength; a Reference to anything but the root or a child of it by a unique Id; and the
 * algorithm of one key kind with a key of the other.
 */
import type { KeyObject } from 'node:crypto';
import { equalBytes } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { DEFAULT_XML_LIMITS } from '../xml/index.js';
import type { XmlLimits } from '../xml/index.js';
import {
  C14N,
  DSIG_NAMESPACE,
  ecdsaVerifies,
  ECDSA_SHA256,
  ENVELOPED,
  EXCLUSIVE_C14N,
  hmacVerifies,
  HMAC_SHA256,
  isP256,
  SHA256,
  sha256,
} from './algorithms.js';
import { canonicalise, INCLUSIVE_C14N } from './c14n.js';
import type { CanonicalForm } from './c14n.js';
import { attributeOf, descendants, elementsOf, parseSignedTree, textOf } from './tree.js';
import type { SignedNode } from './tree.js';

/** Who may have signed: keys that the caller trusts, by kind. Keys in the document are never used. */
export interface TrustedKeys {
  /** shared integrity keys by KeyName */
  readonly hmac?: ReadonlyMap<string, Uint8Array>;
  /** P-256 public keys of the operator's certificate files, by a name of the caller's */
  readonly ecdsa?: ReadonlyMap<string, KeyObject>;
}

export interface VerifiedContent {
  /** canonical XML of the signed element, the signature left out; well-formed and complete */
  readonly xml: string;
  /** name of the key that verified it */
  readonly signedBy: string;
}

/**
 * Transforms that take the node-set and give canonical text; a document with any other is refused.
 * Both WithComments forms equal the plain ones, because the reader lets no comment through.
 */
const CANONICAL_FORMS: ReadonlyMap<string, boolean> = new Map([
  [C14N, false],
  [`${C14N}#WithComments`, false],
  [EXCLUSIVE_C14N, true],
  [`${EXCLUSIVE_C14N}WithComments`, true],
]);
/** Prefixes in a PrefixList of exclusive canonicalisation. */
const MAX_PREFIXES = 32;
/** A signed document is walked several times, so less of it is read than of a plain one. */
const DEFAULT_LIMITS: XmlLimits = { ...DEFAULT_XML_LIMITS, maxBytes: 131_072, maxElements: 1_000 };
const ID_NAMES: ReadonlySet<string> = new Set(['Id', 'ID', 'id']);

export interface VerifyOptions {
  readonly limits?: XmlLimits;
  /**
   * local name of elements that are signed documents of their own inside this one: signatures below
   * them are content here, and verified where they are read
   */
  readonly nested?: string;
}

/** @throws SegyError SEGY_E_XML, SEGY_E_XML_SIGNATURE */
export function verifySignedXml(
  input: Uint8Array | string,
  keys: TrustedKeys,
  options: VerifyOptions = {},
): VerifiedContent {
  const root = parseSignedTree(input, options.limits ?? DEFAULT_LIMITS);
  const signature = onlySignature(root, options.nested);
  const signedInfo = only(signature, 'SignedInfo');
  const method = attributeOf(only(signedInfo, 'SignatureMethod'), 'Algorithm');
  if (elementsOf(only(signedInfo, 'SignatureMethod')).some(isTruncation)) {
    refuse('an HMAC of another length than 256 bits');
  }
  const reference = only(signedInfo, 'Reference');
  const { apex, xml } = referenced(root, signature, reference);
  const digestMethod = attributeOf(only(reference, 'DigestMethod'), 'Algorithm');
  if (digestMethod !== SHA256) refuse('a digest that is not SHA-256');
  if (!equalBytes(sha256(xml), octetsOf(only(reference, 'DigestValue')))) {
    refuse(`what is signed was changed (${apex.localName})`);
  }
  const form = canonicalForm(only(signedInfo, 'CanonicalizationMethod'));
  const signed = canonicalise(signedInfo, form ?? refuse('an unknown canonicalisation'));
  const value = octetsOf(only(signature, 'SignatureValue'));
  return { xml, signedBy: signerOf(method, signed, value, keyNameOf(signature), keys) };
}

function refuse(what: string): never {
  throw new SegyError('SEGY_E_XML_SIGNATURE', `the XML signature has ${what}`);
}

function onlySignature(root: SignedNode, nested: string | undefined): SignedNode {
  const found = [...descendants(root, nested)].filter((node) => node.localName === 'Signature');
  const [signature] = found;
  if (signature === undefined) {
    throw new SegyError('SEGY_E_XML_SIGNATURE', 'the document is not signed');
  }
  if (found.length > 1) refuse('another one beside it');
  if (signature.namespace !== DSIG_NAMESPACE || signature.parent !== root) {
    refuse('a place that is not below the root element');
  }
  for (const child of elementsOf(signature)) {
    if (!['SignedInfo', 'SignatureValue', 'KeyInfo'].includes(child.localName)) {
      refuse(`a ${child.localName}`);
    }
  }
  return signature;
}

/** The one child of that name in the signature's namespace. */
function only(parent: SignedNode, localName: string): SignedNode {
  const [first, ...more] = elementsOf(parent).filter((child) => child.localName === localName);
  if (first?.namespace !== DSIG_NAMESPACE || more.length > 0) {
    return refuse(`not exactly one ${localName}`);
  }
  return first;
}

function isTruncation(child: SignedNode): boolean {
  return !(child.localName === 'HMACOutputLength' && textOf(child).trim() === '256');
}

function canonicalForm(method: SignedNode): CanonicalForm | undefined {
  const exclusive = CANONICAL_FORMS.get(attributeOf(method, 'Algorithm') ?? '');
  if (exclusive === undefined) return undefined;
  const [list, ...more] = elementsOf(method);
  if (list === undefined) return { exclusive, inclusivePrefixes: [] };
  if (!exclusive || more.length > 0 || list.localName !== 'InclusiveNamespaces') return undefined;
  const prefixes = (attributeOf(list, 'PrefixList') ?? '')
    .split(/\s+/, MAX_PREFIXES + 2)
    .filter(Boolean);
  if (prefixes.length > MAX_PREFIXES) refuse('too many inclusive prefixes');
  return { exclusive, inclusivePrefixes: prefixes };
}

/** The element that the reference names and its text after the transforms. */
function referenced(
  root: SignedNode,
  signature: SignedNode,
  reference: SignedNode,
): { apex: SignedNode; xml: string } {
  const apex = dereference(root, signature, attributeOf(reference, 'URI'));
  let enveloped = false;
  let form: CanonicalForm | undefined;
  const transforms = elementsOf(reference).filter((child) => child.localName === 'Transforms');
  if (transforms.length > 1) refuse('several Transforms');
  for (const transform of transforms.flatMap(elementsOf)) {
    const isEnveloped = attributeOf(transform, 'Algorithm') === ENVELOPED;
    if (form !== undefined || (isEnveloped && enveloped)) refuse('transforms in a wrong order');
    if (isEnveloped) enveloped = true;
    else form = canonicalForm(transform) ?? refuse('a transform that is not allowed');
  }
  if (apex === root && !enveloped) refuse('a reference that would sign the signature itself');
  // It was enveloped where it was made: what stands beside it has been moved there.
  if (apex !== root && enveloped) refuse('been taken out of what it signs');
  return { apex, xml: canonicalise(apex, form ?? INCLUSIVE_C14N, signature) };
}

function dereference(root: SignedNode, signature: SignedNode, uri: string | undefined): SignedNode {
  if (uri === '') return root;
  const id = uri?.startsWith('#') === true ? uri.slice(1) : '';
  if (!/^[\w.:-]+$/.test(id)) return refuse('a reference that is not an Id of this document');
  const found = [...descendants(root)].filter((node) =>
    node.attributes.some(({ localName, value }) => ID_NAMES.has(localName) && value === id),
  );
  const [apex] = found;
  if (apex === undefined || found.length > 1) return refuse('a reference to no unique Id');
  if (apex !== root && (apex.parent !== root || apex === signature)) {
    return refuse('a reference to an element that is neither the root nor a child of it');
  }
  return apex;
}

function octetsOf(element: SignedNode): Uint8Array {
  const text = textOf(element).replace(/\s+/g, '');
  if (elementsOf(element).length > 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    return refuse(`a ${element.localName} that is not base64`);
  }
  return Buffer.from(text, 'base64');
}

function keyNameOf(signature: SignedNode): string | undefined {
  const info = elementsOf(signature).filter((child) => child.localName === 'KeyInfo');
  if (info.length > 1) refuse('several KeyInfo');
  const names = info.flatMap(elementsOf).filter((child) => child.localName === 'KeyName');
  const [name] = names;
  return name === undefined ? undefined : textOf(name).trim();
}

function signerOf(
  method: string | undefined,
  signed: string,
  value: Uint8Array,
  keyName: string | undefined,
  keys: TrustedKeys,
): string {
  if (method === HMAC_SHA256) {
    for (const [name, key] of keys.hmac ?? []) {
      const isNamed = keyName === undefined || keyName === name;
      if (isNamed && hmacVerifies(key, signed, value)) return name;
    }
  } else if (method === ECDSA_SHA256) {
    for (const [name, key] of keys.ecdsa ?? []) {
      if (isP256(key) && ecdsaVerifies(key, signed, value)) return name;
    }
  } else {
    refuse('a method that is not allowed');
  }
  return refuse('no key that is trusted');
}
