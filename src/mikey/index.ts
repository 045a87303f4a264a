/**
 * MIKEY-SAKKE as TS 33.180 uses it: I_MESSAGEs parsed and made octet for octet, opened with every check
 * in its order (docs/mikey.md), and what follows from an opened key: identifiers, SRTP keys, policy.
 * Knows no SIP and keeps no record: clock, certificates, key sets and replay record are handed in.
 */
export { periodsAround } from './addressee.js';
export { type Identity, type MessageFacts, readFacts } from './facts.js';
export type { CsIdMap, GenericIdEntry, MikeyHeader, SrtpIdEntry } from './header.js';
export { hostOf, lieInKmsDomains } from './initiator.js';
export type { KeyParameters, NewKeyParameters } from './key-parameters.js';
export {
  CS_ID,
  csIdsOf,
  gmkIdOf,
  gukId,
  KEY_TYPES,
  keyTypeOf,
  type KeyType,
  mkiOf,
  newKeyId,
  purposeTag,
  srtpKeys,
  type SrtpKeyInput,
} from './key-types.js';
export { makeIMessage, type MakeContext, type NewIMessage } from './make.js';
export { type IMessage, MAX_MESSAGE, parseIMessage, serialiseIMessage } from './message.js';
export { ntpToUnixMs, unixMsToNtp } from './ntp.js';
export { openIMessage } from './open.js';
export type { KeyUseFacts, OpenContext, OpenedKey, ReplayRecord } from './open-context.js';
export { type Payload, type SpPayload } from './payloads.js';
export { defaultPolicy, type SrtpPolicy } from './policy.js';
export { decodeMikeyInput, decodeMikeyText, encodeMikeyText } from './text.js';
export {
  ALL_TOLERANCES,
  DEFAULT_TOLERANCES,
  NO_TOLERANCES,
  type Tolerances,
} from './tolerances.js';
export { type PayloadView, walkIMessage } from './walk.js';
export { DEFAULT_WINDOW, type WindowRules } from './window.js';
