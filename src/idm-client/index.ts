/**
 * The gateway as a client of partners' identity management (TS 33.180 B.6 to B.9): for each user that
 * it represents it states a security token of its own domain, and gets an access token of the partner.
 *
 * Contract: a token is given only where the partner issued it over TLS whose server was pinned, and
 * not after its end; none is ever logged. Where none can be had the answer is null, at once while the
 * wait after a failure lasts: whoever needs one refuses then.
 */
export { metadataUrl } from './metadata.js';
export type { IdmMetadata } from './metadata.js';
export { PartnerIdm } from './partner-idm.js';
export { PartnerTokens, type PartnerTokensParts } from './partner-tokens.js';
export { StatementKeys, type Signer, type StatementKeyView } from './statement-keys.js';
export type { StatementParts } from './statements.js';
export type { IssuedToken } from './token-request.js';
