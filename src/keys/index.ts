/**
 * The key ring, and what must be remembered of the use of keys: messages that were used (replay)
 * and SSRCs that were sent from (nonces). Everything here is on disk before it is relied on.
 */
export { isRevoked, stateOf, STATUS_VALID } from './held-key.js';
export type { HeldKey, KeyState } from './held-key.js';
export { KeyRing } from './key-ring.js';
export type { EnterResult, KeyEnd, KeyRingOptions } from './key-ring.js';
export type { KeyName } from './ring-rules.js';
export { ReplayRecord } from './replay-record.js';
export type { ReplayRecordOptions } from './replay-record.js';
export { SendingMemory, sendingKeyTag } from './sending-memory.js';
