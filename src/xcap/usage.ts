/** What the XCAP server asks of whoever has documents, and of whoever knows the callers. */
import type { HttpRequestHead, HttpResponse } from '../https/index.js';
import type { DocumentSelector } from './document-uri.js';

export interface XcapDocument {
  readonly octets: Uint8Array;
  /** strong entity tag with its quotes */
  readonly etag: string;
}

/** One application usage (RFC 4825 clause 5); `Caller` is what the guard makes of a request. */
export interface XcapUsage<Caller> {
  readonly auid: string;
  readonly mediaType: string;
  /** of names without a prefix in node selectors: the default document namespace */
  readonly namespace: string;
  /** every namespace that its documents use, for the capabilities */
  readonly namespaces: readonly string[];
  mayRead(at: DocumentSelector, caller: Caller): boolean;
  /** undefined where there is none */
  read(at: DocumentSelector): XcapDocument | undefined;
  /** null where nobody writes by HTTP */
  readonly writer: XcapWriter<Caller> | null;
}

export interface XcapWriter<Caller> {
  mayWrite(at: DocumentSelector, caller: Caller): boolean;
  /**
   * Stores a document in place of `before`.
   * @throws XcapConflict; SegyError SEGY_E_CHANGED when `before` is not what is kept any more
   */
  put(
    at: DocumentSelector,
    octets: Uint8Array,
    before: XcapDocument | undefined,
    caller: Caller,
  ): Promise<XcapDocument>;
  /** @throws as `put` */
  delete(at: DocumentSelector, before: XcapDocument, caller: Caller): Promise<void>;
}

export interface XcapGuard<Caller> {
  /** Who asks, or the answer for somebody who may ask nothing. */
  admit(
    head: HttpRequestHead,
  ): Promise<{ readonly caller: Caller } | { readonly answer: HttpResponse }>;
  /** the answer to a caller who may not have, or not change, this document */
  forbidden(caller: Caller): HttpResponse;
}
