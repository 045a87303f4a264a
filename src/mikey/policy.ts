/**
 * SRTP security policies: SP payloads (RFC 3830 6.10.1, RFC 4771, RFC 7714) against the default profiles
 * of TS 33.180 (E.2, E.3, E.4). What a policy names and this program does not protect media with, or what
 * would leave media unprotected, is refused.
 */
import { SegyError } from '../base/errors.js';
import { bytesToUint } from '../base/bytes.js';
import type { KeyType } from './key-types.js';
import { uint } from './octets.js';
import type { SpParameter, SpPayload } from './payloads.js';

export interface SrtpPolicy {
  readonly encryption: 'AES-GCM' | 'AES-CM';
  /** octets of the session encryption key and of the master key */
  readonly keyLength: 16 | 32;
  /** octets of the master salt: 12 for AES-GCM, 14 for AES-CM */
  readonly saltLength: 12 | 14;
  /** octets: 16 for AES-GCM, 10 for AES-CM with HMAC-SHA1-80 */
  readonly tagLength: 16 | 10;
  readonly authentication: 'none' | 'HMAC-SHA1-80';
  /** RFC 4771: the ROC in every `rate`-th SRTP packet; null where packets carry none */
  readonly roc: { readonly mode: 3; readonly rate: number } | null;
}

/** SRTP policy parameter types of the SP payload. */
export const SP_TYPE = {
  encryption: 0,
  encryptionKeyLength: 1,
  authentication: 2,
  authenticationKeyLength: 3,
  saltLength: 4,
  prf: 5,
  keyDerivationRate: 6,
  srtpEncryption: 7,
  srtcpEncryption: 8,
  fecOrder: 9,
  srtpAuthentication: 10,
  tagLength: 11,
  prefixLength: 12,
  rocRate: 13,
  srtpAuthenticationAlgorithm: 14,
  srtcpAuthenticationAlgorithm: 15,
  srtpAuthenticationKeyLength: 16,
  srtcpAuthenticationKeyLength: 17,
  srtpTagLength: 18,
  srtcpTagLength: 19,
  aeadTagLength: 20,
} as const;

const AES_CM = 1;
const AES_GCM = 6;
const HMAC_SHA1 = 1;
const RCC_M3 = 4;
const ROC_OCTETS = 4;
const PROTOCOL_SRTP = 0;

const GCM: SrtpPolicy = {
  encryption: 'AES-GCM',
  keyLength: 16,
  saltLength: 12,
  tagLength: 16,
  authentication: 'none',
  roc: null,
};

/** The profile that holds for a key type when a message has no SP (E.2, E.3, E.4). */
export function defaultPolicy(keyType: KeyType): SrtpPolicy {
  return keyType === 'GMK' ? { ...GCM, roc: { mode: 3, rate: 1 } } : GCM;
}

function refuse(what: string): never {
  throw new SegyError('SEGY_E_MIKEY_POLICY', what);
}

/** Values by parameter type. @throws SegyError SEGY_E_MIKEY_SYNTAX on a repeated or unreadable one */
function valuesOf(parameters: readonly SpParameter[]): Map<number, number> {
  const values = new Map<number, number>();
  for (const { type, value } of parameters) {
    // What later specifications add is skipped by its length.
    if (type > SP_TYPE.aeadTagLength) continue;
    if (values.has(type)) {
      throw new SegyError('SEGY_E_MIKEY_SYNTAX', `SP parameter ${type} given twice`);
    }
    if (value.length === 0 || value.length > 4) {
      throw new SegyError('SEGY_E_MIKEY_SYNTAX', `SP parameter ${type} of ${value.length} octets`);
    }
    values.set(type, Number(bytesToUint(value)));
  }
  return values;
}

/** Refuses the parameter when it is there with another value than the allowed ones. */
function allow(values: Map<number, number>, type: number, ...allowed: readonly number[]): void {
  const value = values.get(type);
  if (value !== undefined && !allowed.includes(value)) {
    refuse(`SP parameter ${type} is ${value}`);
  }
}

function rocOf(values: Map<number, number>): SrtpPolicy['roc'] {
  const algorithm =
    values.get(SP_TYPE.srtpAuthenticationAlgorithm) ?? values.get(SP_TYPE.authentication);
  if (algorithm !== RCC_M3) return null;
  // The tag of mode 3 is the ROC alone; RFC 4771's R is 1 where it is not given.
  allow(values, SP_TYPE.srtpTagLength, ROC_OCTETS);
  allow(values, SP_TYPE.tagLength, ROC_OCTETS);
  const rate = values.get(SP_TYPE.rocRate) ?? 1;
  if (rate < 1 || rate > 0xffff) refuse(`ROC transmission rate ${rate}`);
  return { mode: 3, rate };
}

function gcmPolicy(values: Map<number, number>, keyOctets: number): SrtpPolicy {
  const keyLength = values.get(SP_TYPE.encryptionKeyLength) ?? 16;
  // A key of 32 octets only where as many were transported.
  if (keyLength !== 16 && !(keyLength === 32 && keyOctets === 32)) {
    return refuse(`AES-GCM with a key of ${keyLength} octets`);
  }
  allow(values, SP_TYPE.saltLength, 12);
  allow(values, SP_TYPE.aeadTagLength, 16);
  allow(values, SP_TYPE.authentication, 0, RCC_M3);
  allow(values, SP_TYPE.srtpAuthenticationAlgorithm, 0, RCC_M3);
  allow(values, SP_TYPE.srtcpAuthenticationAlgorithm, 0);
  allow(values, SP_TYPE.srtcpTagLength, 0);
  const roc = rocOf(values);
  if (roc === null) {
    allow(values, SP_TYPE.tagLength, 16);
    allow(values, SP_TYPE.srtpTagLength, 0, ROC_OCTETS);
  }
  return { ...GCM, keyLength, roc };
}

function cmPolicy(values: Map<number, number>): SrtpPolicy {
  allow(values, SP_TYPE.encryptionKeyLength, 16);
  allow(values, SP_TYPE.saltLength, 14);
  allow(values, SP_TYPE.authentication, HMAC_SHA1);
  allow(values, SP_TYPE.srtpAuthenticationAlgorithm, HMAC_SHA1);
  allow(values, SP_TYPE.srtcpAuthenticationAlgorithm, HMAC_SHA1);
  for (const type of [
    SP_TYPE.authenticationKeyLength,
    SP_TYPE.srtpAuthenticationKeyLength,
    SP_TYPE.srtcpAuthenticationKeyLength,
  ]) {
    allow(values, type, 20);
  }
  for (const type of [SP_TYPE.tagLength, SP_TYPE.srtpTagLength, SP_TYPE.srtcpTagLength]) {
    allow(values, type, 10);
  }
  if (values.has(SP_TYPE.aeadTagLength)) refuse('an AEAD tag length with AES-CM');
  return {
    encryption: 'AES-CM',
    keyLength: 16,
    saltLength: 14,
    tagLength: 10,
    authentication: 'HMAC-SHA1-80',
    roc: null,
  };
}

/**
 * The policy that one SP states for a transported key of `keyOctets` octets. Parameters that are absent
 * take the value of the default profile, except that a ROC is carried only where the SP says so.
 * @throws SegyError SEGY_E_MIKEY_POLICY (not SRTP, an unknown or an unsafe value), SYNTAX
 */
export function policyOf(sp: SpPayload, keyOctets: number): SrtpPolicy {
  if (sp.protocolType !== PROTOCOL_SRTP) {
    refuse(`a policy for protocol type ${sp.protocolType}`);
  }
  const values = valuesOf(sp.parameters);
  allow(values, SP_TYPE.prf, 0);
  allow(values, SP_TYPE.keyDerivationRate, 0);
  allow(values, SP_TYPE.srtpEncryption, 1);
  allow(values, SP_TYPE.srtcpEncryption, 1);
  allow(values, SP_TYPE.srtpAuthentication, 1);
  allow(values, SP_TYPE.fecOrder, 0);
  allow(values, SP_TYPE.prefixLength, 0);
  const encryption = values.get(SP_TYPE.encryption) ?? AES_GCM;
  if (encryption === AES_GCM) return gcmPolicy(values, keyOctets);
  if (encryption === AES_CM) return cmPolicy(values);
  return refuse(`SRTP encryption algorithm ${encryption}`);
}

/**
 * The SP payload that states a policy. The ROC rate is left out where it is 1, its default, because
 * products differ in its length (RFC 4771 has 2 octets).
 */
export function spOf(policy: SrtpPolicy, policyNo = 0): SpPayload {
  const octet = (type: number, value: number): SpParameter => ({
    type,
    value: uint(value, 1, 'SP value'),
  });
  const parameters: SpParameter[] =
    policy.encryption === 'AES-GCM'
      ? [octet(SP_TYPE.encryption, AES_GCM), octet(SP_TYPE.encryptionKeyLength, policy.keyLength)]
      : [
          octet(SP_TYPE.encryption, AES_CM),
          octet(SP_TYPE.encryptionKeyLength, policy.keyLength),
          octet(SP_TYPE.authentication, HMAC_SHA1),
          octet(SP_TYPE.authenticationKeyLength, 20),
        ];
  if (policy.roc !== null) parameters.push(octet(SP_TYPE.authentication, RCC_M3));
  parameters.push(
    octet(SP_TYPE.saltLength, policy.saltLength),
    octet(SP_TYPE.prf, 0),
    octet(SP_TYPE.keyDerivationRate, 0),
  );
  if (policy.roc !== null) {
    if (policy.roc.rate !== 1) {
      parameters.push({ type: SP_TYPE.rocRate, value: uint(policy.roc.rate, 2, 'ROC rate') });
    }
    parameters.push(octet(SP_TYPE.srtpTagLength, ROC_OCTETS), octet(SP_TYPE.srtcpTagLength, 0));
  }
  parameters.push(
    policy.encryption === 'AES-GCM'
      ? octet(SP_TYPE.aeadTagLength, policy.tagLength)
      : octet(SP_TYPE.tagLength, policy.tagLength),
  );
  return { name: 'SP', policyNo, protocolType: PROTOCOL_SRTP, parameters };
}
