/** What PUT and DELETE do: to a whole document, or to one node of it. */
import { utf8 } from '../base/bytes.js';
import type { HttpResponse } from '../https/index.js';
import { XcapConflict } from './conflict.js';
import type { DocumentSelector } from './document-uri.js';
import type { NodeSelector } from './node-selector.js';
import type { Nodes } from './nodes.js';
import type { XcapDocument, XcapWriter } from './usage.js';

/** @throws XcapConflict; SegyError SEGY_E_CHANGED when `before` is not what is kept any more */
export type Write = (before: XcapDocument | undefined, body: Uint8Array) => Promise<HttpResponse>;

export interface WriteTarget<Caller> {
  readonly method: 'PUT' | 'DELETE';
  readonly at: DocumentSelector;
  readonly writer: XcapWriter<Caller>;
  readonly caller: Caller;
}

export function writeDocument<Caller>({ method, at, writer, caller }: WriteTarget<Caller>): Write {
  return async (before, body) => {
    if (method === 'PUT') {
      const { etag } = await writer.put(at, body, before, caller);
      return { status: before === undefined ? 201 : 200, headers: { ETag: etag } };
    }
    if (before === undefined) return { status: 404 };
    await writer.delete(at, before, caller);
    return { status: 200 };
  };
}

export function writeNode<Caller>(
  { method, at, writer, caller, selector }: WriteTarget<Caller> & { selector: NodeSelector },
  nodesOf: (document: XcapDocument) => Nodes,
): Write {
  return async (before, body) => {
    if (before === undefined) {
      if (method === 'DELETE') return { status: 404 };
      throw new XcapConflict('no-parent', 'there is no such document');
    }
    const nodes = nodesOf(before);
    if (method === 'PUT') {
      const { text, isNew } = await nodes.put(before, selector, textOf(body));
      const { etag } = await writer.put(at, utf8(text), before, caller);
      return { status: isNew ? 201 : 200, headers: { ETag: etag } };
    }
    const text = await nodes.delete(before, selector);
    if (text === undefined) return { status: 404 };
    const { etag } = await writer.put(at, utf8(text), before, caller);
    return { status: 200, headers: { ETag: etag } };
  };
}

function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new XcapConflict('not-utf-8', 'the body is not UTF-8');
  }
}
