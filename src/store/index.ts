/**
 * Sealed store: every record AES-256-GCM under a data key, that one under the master key, each
 * record authenticated with its name and version. One process at a time; a record is on disk
 * when the promise of its write resolves; a record that is not the one last written under its
 * name is refused and named while the others are served.
 *
 * Names of records (KMS URIs, user URIs) are not secret and stand in clear; their values never do.
 */
export type { BackendChange, BackendEntry, StoreBackend } from './backend.js';
export { backupStore, restoreStore } from './backup.js';
export { createDialogRecords } from './dialog-records.js';
export { DEFAULT_SCRYPT_COST } from './key-record.js';
export type { ScryptCost } from './key-record.js';
export { openLevelBackend } from './level-backend.js';
export { createMasterKeyFile, readMasterSecret } from './master-key.js';
export type { MasterKeySource, MasterSecret } from './master-key.js';
export { MemoryBackend } from './memory-backend.js';
export type { MigratedRecord, Migration } from './migrations.js';
export { checkMaster, openStore, rekeyStore, repairStore, verifyStore } from './open.js';
export type { OpenStoreOptions, StoreFinding } from './open.js';
export type { SealedStore } from './sealed-store.js';
