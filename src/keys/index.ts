/**
 * Keys and what must be remembered of their use: messages that were used (replay) and SSRCs that
 * were sent from (nonces). Everything here is on disk before it is relied on.
 */
export { ReplayRecord } from './replay-record.js';
export type { ReplayRecordOptions } from './replay-record.js';
export { SendingMemory, sendingKeyTag } from './sending-memory.js';
