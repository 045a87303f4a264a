/** Why a document cannot be stored or deleted, as XCAP says it (RFC 4825 clause 11). */
import type { HttpResponse } from '../https/index.js';
import { escapeXml } from '../xml/index.js';

export const XCAP_ERROR_TYPE = 'application/xcap-error+xml';
const XCAP_ERROR_NAMESPACE = 'urn:ietf:params:xml:ns:xcap-error';

export type XcapErrorName =
  | 'not-well-formed'
  | 'not-utf-8'
  | 'no-parent'
  | 'schema-validation-error'
  | 'uniqueness-failure'
  | 'not-xml-frag'
  | 'not-xml-att-value'
  | 'cannot-insert'
  | 'cannot-delete'
  | 'constraint-failure';

/** What some of the errors say besides. */
export interface XcapConflictDetails {
  /** `no-parent`: path below the XCAP root of the closest ancestor that is there */
  readonly ancestor?: string;
  /** `uniqueness-failure`: node selector of what is there already */
  readonly field?: string;
}

/** A rule of the document's usage that a PUT or DELETE would break. */
export class XcapConflict extends Error {
  readonly element: XcapErrorName;
  readonly details: XcapConflictDetails;

  /** @param phrase for a person; it is sent to the client */
  constructor(element: XcapErrorName, phrase: string, details: XcapConflictDetails = {}) {
    super(phrase);
    this.name = 'XcapConflict';
    this.element = element;
    this.details = details;
  }
}

/** 409 with the document that says why. */
export function conflictResponse(
  { element, message, details: { ancestor, field } }: XcapConflict,
  root: URL,
): HttpResponse {
  const inside = [
    ancestor === undefined ? '' : `<ancestor>${escapeXml(root.href + ancestor)}</ancestor>`,
    field === undefined ? '' : `<exists field="${escapeXml(field)}"/>`,
  ].join('');
  const body =
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<xcap-error xmlns="${XCAP_ERROR_NAMESPACE}">` +
    `<${element} phrase="${escapeXml(message)}">${inside}</${element}></xcap-error>\n`;
  return {
    status: 409,
    headers: { 'Content-Type': XCAP_ERROR_TYPE, 'Cache-Control': 'no-store' },
    body,
  };
}
