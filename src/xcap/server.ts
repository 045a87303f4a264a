/**
 * The XCAP server (RFC 4825): documents, their elements and attributes to read, put and delete, their
 * namespace bindings to read, and the capabilities document. What documents there are, who may have
 * them and what is a valid one is the business of each usage. Nothing of a body is read before the
 * caller is known to be one who may write there.
 */
import type { Clock } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { TokenBucket } from '../base/token-bucket.js';
import {
  methodNotAllowed,
  type HttpRequestHead,
  type HttpResponse,
  type StagedRoute,
} from '../https/index.js';
import { capabilities } from './capabilities.js';
import { checkConditions } from './conditions.js';
import { conflictResponse, XcapConflict } from './conflict.js';
import { parseBindings, parseXcapPath, type DocumentSelector } from './document-uri.js';
import { typeOfNode } from './node-change.js';
import { parseNodeSelector, type NodeSelector } from './node-selector.js';
import { TreeNodes, type Nodes } from './nodes.js';
import type { XcapDocument, XcapGuard, XcapUsage } from './usage.js';
import { writeDocument, writeNode, type Write, type WriteTarget } from './write.js';

export interface XcapServerOptions<Caller> {
  /** XCAP root: an https URL, with or without its last slash */
  readonly root: string;
  readonly usages: readonly XcapUsage<Caller>[];
  readonly guard: XcapGuard<Caller>;
  readonly maxDocumentOctets: number;
  /** reads and changes nodes of documents of more than 32 KiB, which takes its time */
  readonly large: Nodes;
  readonly clock: Clock;
}

const READ = 'GET, HEAD';
const READ_WRITE = 'GET, HEAD, PUT, DELETE';
const BUSY: HttpResponse = { status: 503, headers: { 'Retry-After': '1' } };
/** Large documents that are changed in a second by all callers. */
const CHANGES_PER_SECOND = 2;
const CHANGES_AT_ONCE = 8;
/** What is parsed within some 10 ms. */
const SMALL = 32_768;
const ATTEMPTS = 4;

export class XcapServer<Caller> implements StagedRoute {
  readonly name = 'xcap';
  readonly maxBodyOctets: number;
  readonly #root: URL;
  readonly #guard: XcapGuard<Caller>;
  readonly #usages: readonly XcapUsage<Caller>[];
  readonly #small = new TreeNodes();
  readonly #large: Nodes;
  readonly #changes: TokenBucket;

  constructor(options: XcapServerOptions<Caller>) {
    const { root, usages, guard, maxDocumentOctets, large, clock } = options;
    this.#root = new URL(root.endsWith('/') ? root : `${root}/`);
    this.#guard = guard;
    this.#usages = [capabilities(usages), ...usages];
    this.maxBodyOctets = maxDocumentOctets;
    this.#large = large;
    this.#changes = new TokenBucket(clock, CHANGES_PER_SECOND, CHANGES_AT_ONCE);
  }

  matches(path: string): boolean {
    return path.startsWith(this.#root.pathname);
  }

  async begin(
    head: HttpRequestHead,
  ): Promise<HttpResponse | ((body: Uint8Array) => Promise<HttpResponse>)> {
    const admitted = await this.#guard.admit(head);
    if ('answer' in admitted) return admitted.answer;
    const { caller } = admitted;
    const uri = parseXcapPath(head.path.slice(this.#root.pathname.length));
    const usage = this.#usages.find(({ auid }) => auid === uri?.document.auid);
    if (uri === undefined || usage === undefined) return { status: 404 };
    const { document, nodeSelector } = uri;
    const { writer } = usage;
    if (head.method === 'GET' || head.method === 'HEAD') {
      if (!usage.mayRead(document, caller)) return this.#guard.forbidden(caller);
      return this.#read(head, usage, document, nodeSelector);
    }
    if (writer === null) return methodNotAllowed(READ);
    const { method } = head;
    if (method !== 'PUT' && method !== 'DELETE') return methodNotAllowed(READ_WRITE);
    if (!writer.mayWrite(document, caller)) return this.#guard.forbidden(caller);
    const target: WriteTarget<Caller> = { at: document, writer, caller, method };
    if (nodeSelector === null) {
      return this.#beginWrite(head, usage, document, usage.mediaType, writeDocument(target));
    }
    const selector = readSelector(head, nodeSelector, usage);
    if (selector === undefined) return { status: 400 };
    const mediaType = typeOfNode(selector);
    if (mediaType === null) return methodNotAllowed(READ);
    const write = writeNode({ ...target, selector }, (kept) => this.#nodesOf(kept));
    return this.#beginWrite(head, usage, document, mediaType, write);
  }

  async #read(
    head: HttpRequestHead,
    usage: XcapUsage<Caller>,
    at: DocumentSelector,
    nodeSelector: string | null,
  ): Promise<HttpResponse> {
    const document = usage.read(at);
    if (document === undefined) return { status: 404 };
    if (nodeSelector === null) {
      return representation(head, document, usage.mediaType, document.octets);
    }
    const selector = readSelector(head, nodeSelector, usage);
    if (selector === undefined) return { status: 400 };
    const node = await this.#nodesOf(document).select(document, selector);
    if (node === undefined) return { status: 404 };
    return representation(head, document, node.mediaType, node.text);
  }

  /** What can be refused without the body, then what takes it. */
  #beginWrite(
    head: HttpRequestHead,
    usage: XcapUsage<Caller>,
    at: DocumentSelector,
    mediaType: string,
    write: Write,
  ): HttpResponse | ((body: Uint8Array) => Promise<HttpResponse>) {
    const condition = checkConditions(head, usage.read(at)?.etag ?? null);
    if (condition !== 'proceed') return { status: condition };
    if (head.method === 'PUT') {
      if (!isOfType(head, mediaType)) return { status: 415 };
      // a part of a document would be taken for the whole (RFC 9110 clause 14.5)
      if (head.header('content-range') !== undefined) return { status: 400 };
    }
    return (body) => {
      const isWhole = mediaType === usage.mediaType;
      const octets = isWhole ? body.length : usage.read(at)?.octets.length;
      return (octets ?? 0) > SMALL && !this.#changes.take()
        ? Promise.resolve(BUSY)
        : this.#write(head, usage, at, (before) => write(before, body));
    };
  }

  /** Tries again what another change overtook, as long as the conditions hold for what is kept then. */
  async #write(
    head: HttpRequestHead,
    usage: XcapUsage<Caller>,
    at: DocumentSelector,
    write: (before: XcapDocument | undefined) => Promise<HttpResponse>,
  ): Promise<HttpResponse> {
    for (let attempt = 1; ; attempt += 1) {
      const before = usage.read(at);
      const condition = checkConditions(head, before?.etag ?? null);
      if (condition !== 'proceed') return { status: condition };
      try {
        return await write(before);
      } catch (error) {
        if (error instanceof XcapConflict) return conflictResponse(error, this.#root);
        const isOvertaken = error instanceof SegyError && error.code === 'SEGY_E_CHANGED';
        if (!isOvertaken || attempt === ATTEMPTS) throw error;
      }
    }
  }

  #nodesOf({ octets }: XcapDocument): Nodes {
    return octets.length > SMALL ? this.#large : this.#small;
  }
}

/** undefined for what is no selector. */
function readSelector<Caller>(
  { query }: HttpRequestHead,
  text: string,
  { namespace }: XcapUsage<Caller>,
): NodeSelector | undefined {
  try {
    return parseNodeSelector(text, parseBindings(query), namespace);
  } catch {
    return undefined;
  }
}

/** The entity tag of a node is that of its document (RFC 4825 clause 8.5). */
function representation(
  head: HttpRequestHead,
  { etag }: XcapDocument,
  mediaType: string,
  body: Uint8Array | string,
): HttpResponse {
  const condition = checkConditions(head, etag);
  const headers = { ETag: etag, 'Cache-Control': 'private, no-cache' };
  if (condition === 304) return { status: 304, headers };
  if (condition !== 'proceed') return { status: condition };
  return { status: 200, headers: { ...headers, 'Content-Type': mediaType }, body };
}

/** Whether the body is said to be of this type, in UTF-8 and without a content coding. */
function isOfType({ header }: HttpRequestHead, mediaType: string): boolean {
  const [type = '', ...parameters] = (header('content-type') ?? '').toLowerCase().split(';');
  const isUtf8 = parameters.every((each) => {
    const [name = '', value = ''] = each.split('=', 2).map((part) => part.trim());
    return name !== 'charset' || /^"?utf-8"?$/.test(value);
  });
  const coding = header('content-encoding')?.trim().toLowerCase() ?? 'identity';
  return type.trim() === mediaType && isUtf8 && coding === 'identity';
}
