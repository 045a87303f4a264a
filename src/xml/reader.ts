/**
 * The strict XML reader: a bounded scan (scan.ts) refuses what is forbidden or not
 * well-formed, fast-xml-parser builds the tree, and namespaces are resolved here.
 */
import { XMLParser } from 'fast-xml-parser';
import { SegyError } from '../base/errors.js';
import { withoutComments } from './comments.js';
import type { XmlAttribute, XmlElement } from './element.js';
import { refuseXml, resolveReferences, scanRoots } from './scan.js';
import { NamespaceScope, XML_NAMESPACE } from './scope.js';

export interface XmlLimits {
  /** octets of UTF-8 */
  readonly maxBytes: number;
  /** elements inside each other, the root counts 1 */
  readonly maxDepth: number;
  readonly maxElements: number;
  /** of one element, namespace declarations included */
  readonly maxAttributes: number;
  /** `passed over`: comments are as if they were not there; else they are refused */
  readonly comments?: 'passed over';
}

/** What is read within some 50 ms and 20 MB, whatever it holds. */
export const DEFAULT_XML_LIMITS: XmlLimits = {
  maxBytes: 262_144,
  maxDepth: 32,
  maxElements: 2_000,
  maxAttributes: 64,
};

/** Prefixes in scope of one element. */
const MAX_NAMESPACES = 32;

/** Documents in one sequence; each is parsed for itself. */
const MAX_ROOTS = 256;

const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';
const TEXT = '#text';
const CDATA = '#cdata';
const ATTRIBUTES = ':@';

/** What fast-xml-parser gives with preserveOrder: one key names the tag, ':@' holds attributes. */
type RawNode = Readonly<Record<string, unknown>>;

function decode(input: Uint8Array | string, limits: XmlLimits): string {
  const length = typeof input === 'string' ? Buffer.byteLength(input, 'utf8') : input.length;
  if (length > limits.maxBytes) refuseXml('the document is too large');
  let text: string;
  try {
    text =
      typeof input === 'string' ? input : new TextDecoder('utf-8', { fatal: true }).decode(input);
  } catch (cause) {
    throw new SegyError('SEGY_E_XML', 'the document is not UTF-8', { cause });
  }
  const xml = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  return limits.comments === undefined ? xml : withoutComments(xml);
}

function splitName(name: string): { prefix: string; localName: string } {
  const colon = name.indexOf(':');
  return colon === -1
    ? { prefix: '', localName: name }
    : { prefix: name.slice(0, colon), localName: name.slice(colon + 1) };
}

function namespaceOf(prefix: string, scope: NamespaceScope): string {
  const namespace = scope.get(prefix);
  if (namespace === undefined) return refuseXml('a namespace prefix that is not declared');
  return namespace;
}

/** The scope inside an element with these attributes. */
function enterScope(
  raw: readonly (readonly [string, string])[],
  outer: NamespaceScope,
): NamespaceScope {
  if (!raw.some(([name]) => /^xmlns(?::|$)/.test(name))) return outer;
  const declared = new Map<string, string>();
  for (const [name, value] of raw) {
    const { prefix, localName } = splitName(name);
    if (name === 'xmlns') {
      declared.set('', value);
    } else if (prefix === 'xmlns') {
      if (localName === 'xmlns' || value === '') refuseXml('a forbidden namespace declaration');
      if ((localName === 'xml') !== (value === XML_NAMESPACE)) {
        refuseXml('a forbidden namespace declaration');
      }
      declared.set(localName, value);
    }
    if (prefix === 'xmlns' || name === 'xmlns') {
      if (value === XMLNS_NAMESPACE) refuseXml('a forbidden namespace declaration');
    }
  }
  const scope = outer.inside(declared);
  if (scope.size > MAX_NAMESPACES) refuseXml('too many namespaces in scope');
  return scope;
}

function rawAttributes(node: RawNode): [string, string][] {
  const raw = node[ATTRIBUTES];
  if (typeof raw !== 'object' || raw === null) return [];
  return Object.entries(raw).map(([name, value]) => [
    name,
    resolveReferences(String(value).replace(/[\t\n]/g, ' ')),
  ]);
}

function childNodes(value: unknown): readonly RawNode[] {
  return Array.isArray(value) ? (value as readonly RawNode[]) : [];
}

function textOf(nodes: readonly RawNode[]): string {
  let text = '';
  for (const node of nodes) {
    if (TEXT in node) text += resolveReferences(String(node[TEXT]));
    else if (CDATA in node) text += textOfCdata(node[CDATA]);
  }
  return text;
}

function textOfCdata(value: unknown): string {
  return childNodes(value)
    .map((part) => (typeof part[TEXT] === 'string' ? part[TEXT] : ''))
    .join('');
}

function build(node: RawNode, outer: NamespaceScope): XmlElement {
  const name = Object.keys(node).find((key) => key !== ATTRIBUTES) ?? '';
  const raw = rawAttributes(node);
  const scope = enterScope(raw, outer);
  const { prefix, localName } = splitName(name);
  const attributes: XmlAttribute[] = [];
  const seen = new Set<string>();
  for (const [attributeName, value] of raw) {
    const split = splitName(attributeName);
    if (attributeName === 'xmlns' || split.prefix === 'xmlns') continue;
    const namespace = split.prefix === '' ? '' : namespaceOf(split.prefix, scope);
    const expanded = `{${namespace}}${split.localName}`;
    if (seen.has(expanded)) refuseXml('an attribute given twice');
    seen.add(expanded);
    attributes.push({ namespace, localName: split.localName, value });
  }
  const content = childNodes(node[name]);
  return {
    namespace: namespaceOf(prefix, scope),
    localName,
    attributes,
    children: content
      .filter((child) => !(TEXT in child) && !(CDATA in child))
      .map((child) => build(child, scope)),
    text: textOf(content),
  };
}

/** It keeps nothing of what it parses, so one serves all documents of a depth. */
const parsers = new Map<number, XMLParser>();

function parserOf(maxDepth: number): XMLParser {
  const known = parsers.get(maxDepth);
  if (known !== undefined) return known;
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    parseAttributeValue: false,
    processEntities: false,
    trimValues: false,
    cdataPropName: CDATA,
    maxNestedTags: maxDepth + 1,
    // Names such as "toString" are legal XML and harmless here: the tree is rebuilt by build().
    onDangerousProperty: (name) => name,
  });
  parsers.set(maxDepth, parser);
  return parser;
}

function parseRoot(xml: string, limits: XmlLimits): XmlElement {
  let nodes: readonly RawNode[];
  try {
    nodes = childNodes(parserOf(limits.maxDepth).parse(xml));
  } catch (cause) {
    throw new SegyError('SEGY_E_XML', 'not well-formed', { cause });
  }
  const [root] = nodes;
  if (root === undefined || nodes.length !== 1) return refuseXml('not one root element');
  return build(root, NamespaceScope.outermost);
}

/**
 * The one root element of a document in UTF-8 (a byte order mark and an XML declaration may stand first).
 * @throws SegyError SEGY_E_XML: malformed, a forbidden construct, or over a limit
 */
export function parseXml(
  input: Uint8Array | string,
  limits: XmlLimits = DEFAULT_XML_LIMITS,
): XmlElement {
  const xml = decode(input, limits);
  const [extent, ...more] = scanRoots(xml, limits);
  if (extent === undefined || more.length > 0) return refuseXml('not one root element');
  return parseRoot(xml.slice(extent.start, extent.end), limits);
}

/**
 * The roots of several documents that stand one after the other in one file, at least one.
 * The limits hold for all of them together.
 * @throws SegyError SEGY_E_XML
 */
export function parseXmlSequence(
  input: Uint8Array | string,
  limits: XmlLimits = DEFAULT_XML_LIMITS,
): XmlElement[] {
  const xml = decode(input, limits);
  const extents = scanRoots(xml, limits);
  if (extents.length === 0) refuseXml('no root element');
  if (extents.length > MAX_ROOTS) refuseXml('too many root elements');
  return extents.map(({ start, end }) => parseRoot(xml.slice(start, end), limits));
}
