/**
 * Canonical XML 1.0 and Exclusive Canonical XML 1.0, both without comments, of one element and what
 * is below it. Small because the strict reader lets through no comments, PIs or DOCTYPE; every
 * element is canonicalised with its own ancestors' namespaces.
 */
import { NamespaceScope, XML_NAMESPACE } from '../xml/index.js';
import type { SignedAttribute, SignedNode } from './tree.js';

export interface CanonicalForm {
  readonly exclusive: boolean;
  /** InclusiveNamespaces PrefixList of the exclusive form; `#default` for the default namespace */
  readonly inclusivePrefixes: readonly string[];
}

export const INCLUSIVE_C14N: CanonicalForm = { exclusive: false, inclusivePrefixes: [] };

/** Canonical text of `apex`; the element `without` (a signature being verified) is left out. */
export function canonicalise(apex: SignedNode, form: CanonicalForm, without?: SignedNode): string {
  const parts: string[] = [];
  const inherited = form.exclusive ? [] : inheritedXmlAttributes(apex);
  render(apex, undefined, inherited, { form, without, parts });
  return parts.join('');
}

interface Rendering {
  readonly form: CanonicalForm;
  readonly without: SignedNode | undefined;
  readonly parts: string[];
}

function render(
  node: SignedNode,
  rendered: NamespaceScope | undefined,
  inherited: readonly SignedAttribute[],
  rendering: Rendering,
): void {
  const { form, without, parts } = rendering;
  const added = new Map<string, string>();
  const declarations: string[] = [];
  const changed = prefixesToRender(node, form, rendered).filter(
    (prefix) =>
      prefix !== 'xml' && (node.scope.get(prefix) ?? '') !== (rendered?.get(prefix) ?? ''),
  );
  for (const prefix of changed.sort(byCodePoint)) {
    const uri = node.scope.get(prefix) ?? '';
    declarations.push(` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}="${escapeValue(uri)}"`);
    added.set(prefix, uri);
  }
  const attributes = [...node.attributes, ...inherited].sort(
    (a, b) => byCodePoint(a.namespace, b.namespace) || byCodePoint(a.localName, b.localName),
  );
  parts.push('<', node.name, ...declarations);
  for (const { name, value } of attributes) parts.push(` ${name}="${escapeValue(value)}"`);
  parts.push('>');
  const inside = (rendered ?? NamespaceScope.outermost).inside(added);
  for (const part of node.content) {
    if (typeof part === 'string') parts.push(escapeText(part));
    else if (part !== without) render(part, inside, [], rendering);
  }
  parts.push('</', node.name, '>');
}

function prefixesToRender(
  node: SignedNode,
  form: CanonicalForm,
  rendered: NamespaceScope | undefined,
): string[] {
  if (!form.exclusive) {
    // Below the apex all that an element does not declare itself was rendered above it.
    if (rendered === undefined) return node.scope.bindings().map(([prefix]) => prefix);
    return node.scope === node.parent?.scope ? [] : [...node.scope.declared.keys()];
  }
  const used = new Set([node.prefix]);
  for (const { name } of node.attributes) {
    const colon = name.indexOf(':');
    if (colon > 0) used.add(name.slice(0, colon));
  }
  for (const prefix of form.inclusivePrefixes) {
    const named = prefix === '#default' ? '' : prefix;
    if (named === '' || node.scope.get(named) !== undefined) used.add(named);
  }
  return [...used];
}

/** xml:lang, xml:space and the like, which a subset takes from its ancestors (C14N 1.0 2.4). */
function inheritedXmlAttributes(apex: SignedNode): SignedAttribute[] {
  const found = new Map<string, SignedAttribute>();
  const own = new Set(apex.attributes.map(({ name }) => name));
  for (let node = apex.parent; node !== undefined; node = node.parent) {
    for (const attribute of node.attributes) {
      if (attribute.namespace !== XML_NAMESPACE || own.has(attribute.name)) continue;
      if (!found.has(attribute.name)) found.set(attribute.name, attribute);
    }
  }
  return [...found.values()];
}

const TEXT_ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\r': '&#xD;',
};
const VALUE_ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
};

function escapeText(text: string): string {
  return text.replace(/[&<>\r]/g, (character) => TEXT_ESCAPES[character] ?? character);
}

function escapeValue(text: string): string {
  return text.replace(/[&<"\t\n\r]/g, (character) => VALUE_ESCAPES[character] ?? character);
}

function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}
