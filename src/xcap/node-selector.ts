/**
 * Node selectors (RFC 4825 clause 6.3): steps by name, position and attribute value, and at the end
 * an attribute or the namespace bindings. A step that does not select exactly one element selects
 * nothing.
 */
import { SegyError } from '../base/errors.js';
import { escapeXml, resolveReferences } from '../xml/index.js';
import { canonicalise, elementsOf, type SignedNode } from '../xmldsig/index.js';

interface QName {
  readonly namespace: string;
  readonly localName: string;
}

export interface Step {
  /** null for `*` */
  readonly name: QName | null;
  /** counted from 1 among the siblings of that name */
  readonly position: number | null;
  readonly attribute: { readonly name: QName; readonly value: string } | null;
}

export interface NodeSelector {
  readonly steps: readonly Step[];
  readonly terminal: { readonly attribute: QName } | 'namespaces' | null;
}

export interface SelectedNode {
  readonly mediaType: string;
  readonly text: string;
}

export const ELEMENT_TYPE = 'application/xcap-el+xml';
export const ATTRIBUTE_TYPE = 'application/xcap-att+xml';
const NAMESPACES_TYPE = 'application/xcap-ns+xml';

const MAX_STEPS = 16;
const NAME = '[A-Za-z_][\\w.\\-]*';
const STEP = new RegExp(
  `^(\\*|(?:${NAME}:)?${NAME})(?:\\[(\\d{1,6})\\])?` +
    `(?:\\[@((?:${NAME}:)?${NAME})=(?:"([^"]*)"|'([^']*)')\\])?(?=/|$)`,
);
const ATTRIBUTE = new RegExp(`^@((?:${NAME}:)?${NAME})$`);

/**
 * @param bindings prefixes of the query; @param defaultNamespace of element names without a prefix
 * @throws SegyError SEGY_E_HTTP for what is not a selector
 */
export function parseNodeSelector(
  text: string,
  bindings: ReadonlyMap<string, string>,
  defaultNamespace: string,
): NodeSelector {
  const resolve = (name: string, unprefixed: string): QName => {
    const colon = name.indexOf(':');
    if (colon < 0) return { namespace: unprefixed, localName: name };
    const namespace = bindings.get(name.slice(0, colon));
    if (namespace === undefined) throw new SegyError('SEGY_E_HTTP', 'a prefix is not bound');
    return { namespace, localName: name.slice(colon + 1) };
  };
  const steps: Step[] = [];
  let rest = text;
  while (rest !== '') {
    if (steps.length > 0) {
      if (rest === 'namespace::*') return { steps, terminal: 'namespaces' };
      const attribute = ATTRIBUTE.exec(rest)?.[1];
      if (attribute !== undefined)
        return { steps, terminal: { attribute: resolve(attribute, '') } };
    }
    const match = STEP.exec(rest);
    if (match === null || steps.length >= MAX_STEPS) break;
    const [whole, name = '*', position, attribute, double, single] = match;
    steps.push({
      name: name === '*' ? null : resolve(name, defaultNamespace),
      position: position === undefined ? null : Number(position),
      attribute:
        attribute === undefined
          ? null
          : { name: resolve(attribute, ''), value: plain(double ?? single ?? '') },
    });
    if (whole.length === rest.length) return { steps, terminal: null };
    rest = rest.slice(whole.length + 1);
  }
  throw new SegyError('SEGY_E_HTTP', 'not a node selector');
}

/** An attribute value of a selector is written as in XML, references and all. */
function plain(value: string): string {
  try {
    return resolveReferences(value);
  } catch (cause) {
    throw new SegyError('SEGY_E_HTTP', 'an attribute value that is none of XML', { cause });
  }
}

/** The node that is selected, as its own document type; undefined for none or several. */
export function selectNode(root: SignedNode, selector: NodeSelector): SelectedNode | undefined {
  const at = selectElement(root, selector.steps);
  if (at === undefined) return undefined;
  const { terminal } = selector;
  if (terminal === null) {
    const text = canonicalise(at, { exclusive: true, inclusivePrefixes: [] });
    return { mediaType: ELEMENT_TYPE, text };
  }
  if (terminal === 'namespaces') return { mediaType: NAMESPACES_TYPE, text: bindingsOf(at) };
  const value = attributeValue(at, terminal.attribute);
  return value === undefined ? undefined : { mediaType: ATTRIBUTE_TYPE, text: escapeXml(value) };
}

/** The one element that steps from the root select; undefined for none or several. */
export function selectElement(root: SignedNode, steps: readonly Step[]): SignedNode | undefined {
  let at: SignedNode | undefined;
  for (const [index, step] of steps.entries()) {
    const siblings = index === 0 ? [root] : at === undefined ? [] : elementsOf(at);
    const [found, another] = matching(siblings, step);
    if (found === undefined || another !== undefined) return undefined;
    at = found;
  }
  return at;
}

export function matching(siblings: readonly SignedNode[], step: Step): SignedNode[] {
  const { name, position, attribute } = step;
  let found = siblings.filter((node) => name === null || isNamed(node, name));
  if (position !== null) found = found.slice(position - 1, position === 0 ? 0 : position);
  if (attribute === null) return found;
  return found.filter((node) => attributeValue(node, attribute.name) === attribute.value);
}

export function isNamed(node: QName, { namespace, localName }: QName): boolean {
  return node.localName === localName && node.namespace === namespace;
}

function attributeValue(node: SignedNode, name: QName): string | undefined {
  return node.attributes.find((each) => isNamed(each, name))?.value;
}

/** The element with no content and every namespace in scope (RFC 4825 clause 7.10). */
function bindingsOf(node: SignedNode): string {
  const declared = node.scope
    .bindings()
    .filter(([prefix]) => prefix !== 'xml')
    .map(([prefix, uri]) => ` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}="${escapeXml(uri)}"`);
  return `<${node.name}${declared.join('')}/>`;
}
