/**
 * Cryptography that knows no message format: ECCSI (RFC 6507), SAKKE (RFC 6508, parameter set 1), the UID and
 * the key derivations of TS 33.180 and MIKEY. ECCSI, UID and derivations are synchronous (well under a
 * millisecond); SAKKE is behind `SlowCrypto`. Nothing here logs, and no message holds a key octet.
 *
 * What JavaScript cannot promise: BigInt arithmetic is not constant-time, and BigInt copies of secrets cannot
 * be wiped. Octet strings this folder makes for itself are wiped; those it returns are the caller's.
 */
export {
  type EccsiUserKey,
  eccsiExtract,
  eccsiPublicKey,
  eccsiSign,
  eccsiValidate,
} from './eccsi.js';
export { EccsiVerifier, type EccsiVerifyInput } from './eccsi-verifier.js';
export { createInlineCrypto } from './inline.js';
export {
  type MikeyKeyInput,
  type MikeyKeyKind,
  deriveMikeyKey,
  dpck,
  kdf33220,
  mikeyPrf,
  signallingKey,
  userSalt28,
} from './kdf.js';
export { isP256Point } from './p256.js';
export { type CryptoPoolOptions, createCryptoPool } from './pool.js';
export { type SakkeTableLimits, isSakkePoint, sakkeMasterPublic } from './sakke.js';
export type {
  DecapsulateRequest,
  EncapsulateRequest,
  ExtractRskRequest,
  PrepareRequest,
  SlowCrypto,
  SlowOptions,
  ValidateRskRequest,
} from './slow-crypto.js';
export { type UidInput, keyPeriodNumber, mcxUid } from './uid.js';
