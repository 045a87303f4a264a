/**
 * Audit log: append-only, hash-chained, on stable storage before its writer is told. It says which
 * key identifier was opened, made, sent, received or revoked, for whom, from which message and by
 * which call, and what operators did; it holds no key. No audit record, no key use: a caller whose
 * `record` rejects must not use the key.
 */
export { anchorIn } from './anchor.js';
export type { AuditAnchor, ChainMark } from './anchor.js';
export { AUDIT_ACTIONS } from './chain.js';
export type { AuditAction, AuditEvent, AuditLine } from './chain.js';
export { AuditLog } from './log.js';
export type { AuditLogOptions } from './log.js';
export { showAudit, verifyAudit } from './read.js';
export type { AuditFilter, AuditVerification } from './read.js';
export { tailAudit } from './tail.js';
