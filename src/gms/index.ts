/**
 * Pseudo GMS (TS 33.180 L.3.1, 5.7, 7.3; TS 24.481): talkgroups that are homed on the radio side,
 * their documents, and the life of their keys.
 */
export {
  GROUP_DOCUMENT_AUID,
  GROUP_DOCUMENT_TYPE,
  groupDocument,
  groupOfDocument,
  pbxNameOf,
  readGroupDocument,
} from './group-document.js';
export type { StoredDocument } from './group-document.js';
export { GroupDocuments } from './group-documents.js';
export { GroupChanges } from './group-changes.js';
export type { ChangeAudit } from './group-changes.js';
export { DocumentThread } from './document-thread.js';
export { DocumentGuard } from './document-guard.js';
export type { AccessTokens } from './document-guard.js';
export type { AccessTokenClaims, DocumentCaller } from './document-access.js';
export { GroupUsage } from './document-usage.js';
export { RollRoute } from './roll-route.js';
export type { DocumentMember, GroupDocument } from './document-model.js';
export { checkGroup, GROUP_SERVICES, memberOf, partnersOf } from './group.js';
export type { Group, GroupMember, GroupService, MemberHome, NewGroup, NewMember } from './group.js';
export { GroupStore } from './group-store.js';
export type { ChangeCondition, GroupChange, GroupListener } from './group-store.js';
export type { Delivery, DeliveryRedirect } from './delivery.js';
export type { KeyLifeSettings, RollRequest } from './key-life.js';
export { progressOf } from './key-status.js';
export type {
  DeliveryCounts,
  DeliveryProblem,
  GroupStatus,
  KeyStatus,
  RollProgress,
  UnreachedPartner,
} from './key-status.js';
export type {
  DomainCertificates,
  GmsAudit,
  GmsIdentity,
  KeySender,
  KeyToSend,
  OwnRing,
  SendOutcome,
} from './ports.js';
export { PseudoGms } from './pseudo-gms.js';
export type { PseudoGmsOptions } from './pseudo-gms.js';
