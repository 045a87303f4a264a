/**
 * An XML document with the places of its elements and attribute values in the text as it came, so
 * that one place can be changed and every other octet stays. Built only from what the strict reader
 * has accepted: no comments, processing instructions or DOCTYPE, and every tag has its pair.
 */
import { NamespaceScope, parseXml, resolveReferences } from '../xml/index.js';
import type { XmlLimits } from '../xml/index.js';

export const PART_LIMITS: XmlLimits = {
  maxBytes: 65_536,
  maxDepth: 24,
  maxElements: 2000,
  maxAttributes: 32,
};

export interface LocatedAttribute {
  readonly name: string;
  /** references resolved */
  readonly value: string;
  /** where the value stands, without its quotes */
  readonly start: number;
  readonly end: number;
}

export interface LocatedElement {
  readonly localName: string;
  readonly namespace: string;
  readonly scope: NamespaceScope;
  /** namespace declarations are not among them */
  readonly attributes: readonly LocatedAttribute[];
  readonly children: readonly LocatedElement[];
  /** end of the element's name in its start tag */
  readonly nameEnd: number;
  /** where the content begins and ends; equal for an empty element */
  readonly contentStart: number;
  readonly contentEnd: number;
}

export interface LocatedDocument {
  readonly text: string;
  readonly root: LocatedElement;
}

/** A replacement of the text between two places. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const MARKUP = /<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<((?:[^<>"']|"[^"]*"|'[^']*')*)>|[^<]+/g;
const ATTRIBUTE = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

interface OpenElement extends LocatedElement {
  readonly children: OpenElement[];
  contentEnd: number;
}

/** @throws SegyError SEGY_E_XML */
export function locate(octets: Uint8Array): LocatedDocument {
  parseXml(octets, PART_LIMITS);
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('utf8');
  const open: OpenElement[] = [];
  let root: OpenElement | undefined;
  for (const match of text.matchAll(MARKUP)) {
    const tag = match[1];
    if (tag === undefined) continue;
    if (tag.startsWith('/')) {
      const closed = open.pop();
      if (closed !== undefined) closed.contentEnd = match.index;
      continue;
    }
    const parent = open.at(-1);
    const element = elementOf(tag, match.index + 1, parent);
    parent?.children.push(element);
    root ??= element;
    if (!tag.endsWith('/')) open.push(element);
  }
  return { text, root: root ?? elementOf('none', 0, undefined) };
}

function elementOf(tag: string, at: number, parent: OpenElement | undefined): OpenElement {
  const name = /^[^\s/]+/.exec(tag)?.[0] ?? '';
  const declared = new Map<string, string>();
  const attributes: LocatedAttribute[] = [];
  for (const match of tag.matchAll(ATTRIBUTE)) {
    const [whole, attribute = '', double, single] = match;
    if (match.index < name.length) continue;
    const raw = double ?? single ?? '';
    const value = resolveReferences(raw.replace(/[\t\r\n]/g, ' '));
    if (attribute === 'xmlns') declared.set('', value);
    else if (attribute.startsWith('xmlns:')) declared.set(attribute.slice(6), value);
    else {
      const end = at + match.index + whole.length - 1;
      attributes.push({ name: attribute, value, start: end - raw.length, end });
    }
  }
  const scope = (parent?.scope ?? NamespaceScope.outermost).inside(declared);
  const colon = name.indexOf(':');
  const contentStart = at + tag.length + 1;
  return {
    localName: name.slice(colon + 1),
    namespace: scope.get(colon < 0 ? '' : name.slice(0, colon)) ?? '',
    scope,
    attributes,
    children: [],
    nameEnd: at + name.length,
    contentStart,
    contentEnd: contentStart,
  };
}

/** The element and everything below it, in document order. */
export function* elementsBelow(element: LocatedElement): Generator<LocatedElement> {
  yield element;
  for (const child of element.children) yield* elementsBelow(child);
}

/** Text inside an element as written. */
export function innerText({ text }: LocatedDocument, element: LocatedElement): string {
  return text.slice(element.contentStart, element.contentEnd);
}

/** Text of an element that holds nothing else, as a reader of XML has it. */
export function plainText(document: LocatedDocument, element: LocatedElement): string {
  return innerText(document, element).replace(
    /<!\[CDATA\[([\s\S]*?)\]\]>|[^<]+/g,
    (part, cdata: string | undefined) => cdata ?? resolveReferences(part),
  );
}

/** `text` with all edits, which do not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let out = '';
  let from = 0;
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    out += text.slice(from, edit.start) + edit.text;
    from = edit.end;
  }
  return out + text.slice(from);
}
