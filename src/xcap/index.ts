/**
 * XCAP (RFC 4825): URIs, node selectors, conditions, error documents, and the server over
 * usages that others provide. Knows nothing of groups or tokens.
 */
export { XcapConflict, XCAP_ERROR_TYPE } from './conflict.js';
export { CAPABILITIES_PATH } from './capabilities.js';
export { documentPath, parseXcapPath } from './document-uri.js';
export type { DocumentSelector, XcapUri } from './document-uri.js';
export { TreeNodes } from './nodes.js';
export type { Nodes } from './nodes.js';
export type { ChangedDocument } from './node-change.js';
export type { NodeSelector, SelectedNode } from './node-selector.js';
export { XcapServer } from './server.js';
export type { XcapServerOptions } from './server.js';
export type { XcapConflictDetails, XcapErrorName } from './conflict.js';
export type { XcapDocument, XcapGuard, XcapUsage, XcapWriter } from './usage.js';
