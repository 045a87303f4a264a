/**
 * Pseudo IdM (TS 33.180 5.1, Annex B): takes security tokens of partners' IdMs from their clients and
 * issues access tokens for group documents that are served here. Knows no HTTP but requests and
 * answers of `src/https`, and no configuration but what it is given.
 */
export { AccessTokens } from './access-token.js';
export type { AccessTokenClaims, AccessTokenGuard, AccessTokenOptions } from './access-token.js';
export { IdentityManagement } from './identity-management.js';
export type { IdentityManagementOptions } from './identity-management.js';
export { makePartner } from './partner.js';
export type { PartnerMeans, PartnerSource } from './partner.js';
export { MC_SERVICES } from './ports.js';
export type {
  IdmAudit,
  IdmAuditEvent,
  IdmDirectory,
  IdmPartner,
  McService,
  ServiceIds,
} from './ports.js';
export { MAX_KEY_SET } from './public-keys.js';
export { AccessTokenKeys } from './access-token-keys.js';
export type { AccessTokenKeysOptions, AccessTokenKeyView } from './access-token-keys.js';
