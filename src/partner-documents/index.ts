/**
 * The gateway as a reader of the group documents that partners serve over XCAP (RFC 4825, TS 24.481),
 * with the access tokens of its users: at the start, when a notice or an affiliation says that there is
 * something new, and from time to time.
 *
 * Contract: nothing is requested but the documents of configured groups below the configured root,
 * whatever a notice names. Keys within are handed on and pass all checks that keys in SIP pass. What a
 * document says never lowers the protection that the configuration asks for.
 */
export { DocumentsOfPartners } from './documents-of-partners.js';
export type { PartnerGroupDocument } from './partner-document.js';
export type { DocumentNotice, DocumentsParts, TokenSource } from './ports.js';
export { tryDocument, type DocumentTrial } from './try-document.js';
