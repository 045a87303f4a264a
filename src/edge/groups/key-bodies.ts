/**
 * I_MESSAGEs in the body of a MESSAGE or NOTIFY: application/mikey (octets or base64), group key
 * transport XML (TS 24.481), or either inside a multipart body. Where the names of the XML are not
 * confirmed by the specification they come from the partner's code points.
 */
import { SegyError } from '../../base/errors.js';
import type { CodePoints } from '../../config/index.js';
import { decodeMikeyInput, decodeMikeyText } from '../../mikey/index.js';
import { decodedContent, leafParts, type BodyPart } from '../../sip/index.js';
import { attribute, parseXml, type XmlElement, type XmlLimits } from '../../xml/index.js';

/** I_MESSAGEs in one body. */
const MAX_MESSAGES = 64;
const MAX_GROUP = 255;
const UNNAMED = { group: null, constituent: null } as const;
const XML_LIMITS = { maxBytes: 262_144, maxDepth: 12, maxElements: 500, maxAttributes: 16 };
/** Of a document that did not come in SIP: a group document with thousands of members may hold keys. */
export const DOCUMENT_LIMITS = {
  ...{ maxBytes: 4_194_304, maxDepth: 24, maxElements: 100_000, maxAttributes: 32 },
} as const;

/** An I_MESSAGE and the group that its transport names; null where it names none. */
export interface CarriedKey {
  readonly message: Uint8Array;
  readonly group: string | null;
  /** the group that was regrouped into `group`, where that is a temporary one */
  readonly constituent: string | null;
}

/** A key, or why what stands in its place is none: each counts alone. */
export type Carried = CarriedKey | SegyError;

/**
 * Every I_MESSAGE of a body, in its order; none where the body carries none. A part or an entry that
 * cannot be read is a refusal (SEGY_E_XML, SEGY_E_MIKEY_SYNTAX, SEGY_E_SIP_SYNTAX) among the others.
 * @throws SegyError SEGY_E_SIP_TOO_LARGE for more than 64
 */
export function carriedKeys(body: BodyPart, names: CodePoints): Carried[] {
  const keys: Carried[] = [];
  for (const part of leafParts(body)) {
    const { type } = part.contentType;
    if (type === names.mikeyType) {
      keys.push(
        readOrRefuse(() => ({ message: decodeMikeyInput(decodedContent(part)), ...UNNAMED })),
      );
    } else if (type.endsWith('+xml') || type.endsWith('/xml')) {
      const read = readOrRefuse(() => keysOfDocument(decodedContent(part), names));
      keys.push(...(read instanceof SegyError ? [read] : read));
    }
    refuseTooMany(keys);
  }
  return keys;
}

function readOrRefuse<T>(read: () => T): T | SegyError {
  try {
    return read();
  } catch (error) {
    if (error instanceof SegyError && error.code !== 'SEGY_E_SIP_TOO_LARGE') return error;
    throw error;
  }
}

/**
 * Every I_MESSAGE of one XML document, such as a GKTP document that an XCAP GET brought.
 * @throws SegyError SEGY_E_XML of the document as a whole, SEGY_E_SIP_TOO_LARGE for more than 64
 */
export function keysOfDocument(
  document: Uint8Array,
  names: CodePoints,
  limits: XmlLimits = XML_LIMITS,
): Carried[] {
  const keys = keysInXml(parseXml(document, limits), names);
  refuseTooMany(keys);
  return keys;
}

function refuseTooMany(keys: readonly Carried[]): void {
  if (keys.length > MAX_MESSAGES) {
    throw new SegyError('SEGY_E_SIP_TOO_LARGE', `more than ${MAX_MESSAGES} keys in one body`);
  }
}

/** The lists of keys stand alone, side by side in a container, or inside another document. */
function keysInXml(element: XmlElement, names: CodePoints): Carried[] {
  const isList = [names.gktpGmkList, names.gktpMkfcList].includes(element.localName);
  if (isList && belongs(element, names)) return keysInList(element, null, names);
  return element.children.flatMap((child) => keysInXml(child, names));
}

/** A list, or in it a list for a temporary group that others were regrouped into. */
function keysInList(list: XmlElement, group: string | null, names: CodePoints): Carried[] {
  return list.children.flatMap((child) => {
    if (child.localName === names.gktpRegroupedList) {
      const temporary = readOrRefuse(() => groupOf(child, names.gktpTemporaryGroupAttribute));
      return temporary instanceof SegyError ? [temporary] : keysInList(child, temporary, names);
    }
    return child.localName === names.gktpEntry
      ? [readOrRefuse(() => keyOfEntry(child, group, names))]
      : [];
  });
}

function keyOfEntry(entry: XmlElement, group: string | null, names: CodePoints): CarriedKey {
  const own = groupOf(entry, names.gktpGroupAttribute);
  const message = decodeMikeyText(entry.text);
  if (group === null) return { message, group: own, constituent: null };
  // in the list of a temporary group the entry names one that was regrouped, or the temporary one
  return { message, group, constituent: own === group ? null : own };
}

function groupOf(element: XmlElement, name: string): string {
  const group = attribute(element, name);
  if (group === undefined || group === '' || group.length > MAX_GROUP) {
    throw new SegyError('SEGY_E_XML', `${element.localName} names no group`);
  }
  return group;
}

/** In its own namespace, or in a document whose schema takes the type into its own. */
function belongs(list: XmlElement, names: CodePoints): boolean {
  return (
    list.namespace === names.gktpNamespace ||
    list.children.some((child) => child.namespace === names.gktpNamespace)
  );
}
