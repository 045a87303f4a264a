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
  /^(\d{4}-\d{2}-(\d{2}))(T\d{2}:\d{2}:\d{2}(?:\.\d+)?)(Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))?$/;
/** What a UID is made of has 8 octets at most. */
const INTEGER_LIMIT = 1n << 64n;
const URI = /^[^\s<>"\p{Cc}]+$/u;

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

/** A URI: no spaces, angle brackets, quotes or control characters. */
export function requiredUri(parent: XmlElement, localName: string): string {
  return uriOf(requiredText(parent, localName), localName);
}

export function uriOf(text: string, name: string): string {
  if (text.length > MAX_TEXT) refuseDocument(`${name} is too long`);
  return URI.test(text) ? text : refuseDocument(`${name} is not a URI`);
}

/**
 * Text of an optional child that is no free text. An empty one has no value of its type, and is
 * refused: it must not pass for one that says nothing.
 */
function optionalValue(parent: XmlElement, localName: string): string | undefined {
  const text = optionalText(parent, localName);
  if (text === undefined && single(parent, localName) !== undefined) {
    refuseDocument(`${localName} is empty`);
  }
  return text;
}

/** A non-negative integer of up to 8 octets. */
export function requiredInteger(parent: XmlElement, localName: string): bigint {
  return (
    optionalInteger(parent, localName) ?? refuseDocument(`${parent.localName} has no ${localName}`)
  );
}

export function optionalInteger(parent: XmlElement, localName: string): bigint | undefined {
  const text = optionalValue(parent, localName);
  if (text === undefined) return undefined;
  const value = /^\+?\d{1,40}$/.test(text) ? BigInt(text.replace('+', '')) : INTEGER_LIMIT;
  return value < INTEGER_LIMIT
    ? value
    : refuseDocument(`${localName} is not a non-negative integer of 8 octets at most`);
}

export function optionalBoolean(parent: XmlElement, localName: string): boolean | undefined {
  const text = optionalValue(parent, localName);
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
  const text = optionalValue(parent, localName);
  if (text === undefined) return undefined;
  const [, day = '', dayOfMonth, time = '', zone = 'Z'] = DATE_TIME.exec(text) ?? [];
  const date = new Date(`${day}${time}${zone}`);
  // A day that its month does not have is taken for one of the next month by the platform.
  const isDay = new Date(`${day}T00:00:00Z`).getUTCDate() === Number(dayOfMonth);
  return isDay && !Number.isNaN(date.getTime())
    ? date
    : refuseDocument(`${localName} is not a dateTime`);
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

/** An attribute that is no free text: empty, it is refused. */
export function valueAttribute(element: XmlElement, localName: string): string | undefined {
  const value = attribute(element, localName)?.trim();
  return value === '' ? refuseDocument(`${localName} is empty`) : value;
}
