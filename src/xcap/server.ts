/**
 * The XCAP server (RFC 4825): whole documents to read, put and delete, elements, attributes and
 * namespace bindings to read, and the capabilities document. What documents there are, who may have
 * them and what is a valid one is the business of each usage.
 */
import { SegyError } from '../base/errors.js';
import {
  methodNotAllowed,
  type HttpRequest,
  type HttpResponse,
  type HttpRoute,
} from '../https/index.js';
import { escapeXml } from '../xml/index.js';
import { parseSignedTree, type SignedNode } from '../xmldsig/index.js';
import { checkConditions } from './conditions.js';
import { conflictResponse, XcapConflict } from './conflict.js';
import {
  documentPath,
  parseBindings,
  parseXcapPath,
  type DocumentSelector,
} from './document-uri.js';
import { parseNodeSelector, selectNode } from './node-selector.js';

export interface XcapDocument {
  readonly octets: Uint8Array;
  /** strong entity tag with its quotes */
  readonly etag: string;
}

/** One application usage; `Caller` is what the guard makes of a request. */
export interface XcapUsage<Caller> {
  readonly auid: string;
  readonly mediaType: string;
  /** of its documents, and of names without a prefix in node selectors */
  readonly namespace: string;
  mayRead(at: DocumentSelector, caller: Caller): boolean;
  mayWrite(at: DocumentSelector, caller: Caller): boolean;
  read(at: DocumentSelector): XcapDocument | undefined;
  /**
   * Stores a document in place of `before`.
   * @throws XcapConflict; SegyError SEGY_E_CHANGED when `before` is not what is kept any more
   */
  put(
    at: DocumentSelector,
    octets: Uint8Array,
    before: XcapDocument | undefined,
  ): Promise<XcapDocument>;
  /** @throws as `put` */
  delete(at: DocumentSelector, before: XcapDocument): Promise<void>;
}

export interface XcapGuard<Caller> {
  /** Who asks, or the answer for somebody who may ask nothing. */
  admit(
    request: HttpRequest,
  ): Promise<{ readonly caller: Caller } | { readonly answer: HttpResponse }>;
  /** the answer to a caller who may not have this document */
  forbidden(): HttpResponse;
}

export interface XcapServerOptions<Caller> {
  /** path of the XCAP root, begins and ends with a slash */
  readonly rootPath: string;
  readonly usages: readonly XcapUsage<Caller>[];
  readonly guard: XcapGuard<Caller>;
  readonly maxDocumentOctets: number;
}

const CAPS_AUID = 'xcap-caps';
const CAPS_TYPE = 'application/xcap-caps+xml';
const CAPS_NAMESPACE = 'urn:ietf:params:xml:ns:xcap-caps';
const ALLOWED = 'GET, HEAD, PUT, DELETE';
const READ_ONLY = 'GET, HEAD';
/** Parsed documents that are kept for the next node selector. */
const TREES = 8;
/** Largest document whose nodes can be selected, so that parsing stays within some 50 ms. */
const MAX_SELECTABLE = 262_144;
const ATTEMPTS = 4;

export class XcapServer<Caller> implements HttpRoute {
  readonly name = 'xcap';
  readonly maxBodyOctets: number;
  readonly #options: XcapServerOptions<Caller>;
  readonly #trees = new Map<string, SignedNode>();

  constructor(options: XcapServerOptions<Caller>) {
    this.#options = options;
    this.maxBodyOctets = options.maxDocumentOctets;
  }

  matches(path: string): boolean {
    return path.startsWith(this.#options.rootPath);
  }

  async handle(request: HttpRequest): Promise<HttpResponse> {
    const { rootPath, guard, usages } = this.#options;
    const admitted = await guard.admit(request);
    if ('answer' in admitted) return admitted.answer;
    const uri = parseXcapPath(request.path.slice(rootPath.length));
    if (uri === undefined) return { status: 404 };
    const { document, nodeSelector } = uri;
    if (document.auid === CAPS_AUID) return this.#capabilities(request, document, nodeSelector);
    const usage = usages.find(({ auid }) => auid === document.auid);
    if (usage === undefined) return { status: 404 };
    const { caller } = admitted;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead && (nodeSelector !== null || !['PUT', 'DELETE'].includes(request.method))) {
      return methodNotAllowed(nodeSelector === null ? ALLOWED : READ_ONLY);
    }
    const may = isRead ? usage.mayRead(document, caller) : usage.mayWrite(document, caller);
    if (!may) return guard.forbidden();
    if (isRead) return this.#read(request, usage, document, nodeSelector);
    return this.#write(request, usage, document);
  }

  #read(
    request: HttpRequest,
    usage: XcapUsage<Caller>,
    at: DocumentSelector,
    nodeSelector: string | null,
  ): HttpResponse {
    const document = usage.read(at);
    if (document === undefined) return { status: 404 };
    if (nodeSelector === null) {
      return this.#representation(request, document, usage.mediaType, document.octets);
    }
    let selector;
    try {
      selector = parseNodeSelector(nodeSelector, parseBindings(request.query), usage.namespace);
    } catch {
      return { status: 400 };
    }
    if (document.octets.length > MAX_SELECTABLE) return { status: 501 };
    const node = selectNode(this.#treeOf(document), selector);
    if (node === undefined) return { status: 404 };
    return this.#representation(request, document, node.mediaType, node.text);
  }

  #representation(
    request: HttpRequest,
    { etag }: XcapDocument,
    mediaType: string,
    body: Uint8Array | string,
  ): HttpResponse {
    const condition = checkConditions(request, etag);
    const headers = { ETag: etag, 'Cache-Control': 'private, no-cache' };
    if (condition === 304) return { status: 304, headers };
    if (condition !== 'proceed') return { status: condition };
    return { status: 200, headers: { ...headers, 'Content-Type': mediaType }, body };
  }

  /** Tries again what another change overtook, as long as the conditions hold for what is kept then. */
  async #write(
    request: HttpRequest,
    usage: XcapUsage<Caller>,
    at: DocumentSelector,
  ): Promise<HttpResponse> {
    if (request.method === 'PUT' && mediaTypeOf(request) !== usage.mediaType) {
      return { status: 415 };
    }
    for (let attempt = 1; ; attempt += 1) {
      const before = usage.read(at);
      const condition = checkConditions(request, before?.etag ?? null);
      if (condition !== 'proceed') return { status: condition };
      try {
        if (request.method === 'PUT') {
          const { etag } = await usage.put(at, request.body, before);
          return { status: before === undefined ? 201 : 200, headers: { ETag: etag } };
        }
        if (before === undefined) return { status: 404 };
        await usage.delete(at, before);
        return { status: 200 };
      } catch (error) {
        if (error instanceof XcapConflict) return conflictResponse(error);
        const isOvertaken = error instanceof SegyError && error.code === 'SEGY_E_CHANGED';
        if (!isOvertaken || attempt === ATTEMPTS) throw error;
      }
    }
  }

  #capabilities(
    request: HttpRequest,
    { xui, path }: DocumentSelector,
    nodeSelector: string | null,
  ): HttpResponse {
    if (xui !== null || path.join('/') !== 'index' || nodeSelector !== null) return { status: 404 };
    if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed(READ_ONLY);
    const { usages } = this.#options;
    const list = (name: string, values: readonly string[]): string =>
      values.map((value) => `<${name}>${escapeXml(value)}</${name}>`).join('');
    const body =
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
      `<xcap-caps xmlns="${CAPS_NAMESPACE}">` +
      `<auids>${list('auid', [CAPS_AUID, ...usages.map(({ auid }) => auid)])}</auids>` +
      '<extensions/><namespaces>' +
      list('namespace', [CAPS_NAMESPACE, ...usages.map(({ namespace }) => namespace)]) +
      '</namespaces></xcap-caps>\n';
    return { status: 200, headers: { 'Content-Type': CAPS_TYPE }, body };
  }

  #treeOf({ etag, octets }: XcapDocument): SignedNode {
    let tree = this.#trees.get(etag);
    if (tree === undefined) {
      tree = parseSignedTree(octets);
      const [oldest] = this.#trees.keys();
      if (oldest !== undefined && this.#trees.size >= TREES) this.#trees.delete(oldest);
      this.#trees.set(etag, tree);
    }
    return tree;
  }
}

/** The one global document of the capabilities, below the XCAP root. */
export const CAPABILITIES_PATH = documentPath({ auid: CAPS_AUID, xui: null, path: ['index'] });

function mediaTypeOf(request: HttpRequest): string {
  return (request.header('content-type') ?? '').split(';', 1).join('').trim().toLowerCase();
}
