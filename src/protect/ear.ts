/**
 * Making and checking EARs, elements that authenticate a request between domains (TS 33.180 clause
 * 9.6, 11.1.1, Annex J). Cheap checks first: form, time, target, role and type, source; then the ECCSI
 * signature under the source's KMS; then the entry in the replay record, by which one EAR belongs
 * to one dialog. No table hashes the request itself, so XML integrity stays needed beside it.
 */
import { concatBytes, toHex } from '../base/bytes.js';
import type { Clock, RandomBytes } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import type { EarConfig, PartnerConfig } from '../config/index.js';
import { eccsiSign } from '../crypto/index.js';
import type { EccsiVerifier } from '../crypto/index.js';
import { certificateFault, periodAt, uidOf } from '../kms/index.js';
import type { KmsCertificate, KmsKeySet } from '../kms/index.js';
import {
  decodeEar,
  encodeEar,
  type DecodedEar,
  type Ear,
  type EarCodePoints,
} from './ear-codec.js';

/** Key material that signs and verifies EARs. */
export interface EarKeys {
  /**
   * The partner's certificate under which `uri` signs.
   * @throws SegyError SEGY_E_MIKEY_KMS_UNKNOWN when no KMS of the partner keys that identity
   */
  certificateFor(uri: string, partner: PartnerConfig): KmsCertificate;
  /** our domain's certificate and the key set with which `uri` acts at that time; not to be wiped */
  signer(uri: string, unixMs: number): Promise<{ certificate: KmsCertificate; keySet: KmsKeySet }>;
}

/** EARs already used, on disk for as long as their time is inside the window. */
export interface EarReplay {
  /** @throws SegyError SEGY_E_MIKEY_REPLAYED when another dialog used it */
  enter(id: string, dialogKey: string, expiresAt: number): Promise<void>;
}

export interface EarTools {
  readonly keys: EarKeys;
  readonly replay: EarReplay;
  readonly verifier: Pick<EccsiVerifier, 'verify'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** What the request that carries an EAR says. */
export interface EarRequestFacts {
  /** calling user of the body; null where none is named */
  readonly caller: string | null;
  /** whom the request is for */
  readonly targets: readonly string[];
  /** names the dialog, the same through retries */
  readonly dialogKey: string;
}

/** Code points of a profile that uses EARs; the configuration's schema makes sure they are there. */
function pointsOf({ codePoints }: EarConfig): EarCodePoints {
  const { messageType, requestIei, requestIdIei, requestExpiryIei } = codePoints;
  if (
    messageType === undefined ||
    requestIei === undefined ||
    requestIdIei === undefined ||
    requestExpiryIei === undefined ||
    codePoints.signature === undefined
  ) {
    throw new SegyError('SEGY_E_CONFIG', 'EAR code points are missing in the partner profile');
  }
  return { messageType, requestIei, requestIdIei, requestExpiryIei };
}

function roleOf(config: EarConfig, name: string | undefined): number {
  const role = name === undefined ? undefined : config.codePoints.roles[name];
  if (role === undefined) throw new SegyError('SEGY_E_CONFIG', 'an EAR role has no octet');
  return role;
}

/** A signed EAR for a request from `caller` to `partner`. @throws SegyError SEGY_E_CONFIG, SEGY_E_BUSY */
export async function makeEar(
  partner: PartnerConfig,
  config: EarConfig,
  caller: string,
  tools: EarTools,
): Promise<Uint8Array> {
  const points = pointsOf(config);
  const now = tools.clock.now();
  const seconds = Math.floor(now / 1000);
  const sourceId = config.source === 'caller' ? caller : config.source;
  const ear: Ear = {
    time: seconds,
    id: uuid(tools.random),
    sourceRole: roleOf(config, config.sourceRole),
    sourceId,
    targetRole: roleOf(config, config.targetRole),
    targetId: config.target ?? partner.sip.requestUri,
    request: {
      type: config.acceptRequestTypes[0] ?? 2,
      id: null,
      expiry: config.lifetimeSeconds === null ? null : seconds + config.lifetimeSeconds,
    },
  };
  const payload = encodeEar(ear, points);
  const { certificate, keySet } = await tools.keys.signer(sourceId, now);
  const signature = eccsiSign({
    kpak: certificate.pubAuthKey,
    id: keySet.userId,
    ssk: keySet.ssk,
    pvt: keySet.pvt,
    message: payload,
    random: tools.random,
  });
  return concatBytes(payload, signature);
}

/** UUID version 4 (RFC 9562). */
function uuid(random: RandomBytes): Uint8Array {
  const octets = random(16);
  octets[6] = ((octets[6] ?? 0) & 0x0f) | 0x40;
  octets[8] = ((octets[8] ?? 0) & 0x3f) | 0x80;
  return octets;
}

/**
 * Checks the EAR of a request that `partner` sent and enters it in the replay record.
 * @returns when what the request started must end, in milliseconds since 1970; null for never
 * @throws SegyError SEGY_E_EAR_*
 */
export async function checkEar(
  octets: Uint8Array,
  partner: PartnerConfig,
  config: EarConfig,
  facts: EarRequestFacts,
  tools: EarTools,
): Promise<number | null> {
  const { ear, payload, signature } = decodeEar(octets, pointsOf(config));
  const now = tools.clock.now();
  const windowMs = config.windowSeconds * 1000;
  if (Math.abs(now - ear.time * 1000) > windowMs) {
    throw new SegyError('SEGY_E_EAR_WINDOW', 'the time of the EAR is outside the window');
  }
  const expiresAt = checkRequest(ear, config, now);
  if (!facts.targets.includes(ear.targetId) && !config.ownTargets.includes(ear.targetId)) {
    throw new SegyError('SEGY_E_EAR_TARGET', 'the EAR is for another target');
  }
  checkSource(ear, partner, config, facts);
  verifySignature({ ear, payload, signature }, partner, windowMs, tools);
  const id = `ear ${ear.sourceId} ${toHex(ear.id)}`;
  try {
    await tools.replay.enter(id, facts.dialogKey, ear.time * 1000 + windowMs);
  } catch (error) {
    if (!(error instanceof SegyError) || error.code !== 'SEGY_E_MIKEY_REPLAYED') throw error;
    throw new SegyError('SEGY_E_EAR_REPLAYED', 'the EAR was used in another dialog', {
      cause: error,
    });
  }
  return expiresAt;
}

function checkRequest({ sourceRole, request }: Ear, config: EarConfig, now: number): number | null {
  const roles = config.acceptRoles.map((name) => roleOf(config, name));
  if (!roles.includes(sourceRole)) {
    throw new SegyError('SEGY_E_EAR_ROLE', 'the EAR has a role that the partner may not use');
  }
  if (request === null || !config.acceptRequestTypes.includes(request.type)) {
    throw new SegyError('SEGY_E_EAR_ROLE', 'the EAR asks for a type of request not allowed');
  }
  if (request.expiry === null) return null;
  const expiresAt = request.expiry * 1000;
  if (expiresAt <= now) throw new SegyError('SEGY_E_EAR_EXPIRED', 'the EAR has expired');
  return expiresAt;
}

/** The calling user itself, or a server that may speak for the partner's users. */
function checkSource(
  { sourceId }: Ear,
  partner: PartnerConfig,
  config: EarConfig,
  { caller }: EarRequestFacts,
): void {
  const isServer = config.servers.includes(sourceId) || partner.gms.includes(sourceId);
  if (sourceId !== caller && !isServer) {
    throw new SegyError('SEGY_E_EAR_SOURCE', 'the EAR is of another identity than the request');
  }
}

function verifySignature(
  { ear, payload: message, signature }: DecodedEar,
  partner: PartnerConfig,
  windowMs: number,
  { keys, verifier, clock }: EarTools,
): void {
  let certificate: KmsCertificate;
  try {
    certificate = keys.certificateFor(ear.sourceId, partner);
  } catch (cause) {
    throw new SegyError('SEGY_E_EAR_SOURCE', 'no KMS of the partner keys the source', { cause });
  }
  const fault = certificateFault(certificate, clock.now());
  if (fault !== null) {
    throw new SegyError('SEGY_E_EAR_SIGNATURE', `the certificate of the source's KMS is ${fault}`);
  }
  // the signer's clock may be on the other side of the end of a key period
  const times = [0, -windowMs, windowMs].map((offset) => ear.time * 1000 + offset);
  const periods = new Set(times.map((time) => periodAt(certificate, time)));
  const isSigned = [...periods].some(
    (each) =>
      each >= 0n &&
      verifier.verify({
        kpak: certificate.pubAuthKey,
        id: uidOf(certificate, ear.sourceId, each),
        message,
        signature,
      }),
  );
  if (!isSigned) {
    throw new SegyError('SEGY_E_EAR_SIGNATURE', 'the signature of the EAR does not verify');
  }
}
