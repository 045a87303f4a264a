/**
 * XCAP (RFC 4825): URIs, node selectors, conditions, error documents, and the server over
 * usages that others provide. Knows nothing of groups or tokens.
 */
export {
  conflictResponse,
  XcapConflict,
  XCAP_ERROR_NAMESPACE,
  XCAP_ERROR_TYPE,
} from './conflict.js';
export type { XcapErrorName } from './conflict.js';
export { documentPath, encodeSegment, parseXcapPath } from './document-uri.js';
export type { DocumentSelector, XcapUri } from './document-uri.js';
export { CAPABILITIES_PATH, XcapServer } from './server.js';
export type { XcapDocument, XcapGuard, XcapServerOptions, XcapUsage } from './server.js';
