/** Nodes of documents, read and changed: the tree of a document is made once and kept for the next selector. */
import { parseSignedTree, type SignedNode } from '../xmldsig/index.js';
import { deleteNode, putNode, type ChangedDocument } from './node-change.js';
import { selectNode, type NodeSelector, type SelectedNode } from './node-selector.js';
import type { XcapDocument } from './usage.js';

export interface Nodes {
  /** undefined where there is no such node @throws SegyError SEGY_E_BUSY */
  select(document: XcapDocument, selector: NodeSelector): Promise<SelectedNode | undefined>;
  /** @throws XcapConflict as `putNode`; SegyError SEGY_E_BUSY */
  put(document: XcapDocument, selector: NodeSelector, body: string): Promise<ChangedDocument>;
  /** undefined where there is no such node @throws XcapConflict; SegyError SEGY_E_BUSY */
  delete(document: XcapDocument, selector: NodeSelector): Promise<string | undefined>;
}

/** Parsed documents that are kept. */
const TREES = 8;
const MAX_OCTETS = 8_388_608;
const TREE_LIMITS = {
  maxBytes: MAX_OCTETS,
  maxDepth: 32,
  maxElements: MAX_OCTETS,
  maxAttributes: 64,
};

/** On the thread that asks. */
export class TreeNodes implements Nodes {
  readonly #trees = new Map<string, SignedNode>();

  select(document: XcapDocument, selector: NodeSelector): Promise<SelectedNode | undefined> {
    return this.#do(() => selectNode(this.#treeOf(document), selector));
  }

  put(document: XcapDocument, selector: NodeSelector, body: string): Promise<ChangedDocument> {
    return this.#do(() => putNode(this.#treeOf(document), selector, body));
  }

  delete(document: XcapDocument, selector: NodeSelector): Promise<string | undefined> {
    return this.#do(() => deleteNode(this.#treeOf(document), selector));
  }

  #do<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => resolve(work()));
  }

  #treeOf({ etag, octets }: XcapDocument): SignedNode {
    const known = this.#trees.get(etag);
    if (known !== undefined) return known;
    const tree = parseSignedTree(octets, TREE_LIMITS);
    const [oldest] = this.#trees.keys();
    if (oldest !== undefined && this.#trees.size >= TREES) this.#trees.delete(oldest);
    this.#trees.set(etag, tree);
    return tree;
  }
}
