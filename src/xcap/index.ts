/**
 * XCAP (RFC 4825): URIs, node selectors, conditions, error documents, and the server over
 * usages that others provide. Knows nothing of groups or tokens.
 */
export { XcapConflict, XCAP_ERROR_TYPE } from './conflict.js';
export { CAPABILITIES_PATH } from './capabilities.js';
export { documentPath, parseXcapPath } from './document-uri.js';
export type { DocumentSelector, XcapUri } from './document-uri.js';
export { XcapServer } from './server.js';
export type { XcapServerOptions } from './server.js';
export type { XcapDocument, XcapGuard, XcapUsage, XcapWriter } from './usage.js';
