/**
 * XML confidentiality of one document, hop by hop (TS 33.180 clause 9.3.4, TS 24.379 clause 6.6.2):
 * decrypted on the way in, encrypted on the way out. Only the protected places change; every other
 * octet stays what it was.
 */
import { utf8 } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { escapeXml } from '../xml/index.js';
import { decryptContent, encryptContent } from './encrypted-data.js';
import {
  decryptUri,
  encryptUri,
  isEncryptedUri,
  type OpeningKeys,
  type SealingKey,
} from './encrypted-uri.js';
import {
  applyEdits,
  elementsBelow,
  innerText,
  locate,
  type Edit,
  type LocatedDocument,
  type LocatedElement,
} from './located.js';
import { ENCRYPTED_HOST, INFO_DOCUMENTS, URI_ATTRIBUTES, XMLENC } from './vocabulary.js';
import type { InfoVocabulary } from './vocabulary.js';

/**
 * The document with everything decrypted; the same octets when nothing is encrypted.
 * @param required true where an element that may be encrypted must be
 * @param keys null where no SPK is held
 * @throws SegyError SEGY_E_XML, SEGY_E_XML_PLACE, SEGY_E_XML_CLEAR, SEGY_E_XML_DECRYPT,
 *   SEGY_E_XML_PROTECTED, SEGY_E_SPK_*
 */
export function decryptDocument(
  octets: Uint8Array,
  keys: OpeningKeys | null,
  required: boolean,
): Uint8Array {
  const document = locate(octets);
  const holders = holdersOf(document);
  refuseElsewhere(document, holders);
  const edits: Edit[] = [];
  for (const [holder, vocabulary] of holders) {
    const data = encryptedDataOf(document, holder);
    if (data !== null) {
      const text = decryptContent(document, holder, data, vocabulary, demand(keys));
      edits.push({ start: holder.contentStart, end: holder.contentEnd, text });
      const type = holder.attributes.find(({ name }) => name === 'type');
      if (type !== undefined) edits.push({ ...type, text: 'Normal' });
    } else if (required && innerText(document, holder).trim() !== '') {
      throw new SegyError('SEGY_E_XML_CLEAR', `${holder.localName} is not encrypted`);
    }
  }
  for (const attribute of uriAttributesOf(document)) {
    if (isEncryptedUri(attribute.value)) {
      const text = escapeXml(decryptUri(attribute.value, demand(keys)));
      edits.push({ start: attribute.start, end: attribute.end, text });
    } else if (required) {
      throw new SegyError('SEGY_E_XML_CLEAR', 'a URI attribute is not encrypted');
    }
  }
  const text = applyEdits(document.text, edits);
  refuseHost(text);
  return edits.length === 0 ? octets : utf8(text);
}

/**
 * The document with everything encrypted that may be.
 * @throws SegyError SEGY_E_XML; SEGY_E_XML_PLACE when something in it is encrypted already
 */
export function encryptDocument(octets: Uint8Array, key: SealingKey): Uint8Array {
  const document = locate(octets);
  refuseElsewhere(document, new Map());
  refuseHost(document.text);
  const edits: Edit[] = [];
  for (const [holder] of holdersOf(document)) {
    const content = innerText(document, holder);
    if (content.trim() === '') continue;
    const type = holder.attributes.find(({ name }) => name === 'type');
    if (type !== undefined) edits.push({ ...type, text: 'Encrypted' });
    else edits.push({ start: holder.nameEnd, end: holder.nameEnd, text: ' type="Encrypted"' });
    const text = encryptContent(content, key);
    edits.push({ start: holder.contentStart, end: holder.contentEnd, text });
  }
  for (const { value, start, end } of uriAttributesOf(document)) {
    if (value !== '') edits.push({ start, end, text: escapeXml(encryptUri(value, key)) });
  }
  return edits.length === 0 ? octets : utf8(applyEdits(document.text, edits));
}

/** Elements whose content may be encrypted. */
function holdersOf({ root }: LocatedDocument): Map<LocatedElement, InfoVocabulary> {
  const vocabulary = INFO_DOCUMENTS.get(root.namespace);
  const found = new Map<LocatedElement, InfoVocabulary>();
  if (vocabulary?.root !== root.localName) return found;
  const params = root.children.filter(
    (child) => child.localName === vocabulary.params && child.namespace === root.namespace,
  );
  const extensions = params
    .flatMap(({ children }) => children)
    .filter((child) => child.localName === 'anyExt' && child.namespace === root.namespace);
  for (const child of [...params, ...extensions].flatMap(({ children }) => children)) {
    const isNamed = child.namespace === root.namespace && vocabulary.elements.has(child.localName);
    if (isNamed) found.set(child, vocabulary);
  }
  return found;
}

/** The EncryptedData that is the whole content of `holder`; null when the content is clear. */
function encryptedDataOf(document: LocatedDocument, holder: LocatedElement): LocatedElement | null {
  const data = holder.children.find((child) => child.namespace === XMLENC);
  const type = holder.attributes.find(({ name }) => name === 'type')?.value;
  if (data === undefined) {
    if (type !== 'Encrypted') return null;
    throw misplaced('an element of type Encrypted holds no EncryptedData');
  }
  const closing = /<\/[^<>]*>\s*$/.exec(innerText(document, holder));
  const alone =
    holder.children.length === 1 &&
    closing !== null &&
    document.text.slice(holder.contentStart, data.contentStart).trimStart().startsWith('<') &&
    data.contentEnd === holder.contentStart + closing.index;
  if (data.localName !== 'EncryptedData' || type === 'Normal' || !alone) {
    throw misplaced('EncryptedData is not the whole content of an Encrypted element');
  }
  return data;
}

/** XML encryption below anything but a holder, at any depth, and nested EncryptedData. */
function refuseElsewhere(
  { root }: LocatedDocument,
  holders: ReadonlyMap<LocatedElement, InfoVocabulary>,
): void {
  const allowed = new Set<LocatedElement>();
  for (const holder of holders.keys()) {
    for (const data of holder.children.filter((child) => child.namespace === XMLENC)) {
      for (const element of elementsBelow(data)) {
        if (element === data || element.localName !== 'EncryptedData') allowed.add(element);
      }
    }
  }
  for (const element of elementsBelow(root)) {
    if (element.namespace === XMLENC && !allowed.has(element)) {
      throw misplaced('an encrypted element stands where none may be');
    }
  }
}

/** An encrypted identity that is in no attribute which may hold one would reach the PBX. */
function refuseHost(text: string): void {
  if (text.toLowerCase().includes(`@${ENCRYPTED_HOST}`)) {
    throw misplaced('an encrypted identity stands where none may be');
  }
}

function misplaced(what: string): SegyError {
  return new SegyError('SEGY_E_XML_PLACE', what);
}

function demand(keys: OpeningKeys | null): OpeningKeys {
  if (keys !== null) return keys;
  throw new SegyError('SEGY_E_XML_PROTECTED', 'XML is encrypted and no SPK is held');
}

function uriAttributesOf({ root }: LocatedDocument): LocatedElement['attributes'] {
  return [...elementsBelow(root)].flatMap((element) => {
    const name = URI_ATTRIBUTES.get(element.namespace)?.get(element.localName);
    return name === undefined ? [] : element.attributes.filter((each) => each.name === name);
  });
}
