/**
 * Pseudo MC clients: who is represented, with which credentials, and the keys of private calls.
 */
export { Credentials } from './credentials.js';
export { Directory } from './directory.js';
export type { RepresentedUser } from './directory.js';
export { GroupKeys } from './group-keys.js';
export type {
  GroupKeysOptions,
  GroupPartner,
  KeyedGroup,
  TakeGroupKeyRequest,
  TakenGroupKey,
} from './group-keys.js';
export { PartnerTrust, type TrustedPartner } from './partner-trust.js';
export { PseudoClients } from './pseudo-clients.js';
export type {
  MadePck,
  MakePckRequest,
  OpenedPck,
  OpenPckRequest,
  PartnerView,
  PseudoClientsOptions,
} from './pseudo-clients.js';
export type {
  KeyAudit,
  KeyUse,
  OwnDomain,
  PartnerCertificates,
  ReplayRecord,
  UserKeySets,
} from './ports.js';
export { checkUser, isPattern } from './user-pattern.js';
export { parseUserCsv } from './user-csv.js';
export { UserRecords } from './user-records.js';
