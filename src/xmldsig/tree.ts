/**
 * The document as canonicalisation needs it: prefixes, namespace declarations, and text and elements
 * in their order. Built only from text that the strict reader has accepted, so markup is regular:
 * no comments, processing instructions, DOCTYPE or undeclared prefixes, and every tag has its pair.
 */
import { NamespaceScope, parseXml, resolveReferences } from '../xml/index.js';
import type { XmlLimits } from '../xml/index.js';

export interface SignedAttribute {
  readonly name: string;
  readonly namespace: string;
  readonly localName: string;
  readonly value: string;
}

export interface SignedNode {
  readonly name: string;
  readonly prefix: string;
  readonly localName: string;
  readonly namespace: string;
  readonly attributes: readonly SignedAttribute[];
  readonly scope: NamespaceScope;
  readonly parent: SignedNode | undefined;
  readonly content: readonly (SignedNode | string)[];
}

const MARKUP =
  /<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<((?:[^<>"']|"[^"]*"|'[^']*')*)>|([^<]+)/g;
const ATTRIBUTE = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

interface OpenNode extends SignedNode {
  readonly content: (SignedNode | string)[];
}

/** @throws SegyError SEGY_E_XML */
export function parseSignedTree(input: Uint8Array | string, limits?: XmlLimits): SignedNode {
  parseXml(input, limits);
  const text = (typeof input === 'string' ? input : Buffer.from(input).toString('utf8'))
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n');
  let root: SignedNode | undefined;
  const open: OpenNode[] = [];
  for (const [whole, cdata, tag, characters] of text.matchAll(MARKUP)) {
    const parent = open.at(-1);
    if (tag === undefined) {
      if (whole.startsWith('<?')) continue;
      parent?.content.push(cdata ?? resolveReferences(characters ?? ''));
    } else if (tag.startsWith('/')) {
      open.pop();
    } else {
      const node = openNode(tag, parent);
      parent?.content.push(node);
      root ??= node;
      if (!tag.endsWith('/')) open.push(node);
    }
  }
  return root ?? openNode('none', undefined);
}

function openNode(tag: string, parent: SignedNode | undefined): OpenNode {
  const name = /^[^\s/]+/.exec(tag)?.[0] ?? '';
  const declared = new Map<string, string>();
  const pairs: [string, string][] = [];
  for (const [, attribute = '', double, single] of tag.slice(name.length).matchAll(ATTRIBUTE)) {
    const value = resolveReferences((double ?? single ?? '').replace(/[\t\n]/g, ' '));
    if (attribute === 'xmlns') declared.set('', value);
    else if (attribute.startsWith('xmlns:')) declared.set(attribute.slice(6), value);
    else pairs.push([attribute, value]);
  }
  const scope = (parent?.scope ?? NamespaceScope.outermost).inside(declared);
  const { prefix, localName } = split(name);
  return {
    name,
    prefix,
    localName,
    namespace: scope.get(prefix) ?? '',
    attributes: pairs.map(([attribute, value]) => {
      const parts = split(attribute);
      const namespace = parts.prefix === '' ? '' : (scope.get(parts.prefix) ?? '');
      return { name: attribute, namespace, localName: parts.localName, value };
    }),
    scope,
    parent,
    content: [],
  };
}

function split(name: string): { prefix: string; localName: string } {
  const colon = name.indexOf(':');
  return colon < 0
    ? { prefix: '', localName: name }
    : { prefix: name.slice(0, colon), localName: name.slice(colon + 1) };
}

export function elementsOf(node: SignedNode): SignedNode[] {
  return node.content.filter((part) => typeof part !== 'string');
}

export function textOf(node: SignedNode): string {
  return node.content.filter((part) => typeof part === 'string').join('');
}

export function attributeOf(node: SignedNode, localName: string): string | undefined {
  return node.attributes.find((each) => each.name === localName)?.value;
}

/** The node and all elements below it, in document order, but not into children named `without`. */
export function* descendants(node: SignedNode, without?: string): Generator<SignedNode> {
  yield node;
  for (const child of elementsOf(node)) {
    if (child.localName !== without) yield* descendants(child, without);
  }
}

/** The children of the root that have this local name. */
export function childrenNamed(root: SignedNode, localName: string): SignedNode[] {
  return elementsOf(root).filter((child) => child.localName === localName);
}
