/**
 * Making an I_MESSAGE (TS 33.180 5.2.2, 5.2.3, 5.2.6, E.1 to E.7), always exactly as specified: order HDR, T,
 * RAND, IDRi, IDRr, IDRkmsi, IDRkmsr, SP, SAKKE, General Extensions, SIGN; the signature covers every octet
 * before its value.
 */
import { concatBytes, expectLength, utf8 } from '../base/bytes.js';
import type { Clock, RandomBytes } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { eccsiSign, type SlowCrypto, type SlowOptions } from '../crypto/index.js';
import {
  certificateFault,
  type KmsCertificate,
  type KmsKeySet,
  periodAt,
  uidOf,
} from '../kms/index.js';
import type { CsIdMap } from './header.js';
import { makeKeyParameters, type NewKeyParameters } from './key-parameters.js';
import {
  csIdsOf,
  gukId,
  hasEndPointDiversity,
  type KeyType,
  keyTypeOf,
  mkiOf,
} from './key-types.js';
import { type IMessage, serialiseIMessage } from './message.js';
import { unixMsToNtp } from './ntp.js';
import {
  GE_KEY_PARAMETERS,
  GE_SAKKE_TO_SELF,
  type GePayload,
  ID_ROLE,
  type IdrPayload,
  type Payload,
  payloadOctets,
  type SakkePayload,
} from './payloads.js';
import { defaultPolicy, spOf, type SrtpPolicy } from './policy.js';

export interface NewIMessage {
  readonly keyType: KeyType;
  /** the key to transport, 16 octets (32 only towards peers known to take them) */
  readonly key: Uint8Array;
  /** K-ID, 4 octets, its purpose tag that of `keyType`; for a GMK the GMK-ID */
  readonly keyId: Uint8Array;
  /**
   * RAND, at least 16 octets; default 16 new ones. A GMK keeps the same RAND in the message of every member,
   * or members could not derive each other's keys.
   */
  readonly rand?: Uint8Array;
  readonly initiatorUri: string;
  readonly initiatorCertificate: KmsCertificate;
  /** the initiator's key set for the period of the time stamp */
  readonly initiatorKeySet: KmsKeySet;
  readonly responderUri: string;
  readonly responderCertificate: KmsCertificate;
  /** UIDs in place of the identities (E.7) */
  readonly hideIdentities?: boolean;
  /** null leaves the extension out; by default valid, and shared when either domain is a gateway's */
  readonly keyParameters?: NewKeyParameters | null;
  /** null leaves SP out, so that the default profile holds; by default that profile is spelled out */
  readonly policy?: SrtpPolicy | null;
  /** T; default now */
  readonly timestamp?: Date;
  /**
   * SAKKE data of an earlier message with this key for this responder, in the same key period and under the
   * same public key. Encapsulation is deterministic (RFC 6508 6.2.1), so a new one would be equal.
   */
  readonly sed?: Uint8Array;
  /** adds the key encapsulated to the initiator (E.5) */
  readonly sakkeToSelf?: boolean;
}

export interface MakeContext {
  readonly clock: Clock;
  readonly slow: SlowCrypto;
  readonly random: RandomBytes;
  readonly signal?: AbortSignal;
  readonly caller?: string;
}

const ID_TYPE_URI = 1;
const PRF_HMAC_SHA_256 = 1;
const SAKKE_PARAMETER_SET = 1;
const ID_SCHEME_MCX_UID = 2;
const ECCSI = 2;
const SIGNATURE_OCTETS = 129;

function usable(certificate: KmsCertificate, nowMs: number): void {
  const fault = certificateFault(certificate, nowMs);
  if (fault !== null) {
    throw new SegyError(
      'SEGY_E_MIKEY_KMS_NOT_ALLOWED',
      `the certificate of ${certificate.kmsUri} is ${fault}`,
    );
  }
}

/** Both UIDs, the initiator's checked against its key set. */
function identities(
  input: NewIMessage,
  nowMs: number,
): { initiator: Uint8Array; responder: Uint8Array } {
  const { initiatorCertificate, responderCertificate, initiatorKeySet } = input;
  usable(initiatorCertificate, nowMs);
  usable(responderCertificate, nowMs);
  if (initiatorKeySet.revoked) {
    throw new SegyError('SEGY_E_MIKEY_REVOKED', 'the key set of the initiator is revoked');
  }
  const timestampMs = (input.timestamp ?? new Date(nowMs)).getTime();
  const period = periodAt(initiatorCertificate, timestampMs);
  if (initiatorKeySet.keyPeriodNo !== period) {
    throw new SegyError(
      'SEGY_E_MIKEY_PERIOD',
      `the key set is for period ${initiatorKeySet.keyPeriodNo}, the time stamp in ${period}`,
    );
  }
  const initiator = uidOf(initiatorCertificate, input.initiatorUri, period);
  if (!Buffer.from(initiator).equals(initiatorKeySet.userId)) {
    throw new SegyError('SEGY_E_MIKEY_INITIATOR', 'the key set has not the UID of the initiator');
  }
  const responder = uidOf(
    responderCertificate,
    input.responderUri,
    periodAt(responderCertificate, timestampMs),
  );
  return { initiator, responder };
}

function checkKey(input: NewIMessage): void {
  if (input.key.length !== 16 && input.key.length !== 32) {
    throw new SegyError('SEGY_E_ARGUMENT', `a key of ${input.key.length} octets, not 16 or 32`);
  }
  expectLength(input.keyId, 4, 'K-ID');
  if (keyTypeOf(input.keyId) !== input.keyType) {
    throw new SegyError(
      'SEGY_E_MIKEY_KEY_TYPE',
      `the purpose tag of the K-ID is not that of a ${input.keyType}`,
    );
  }
}

/** E.1.2: one crypto session with the MKI as SPI where the key's type has one; none for a PCK. */
function mapOf(keyType: KeyType, keyId: Uint8Array, csbId: Uint8Array): CsIdMap {
  const [csId] = csIdsOf(keyType);
  if (keyType === 'PCK' || csId === undefined) return { type: 'EMPTY' };
  return {
    type: 'GENERIC-ID',
    entries: [
      {
        csId,
        protocolType: 0,
        s: false,
        policies: [0],
        sessionData: new Uint8Array(),
        spi: mkiOf(keyType, keyId, csbId),
      },
    ],
  };
}

/** Of a UID too the ID type is that of a URI, as every known product sends it (the text of E.7 is unknown). */
function idr(role: keyof typeof ID_ROLE, data: Uint8Array): IdrPayload {
  return { name: 'IDR', role: ID_ROLE[role], idType: ID_TYPE_URI, data };
}

function sakke(sed: Uint8Array): SakkePayload {
  return {
    name: 'SAKKE',
    parameterSet: SAKKE_PARAMETER_SET,
    idScheme: ID_SCHEME_MCX_UID,
    sed,
  };
}

function parametersExtension(
  input: NewIMessage,
  csbId: Uint8Array,
  timestamp: Date,
  random: RandomBytes,
): GePayload[] {
  if (input.keyParameters === null) return [];
  const parameters = input.keyParameters ?? {
    sharedWithGateway:
      input.initiatorCertificate.isSecurityGateway || input.responderCertificate.isSecurityGateway,
  };
  const data = makeKeyParameters(parameters, {
    keyType: input.keyType,
    key: input.key,
    csbId,
    iv: random(16),
    timestamp,
  });
  return [{ name: 'GE', extensionType: GE_KEY_PARAMETERS, data }];
}

async function selfExtension(
  input: NewIMessage,
  initiatorUid: Uint8Array,
  context: MakeContext,
  options: SlowOptions,
): Promise<GePayload[]> {
  if (input.sakkeToSelf !== true) return [];
  const sed = await context.slow.encapsulate(
    { ssv: input.key, id: initiatorUid, z: input.initiatorCertificate.pubEncKey },
    options,
  );
  // The inner next payload is 0 and ignored on receipt (E.5).
  const data = concatBytes(new Uint8Array([0]), payloadOctets(sakke(sed)));
  return [{ name: 'GE', extensionType: GE_SAKKE_TO_SELF, data }];
}

/**
 * Octets of a new I_MESSAGE.
 * @throws SegyError SEGY_E_ARGUMENT, SEGY_E_MIKEY_KEY_TYPE (tag of the K-ID), KMS_NOT_ALLOWED (a certificate
 * revoked or outside its validity), REVOKED, PERIOD (the key set is of another period), INITIATOR (or of
 * another user); SEGY_E_BUSY, SEGY_E_CANCELLED from the crypto
 */
export async function makeIMessage(input: NewIMessage, context: MakeContext): Promise<Uint8Array> {
  checkKey(input);
  const nowMs = context.clock.now();
  const timestamp = input.timestamp ?? new Date(nowMs);
  const uids = identities(input, nowMs);
  const csbId = hasEndPointDiversity(input.keyType)
    ? gukId(input.key, input.keyId, input.responderUri)
    : input.keyId;
  const rand = input.rand ?? context.random(16);
  if (rand.length < 16) throw new SegyError('SEGY_E_ARGUMENT', 'a RAND below 16 octets');
  const options: SlowOptions = {
    ...(context.signal === undefined ? {} : { signal: context.signal }),
    ...(context.caller === undefined ? {} : { caller: context.caller }),
  };
  const sed =
    input.sed ??
    (await context.slow.encapsulate(
      { ssv: input.key, id: uids.responder, z: input.responderCertificate.pubEncKey },
      options,
    ));
  const hidden = input.hideIdentities === true;
  const policy = input.policy === undefined ? defaultPolicy(input.keyType) : input.policy;
  const payloads: Payload[] = [
    { name: 'T', tsType: 0, value: unixMsToNtp(timestamp.getTime()) },
    { name: 'RAND', rand },
    hidden ? idr('IDRuidi', uids.initiator) : idr('IDRi', utf8(input.initiatorUri)),
    hidden ? idr('IDRuidr', uids.responder) : idr('IDRr', utf8(input.responderUri)),
    idr('IDRkmsi', utf8(input.initiatorCertificate.kmsUri)),
    idr('IDRkmsr', utf8(input.responderCertificate.kmsUri)),
    ...(policy === null ? [] : [spOf(policy)]),
    sakke(sed),
    ...parametersExtension(input, csbId, timestamp, context.random),
    ...(await selfExtension(input, uids.initiator, context, options)),
  ];
  const header = {
    v: false,
    prfFunc: PRF_HMAC_SHA_256,
    csbId,
    csIdMap: mapOf(input.keyType, input.keyId, csbId),
  };
  return sign({ header, payloads }, input, uids.initiator, context.random);
}

/** Appends SIGN. The signature covers its own two header octets (E.1.2). */
function sign(
  message: IMessage,
  input: NewIMessage,
  id: Uint8Array,
  random: RandomBytes,
): Uint8Array {
  const signature = new Uint8Array(SIGNATURE_OCTETS);
  const octets = serialiseIMessage({
    header: message.header,
    payloads: [...message.payloads, { name: 'SIGN', signatureType: ECCSI, signature }],
  });
  const covered = octets.subarray(0, octets.length - SIGNATURE_OCTETS);
  const { ssk, pvt } = input.initiatorKeySet;
  const kpak = input.initiatorCertificate.pubAuthKey;
  octets.set(eccsiSign({ kpak, id, ssk, pvt, message: covered, random }), covered.length);
  return octets;
}
