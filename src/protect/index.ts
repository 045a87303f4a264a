/**
 * Protection of signalling between domains (TS 33.180 clause 9): XML encrypted and signed under keys
 * derived from an SPK, and EARs that authenticate requests.
 *
 * Contract: it is given SIP messages and a partner's profile and makes their bodies clear or protected
 * in place, all or nothing. It knows no calls, dialogs or transports. Every refusal has a code of its
 * own, but decryption, which has one for all its faults.
 */
export { SignallingProtection, type ProtectionOptions } from './protection.js';
export { checkEar, makeEar } from './ear.js';
export type { EarKeys, EarReplay, EarRequestFacts, EarTools } from './ear.js';
export {
  decodeEar,
  encodeEar,
  type DecodedEar,
  type Ear,
  type EarCodePoints,
  type EarRequest,
} from './ear-codec.js';
export { decryptDocument, encryptDocument } from './confidentiality.js';
export {
  decryptUri,
  encryptUri,
  isEncryptedUri,
  type OpeningKeys,
  type SealingKey,
} from './encrypted-uri.js';
export { signBodies, verifyBodies, type SignableBody } from './integrity.js';
export { attachEar, openMessage, sealMessage, type Demands, type Measures } from './message.js';
export { loadSharedKeys, loadSpks, SpkSet, type ReadKeyFile, type Spk } from './spk.js';
export { EAR_TYPE, ENCRYPTED_HOST } from './vocabulary.js';
