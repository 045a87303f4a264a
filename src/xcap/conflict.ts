/** Why a document cannot be stored, as XCAP says it (RFC 4825 clause 11). */
import type { HttpResponse } from '../https/index.js';
import { escapeXml } from '../xml/index.js';

export const XCAP_ERROR_TYPE = 'application/xcap-error+xml';
export const XCAP_ERROR_NAMESPACE = 'urn:ietf:params:xml:ns:xcap-error';

export type XcapErrorName =
  | 'not-well-formed'
  | 'not-utf-8'
  | 'schema-validation-error'
  | 'constraint-failure'
  | 'cannot-delete';

/** A rule of the document's usage that a PUT or DELETE would break. */
export class XcapConflict extends Error {
  readonly element: XcapErrorName;

  /** @param phrase for a person; without octets from the wire */
  constructor(element: XcapErrorName, phrase: string) {
    super(phrase);
    this.name = 'XcapConflict';
    this.element = element;
  }
}

/** 409 with the document that says why. */
export function conflictResponse({ element, message }: XcapConflict): HttpResponse {
  const body =
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<xcap-error xmlns="${XCAP_ERROR_NAMESPACE}">` +
    `<${element} phrase="${escapeXml(message)}"/></xcap-error>\n`;
  return {
    status: 409,
    headers: { 'Content-Type': XCAP_ERROR_TYPE, 'Cache-Control': 'no-store' },
    body,
  };
}
