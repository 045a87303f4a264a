/** The operator's configuration: one file, checked whole before anything of it is used. */
export { checkReferencedFiles, type CredentialsFolder } from './files.js';
export {
  checkConfigText,
  findingsError,
  findingText,
  locate,
  parseConfig,
  MAX_CONFIG_OCTETS,
} from './load.js';
export { checkRules, type RuleFindings } from './rules.js';
export type { ConfigFinding, ConfigResult } from './load.js';
export type { SegyConfig } from './schema.js';
export type { GroupConfig, PartnerConfig } from './partner-schema.js';
export { DEFAULT_CODE_POINTS } from './code-points.js';
export type { CodePoints } from './code-points.js';
export { DEFAULT_GROUP_DOCUMENT_NAMES, rollRootOf } from './gms-schema.js';
export type { DocumentAccessConfig } from './documents-schema.js';
export type { HttpsConfig } from './https-schema.js';
export type { GmsConfig, GroupDocumentNames } from './gms-schema.js';
export type { IdmClientConfig, IdmConfig, SecurityTokensConfig } from './idm-schema.js';
export { groupSchema } from './partner-schema.js';
export type {
  GroupDocumentsConfig,
  PartnerIdmConfig,
  PartnerTlsConfig,
} from './partner-idm-schema.js';
export type { EarConfig, ProtectionConfig } from './protection-schema.js';
export type { FloorConfig, KeyingSource } from './floor-schema.js';
