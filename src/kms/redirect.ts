/**
 * KMS Redirect Responses (TS 33.180 5.2.8, D.4): what a server or an addressee says to the sender of
 * a key whose KMS was wrong or not allowed. Carried in a SIP 488; may be signed; may be nested, where
 * a server on the path puts what it received inside its own.
 *
 * Known are the media type, the namespace, the root's name, the three purposes and the signature's
 * form. The names of the elements inside are not, so they are a table of the partner's profile; a
 * field without a name there is neither written nor read.
 */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { SegyError } from '../base/errors.js';
import { attribute, escapeXml, parseXml } from '../xml/index.js';
import type { XmlElement } from '../xml/index.js';
import {
  canonicalise,
  childrenNamed,
  INCLUSIVE_C14N,
  parseSignedTree,
  signXml,
  verifySignedXml,
} from '../xmldsig/index.js';
import type { TrustedKeys } from '../xmldsig/index.js';

export const REDIRECT_CONTENT_TYPE = 'application/vnd.3gpp.kmsredirectresponse+xml';
export const REDIRECT_NAMESPACE = 'urn:3gpp:ns:mcsecKMSKRR:1.0';
const ROOT = 'KmsRedirectResponse';
/** Responses inside each other, the outer one counts 1. */
const MAX_NESTING = 4;
const LIMITS = { maxBytes: 65_536, maxDepth: 16, maxElements: 500, maxAttributes: 16 };

/** Why the message was refused (5.2.8). */
export const REDIRECT_PURPOSES = [
  /** IDRkmsr is not the KMS of the addressee */
  'responder-kms-wrong',
  /** IDRkmsr may not be used here */
  'responder-kms-not-allowed',
  /** IDRkmsi may not be used here */
  'initiator-kms-not-allowed',
] as const;

export type RedirectPurpose = (typeof REDIRECT_PURPOSES)[number];

export interface KmsRedirect {
  readonly purpose: RedirectPurpose | null;
  readonly time: Date | null;
  /** the user whose KMS it is about */
  readonly userUri: string | null;
  /** the KMS that the message named */
  readonly refusedKmsUri: string | null;
  /** the KMS to use instead */
  readonly kmsUri: string | null;
  readonly nested: KmsRedirect | null;
  /** name of the key that verified it; null where it is not signed */
  readonly signedBy: string | null;
}

/**
 * Element names by field (`purpose`, `time`, `userUri`, `refusedKmsUri`, `kmsUri`) and values by
 * purpose (`purpose.responder-kms-wrong`, …). From the partner's profile; not confirmed by the
 * specification's text.
 */
export type RedirectNames = Readonly<Record<string, string>>;

const FIELDS = ['purpose', 'time', 'userUri', 'refusedKmsUri', 'kmsUri'] as const;
type Field = (typeof FIELDS)[number];

/**
 * The response as XML; `null` where the profile names no element for its purpose, since one without
 * would say nothing. `nested` is a response received, verbatim.
 * @throws SegyError SEGY_E_CONFIG for a name that is no element name, SEGY_E_XML for a bad `nested`
 */
export function writeRedirect(
  redirect: Omit<KmsRedirect, 'nested' | 'signedBy'>,
  names: RedirectNames,
  options: {
    readonly nested?: string;
    readonly signer?: { readonly key: KeyObject; readonly certificate: X509Certificate };
  } = {},
): string | null {
  const purpose = redirect.purpose === null ? undefined : names[`purpose.${redirect.purpose}`];
  if (purpose === undefined || names.purpose === undefined) return null;
  const values: Readonly<Record<Field, string | null>> = {
    purpose,
    time: redirect.time?.toISOString() ?? null,
    userUri: redirect.userUri,
    refusedKmsUri: redirect.refusedKmsUri,
    kmsUri: redirect.kmsUri,
  };
  const inside = FIELDS.map((field) => {
    const name = elementName(names, field);
    const value = values[field];
    return name === undefined || value === null ? '' : `<${name}>${escapeXml(value)}</${name}>`;
  }).join('');
  const nested = options.nested === undefined ? '' : bareRoot(options.nested);
  const id = `krr-${redirect.time?.getTime() ?? 0}`;
  const xml = `<${ROOT} xmlns="${REDIRECT_NAMESPACE}" Id="${id}">${inside}${nested}</${ROOT}>`;
  return options.signer === undefined ? xml : signXml(xml, { kind: 'ecdsa', ...options.signer });
}

/**
 * Reads a response, the nested ones too. With `keys` every level has to be signed by one of them.
 * @throws SegyError SEGY_E_XML, SEGY_E_XML_SIGNATURE, SEGY_E_KMS_DOCUMENT
 */
export function readRedirect(
  xml: Uint8Array | string,
  names: RedirectNames,
  keys?: TrustedKeys,
): KmsRedirect {
  return readLevel(xml, names, keys, 1);
}

function readLevel(
  xml: Uint8Array | string,
  names: RedirectNames,
  keys: TrustedKeys | undefined,
  level: number,
): KmsRedirect {
  if (level > MAX_NESTING) refuse('are nested too deep');
  const verified = keys && verifySignedXml(xml, keys, { limits: LIMITS, nested: ROOT });
  const text = verified?.xml ?? xml;
  const root = parseXml(text, LIMITS);
  if (root.localName !== ROOT || root.namespace !== REDIRECT_NAMESPACE) {
    refuse('have another root element');
  }
  const [nested, ...more] = childrenNamed(parseSignedTree(text, LIMITS), ROOT);
  if (more.length > 0) refuse('hold several others');
  const value = (field: Field): string | null => valueOf(root, elementName(names, field));
  const purposeValue = value('purpose');
  const time = value('time');
  return {
    purpose:
      REDIRECT_PURPOSES.find(
        (purpose) => purposeValue !== null && names[`purpose.${purpose}`] === purposeValue,
      ) ?? null,
    time: time === null || Number.isNaN(Date.parse(time)) ? null : new Date(time),
    userUri: value('userUri'),
    refusedKmsUri: value('refusedKmsUri'),
    kmsUri: value('kmsUri'),
    nested:
      nested === undefined
        ? null
        : readLevel(canonicalise(nested, INCLUSIVE_C14N), names, keys, level + 1),
    signedBy: verified?.signedBy ?? null,
  };
}

/**
 * What a client would do about it, for the operator to decide (a gateway acts on none by itself).
 * A response carries no certificate and is believed no further than a hint.
 */
export function adviceOf(redirect: KmsRedirect): string {
  const user = redirect.userUri ?? 'the user';
  const instead = redirect.kmsUri ?? 'another KMS';
  switch (redirect.purpose) {
    case 'responder-kms-wrong':
      return `${user} is keyed by ${instead}: ask the partner for that certificate and trust it by fingerprint`;
    case 'responder-kms-not-allowed':
      return `${redirect.refusedKmsUri ?? 'the KMS used'} may not be used for ${user}; the partner names ${instead}`;
    case 'initiator-kms-not-allowed':
      return `the partner does not accept our certificate ${redirect.refusedKmsUri ?? ''}: ask whether it is trusted and not expired there`;
    case null:
      return 'its purpose is not in the partner profile: compare the names with the partner';
  }
}

function elementName(names: RedirectNames, field: Field): string | undefined {
  const name = names[field];
  if (name !== undefined && !/^[A-Za-z_][\w.-]{0,63}$/.test(name)) {
    throw new SegyError('SEGY_E_CONFIG', `redirectResponse.elements.${field} is no element name`);
  }
  return name;
}

function valueOf(root: XmlElement, name: string | undefined): string | null {
  if (name === undefined) return null;
  const found = root.children.filter(
    (child) => child.localName === name && child.namespace === REDIRECT_NAMESPACE,
  );
  if (found.length > 1) refuse(`have ${name} more than once`);
  const text = found[0]?.text.trim() ?? '';
  return text === '' ? null : text.slice(0, 1024);
}

/** The root element of a document, verbatim, checked to be one that may stand here. */
function bareRoot(xml: string): string {
  const root = parseXml(xml, LIMITS);
  if (root.localName !== ROOT || attribute(root, 'Id') === undefined) {
    throw new SegyError('SEGY_E_XML', 'only a KmsRedirectResponse with an Id can be nested');
  }
  return xml.replace(/^\uFEFF?\s*(<\?xml[^>]*\?>)?\s*/, '');
}

function refuse(what: string): never {
  throw new SegyError('SEGY_E_KMS_DOCUMENT', `KMS Redirect Responses ${what}`);
}
