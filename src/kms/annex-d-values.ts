/** Typed values of Annex D elements: one function per simple type, all refusing with SEGY_E_KMS_DOCUMENT. */
import { SegyError } from '../base/errors.js';
import { fromHex } from '../base/bytes.js';
import { attribute, type XmlElement } from '../xml/index.js';
import { readEncryptedKey } from './transport-key.js';

/** Transport keys (32 octets) by KeyName. */
export type TransportKeys = ReadonlyMap<string, Uint8Array>;

/** Longest text taken for a URI or a name, in characters. */
const MAX_TEXT = 1024;
const DATE_TIME =
  /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?$/;

export function refuseDocument(what: string): never {
  throw new SegyError('SEGY_E_KMS_DOCUMENT', what);
}

/**
 * The child of that name in the document's own namespace; elements of other namespaces are
 * extensions (D.1) and never taken for it. A second one of the name is refused.
 */
export function single(parent: XmlElement, localName: string): XmlElement | undefined {
  const found = parent.children.filter(
    (child) =>
      child.localName === localName &&
      (child.namespace === parent.namespace || child.namespace === ''),
  );
  if (found.length > 1) refuseDocument(`${parent.localName} has more than one ${localName}`);
  return found[0];
}

/** Text of a required child, trimmed. */
export function requiredText(parent: XmlElement, localName: string): string {
  return (
    optionalText(parent, localName) ?? refuseDocument(`${parent.localName} has no ${localName}`)
  );
}

/** Text of an optional child, trimmed; an empty one counts as absent. */
export function optionalText(parent: XmlElement, localName: string): string | undefined {
  const element = single(parent, localName);
  if (element === undefined) return undefined;
  if (element.children.length > 0) refuseDocument(`${localName} holds elements`);
  const text = element.text.trim();
  if (text.length > MAX_TEXT) refuseDocument(`${localName} is too long`);
  return text === '' ? undefined : text;
}

/** A non-negative integer of up to 20 digits. */
export function requiredInteger(parent: XmlElement, localName: string): bigint {
  const text = requiredText(parent, localName);
  if (!/^\+?\d{1,20}$/.test(text)) refuseDocument(`${localName} is not a non-negative integer`);
  return BigInt(text.replace('+', ''));
}

export function optionalBoolean(parent: XmlElement, localName: string): boolean | undefined {
  const text = optionalText(parent, localName);
  return text === undefined ? undefined : booleanOf(text, localName);
}

export function booleanOf(text: string, name: string): boolean {
  switch (text.trim()) {
    case 'true':
    case '1':
      return true;
    case 'false':
    case '0':
      return false;
    default:
      return refuseDocument(`${name} is not a boolean`);
  }
}

/** An xsd:dateTime; without a zone it is UTC. */
export function optionalDateTime(parent: XmlElement, localName: string): Date | undefined {
  const text = optionalText(parent, localName);
  if (text === undefined) return undefined;
  const match = DATE_TIME.exec(text);
  const date = new Date(`${match?.[1] ?? ''}${match?.[2] ?? 'Z'}`);
  if (match === null || Number.isNaN(date.getTime())) {
    return refuseDocument(`${localName} is not a dateTime`);
  }
  return date;
}

/**
 * Key octets in hexadecimal, either case, white space between digits allowed.
 * A value under a transport key (EncKeyContentType) is unwrapped where that key is given.
 * @throws SegyError SEGY_E_KMS_DOCUMENT
 */
export function requiredKey(
  parent: XmlElement,
  localName: string,
  length: number,
  transportKeys: TransportKeys = new Map(),
): Uint8Array {
  const element = single(parent, localName);
  if (element === undefined) return refuseDocument(`${parent.localName} has no ${localName}`);
  if (element.children.length > 0) {
    if (transportKeys.size === 0) refuseDocument(`${localName} is not a plain key`);
    const key = readEncryptedKey(element, transportKeys);
    return key.length === length ? key : refuseDocument(`${localName} is not ${length} octets`);
  }
  const digits = element.text.replace(/\s+/g, '');
  if (digits.length !== 2 * length || !/^[0-9a-fA-F]*$/.test(digits)) {
    refuseDocument(`${localName} is not ${length} octets of hexadecimal`);
  }
  return fromHex(digits);
}

/** A UID: 44 characters of base64 (F.2.1) or, as some products write it, 64 of hexadecimal. */
export function requiredUid(parent: XmlElement, localName: string): Uint8Array {
  const text = requiredText(parent, localName).replace(/\s+/g, '');
  if (/^[0-9a-fA-F]{64}$/.test(text)) return fromHex(text);
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) {
    const octets = Buffer.from(text, 'base64');
    if (octets.length === 32) return new Uint8Array(octets);
  }
  return refuseDocument(`${localName} is not 32 octets in base64 or hexadecimal`);
}

export function textAttribute(element: XmlElement, localName: string): string | undefined {
  const value = attribute(element, localName)?.trim();
  return value === undefined || value === '' ? undefined : value;
}
