/**
 * Documents with one node put or deleted (RFC 4825 clauses 8.2 and 8.4). What comes out is a whole document
 * for its usage to judge. A change after which the selector would not select what it was for is refused,
 * so that a request that is sent again does nothing more.
 */
import { SegyError } from '../base/errors.js';
import { escapeXml, resolveReferences } from '../xml/index.js';
import { canonicalise, elementsOf, parseSignedTree, type SignedNode } from '../xmldsig/index.js';
import { XcapConflict } from './conflict.js';
import { ATTRIBUTE_TYPE, ELEMENT_TYPE, isNamed, matching } from './node-selector.js';
import { selectElement, type NodeSelector, type Step } from './node-selector.js';

const EXCLUSIVE = { exclusive: true, inclusivePrefixes: [] } as const;
const FRAGMENT_LIMITS = {
  maxBytes: 65_536,
  maxDepth: 16,
  maxElements: 1000,
  maxAttributes: 64,
};

export interface ChangedDocument {
  readonly text: string;
  /** the node was not there before */
  readonly isNew: boolean;
}

/** What the body of a PUT to this selector is; null where such a node cannot be put. */
export function typeOfNode({ terminal }: NodeSelector): string | null {
  if (terminal === null) return ELEMENT_TYPE;
  return terminal === 'namespaces' ? null : ATTRIBUTE_TYPE;
}

/** @throws XcapConflict not-xml-frag, not-xml-att-value, no-parent, cannot-insert */
export function putNode(root: SignedNode, selector: NodeSelector, body: string): ChangedDocument {
  const { steps, terminal } = selector;
  if (terminal === 'namespaces') throw new XcapConflict('cannot-insert', 'namespaces stay');
  if (terminal !== null) {
    const owner = selectElement(root, steps);
    if (owner === undefined) throw noParent();
    const changed = withAttribute(owner, terminal.attribute, attributeValue(body));
    const isNew = changed.attributes.length > owner.attributes.length;
    return finish(replace(root, owner, changed), isNew, selectorStays(steps), 'cannot-insert');
  }
  const step = steps.at(-1);
  const parent = selectElement(root, steps.slice(0, -1));
  if (step === undefined || (steps.length > 1 && parent === undefined)) throw noParent();
  const context = parent ?? root;
  const element = fragment(body, parent === undefined ? [] : context.scope.bindings());
  const siblings = parent === undefined ? [root] : elementsOf(parent);
  const found = matching(siblings, step);
  if (found.length > 1) throw cannotInsert();
  const [before] = found;
  const isThis = (next: SignedNode): boolean =>
    selectElement(next, steps)?.content === element.content;
  if (before !== undefined) {
    return finish(replace(root, before, element), false, isThis, 'cannot-insert');
  }
  if (parent === undefined) throw cannotInsert();
  const content = inserted(parent, element, step);
  return finish(replace(root, parent, { ...parent, content }), true, isThis, 'cannot-insert');
}

/** @returns undefined where there is no such node @throws XcapConflict cannot-delete */
export function deleteNode(
  root: SignedNode,
  { steps, terminal }: NodeSelector,
): string | undefined {
  const node = selectElement(root, steps);
  if (node === undefined || terminal === 'namespaces') return undefined;
  if (terminal !== null) {
    const attributes = node.attributes.filter((each) => !isNamed(each, terminal.attribute));
    if (attributes.length === node.attributes.length) return undefined;
    const next = replace(root, node, { ...node, attributes });
    return finish(next, false, selectorStays(steps), 'cannot-delete').text;
  }
  const { parent } = node;
  if (parent === undefined) throw new XcapConflict('cannot-delete', 'the root is the document');
  const content = parent.content.filter((each) => each !== node);
  const isGone = (next: SignedNode): boolean => selectElement(next, steps) === undefined;
  return finish(replace(root, parent, { ...parent, content }), false, isGone, 'cannot-delete').text;
}

function finish(
  next: SignedNode,
  isNew: boolean,
  holds: (next: SignedNode) => boolean,
  otherwise: 'cannot-insert' | 'cannot-delete',
): ChangedDocument {
  if (!holds(next)) throw new XcapConflict(otherwise, 'the selector would not select it then');
  return { text: canonicalise(next, EXCLUSIVE), isNew };
}

function selectorStays(steps: readonly Step[]): (next: SignedNode) => boolean {
  return (next) => selectElement(next, steps) !== undefined;
}

/** The tree with another node in the place of `old`; what is not on the way to it is shared. */
function replace(root: SignedNode, old: SignedNode, next: SignedNode): SignedNode {
  const { parent } = old;
  if (parent === undefined) return next;
  const content = parent.content.map((each) => (each === old ? next : each));
  return replace(root, parent, { ...parent, content });
}

/** Behind the last sibling of its name; at the end where there is none. */
function inserted(
  parent: SignedNode,
  element: SignedNode,
  { position }: Step,
): readonly (SignedNode | string)[] {
  const alike = elementsOf(parent).filter((each) => isNamed(each, element));
  if (position !== null && position !== alike.length + 1) throw cannotInsert();
  const last = alike.at(-1);
  const at = last === undefined ? parent.content.length : parent.content.indexOf(last) + 1;
  return [...parent.content.slice(0, at), element, ...parent.content.slice(at)];
}

/** One element, in the namespaces that are in scope where it goes. */
function fragment(body: string, bindings: readonly (readonly [string, string])[]): SignedNode {
  const declared = bindings
    .filter(([prefix]) => prefix !== 'xml')
    .map(([prefix, uri]) => ` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}="${escapeXml(uri)}"`);
  try {
    const wrapper = parseSignedTree(`<x${declared.join('')}>${body}</x>`, FRAGMENT_LIMITS);
    const [element, ...more] = elementsOf(wrapper);
    const text = wrapper.content.filter((each) => typeof each === 'string').join('');
    if (element !== undefined && more.length === 0 && text.trim() === '') return element;
  } catch (error) {
    if (!(error instanceof SegyError)) throw error;
  }
  throw new XcapConflict('not-xml-frag', 'the body is not one element');
}

function attributeValue(body: string): string {
  try {
    if (!/[<"]/.test(body)) return resolveReferences(body);
  } catch (error) {
    if (!(error instanceof SegyError)) throw error;
  }
  throw new XcapConflict('not-xml-att-value', 'the body is no attribute value');
}

function withAttribute(
  owner: SignedNode,
  name: { readonly namespace: string; readonly localName: string },
  value: string,
): SignedNode {
  const found = owner.attributes.find((each) => isNamed(each, name));
  if (found !== undefined) {
    const attributes = owner.attributes.map((each) => (each === found ? { ...each, value } : each));
    return { ...owner, attributes };
  }
  if (name.namespace !== '') throw cannotInsert();
  const added = { name: name.localName, ...name, value };
  return { ...owner, attributes: [...owner.attributes, added] };
}

function noParent(): XcapConflict {
  return new XcapConflict('no-parent', 'there is no such parent element');
}

function cannotInsert(): XcapConflict {
  return new XcapConflict('cannot-insert', 'the selector would not select it then');
}
