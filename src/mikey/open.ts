/**
 * Opening an I_MESSAGE (TS 33.180 5.2.4, 5.2.6). The order of checks is that of docs/mikey.md: cheap
 * first, the signature before anything that costs milliseconds, the key last.
 */
import { toHex, wipe } from '../base/bytes.js';
import { SegyError, type SegyErrorCode } from '../base/errors.js';
import { certificateFault, type KmsCertificate, type KmsKeySet } from '../kms/index.js';
import { findAddressee } from './addressee.js';
import { checkSpi, type Content, readContent } from './content.js';
import { type MessageFacts, readFacts } from './facts.js';
import {
  checkExpectedInitiator,
  lieInKmsDomains,
  signerUids,
  verifySignature,
} from './initiator.js';
import { readKeyParameters, type KeyParameters } from './key-parameters.js';
import { gmkIdOf, hasEndPointDiversity, purposeTag } from './key-types.js';
import { parseIMessage } from './message.js';
import { ntpToUnixMs } from './ntp.js';
import type { OpenContext, OpenedKey } from './open-context.js';
import { DEFAULT_TOLERANCES, type Tolerances } from './tolerances.js';
import { checkWindow, DEFAULT_WINDOW } from './window.js';

function refuse(
  code: SegyErrorCode,
  what: string,
  details: Readonly<Record<string, string>> = {},
): never {
  throw new SegyError(code, what, { details });
}

function trustedCertificate(
  role: 'IDRkmsi' | 'IDRkmsr',
  kmsUri: string,
  context: OpenContext,
  nowMs: number,
): KmsCertificate {
  const certificate =
    context.findCertificate(kmsUri) ??
    refuse('SEGY_E_MIKEY_KMS_UNKNOWN', `${role} ${kmsUri} names no certificate held here`, {
      role,
      kmsUri,
    });
  const fault = certificateFault(certificate, nowMs);
  if (fault !== null) {
    refuse('SEGY_E_MIKEY_KMS_NOT_ALLOWED', `the certificate of ${role} ${kmsUri} is ${fault}`, {
      role,
      kmsUri,
    });
  }
  return certificate;
}

/** What the cheap checks settle: no signature verified, no key used. */
interface Admission {
  readonly facts: MessageFacts;
  readonly timestampMs: number;
  readonly initiatorCertificate: KmsCertificate;
  readonly responderCertificate: KmsCertificate;
  readonly keySets: readonly KmsKeySet[];
  readonly uids: readonly Uint8Array[];
  readonly replayId: string;
  readonly isNew: boolean;
}

/** (initiator UID, CSB ID, RAND, T) in hex; of a visible initiator the UID for the period of T. */
function replayIdOf(facts: MessageFacts, uid: Uint8Array): string {
  return [uid, facts.csbId, facts.rand, facts.timestamp].map(toHex).join('.');
}

function checkInitiatorDomain(
  facts: MessageFacts,
  certificate: KmsCertificate,
  context: OpenContext,
): void {
  if (context.allowInitiatorKms?.(certificate) === false) {
    const { kmsUri } = certificate;
    refuse('SEGY_E_MIKEY_KMS_NOT_ALLOWED', `KMS ${kmsUri} is not allowed here`, {
      role: 'IDRkmsi',
      kmsUri,
    });
  }
  const uri = facts.initiator.kind === 'visible' ? facts.initiator.uri : context.from;
  if (uri === undefined) return;
  const allowed =
    context.initiatorDomainAllowed?.(uri, certificate) ?? lieInKmsDomains(uri, certificate);
  if (!allowed) {
    refuse('SEGY_E_MIKEY_INITIATOR', `${uri} is outside the domains of ${certificate.kmsUri}`);
  }
}

async function admit(
  octets: Uint8Array,
  context: OpenContext,
  tolerances: Tolerances,
): Promise<Admission> {
  const facts = readFacts(parseIMessage(octets), tolerances);
  if (context.keyTypes?.includes(facts.keyType) === false) {
    refuse('SEGY_E_MIKEY_KEY_TYPE', `a ${facts.keyType} is not taken here`);
  }
  const nowMs = context.clock.now();
  const timestampMs = ntpToUnixMs(facts.timestamp, nowMs);
  const initiatorCertificate = trustedCertificate('IDRkmsi', facts.initiatorKms, context, nowMs);
  const responderCertificate = trustedCertificate('IDRkmsr', facts.responderKms, context, nowMs);
  const uids = signerUids(facts.initiator, initiatorCertificate, timestampMs);
  const replayId = replayIdOf(facts, uids[0] ?? new Uint8Array());
  if (context.window !== 'none') {
    const rules = context.window ?? DEFAULT_WINDOW;
    checkWindow(facts.keyType, timestampMs, nowMs, responderCertificate, rules);
  }
  const seen = context.replay?.seen(replayId) ?? 'new';
  if (seen === 'replayed') refuse('SEGY_E_MIKEY_REPLAYED', 'the message was used elsewhere');
  checkInitiatorDomain(facts, initiatorCertificate, context);
  const ours = [...(await context.findKeySets(facts.responderKms))];
  const keySets = findAddressee(facts.responder, ours, responderCertificate, timestampMs);
  const [keySet] = keySets;
  if (context.from !== undefined && keySet !== undefined) {
    const { from } = context;
    checkExpectedInitiator(facts.initiator, from, initiatorCertificate, timestampMs, keySet);
  }
  return {
    facts,
    timestampMs,
    initiatorCertificate,
    responderCertificate,
    keySets,
    uids,
    replayId,
    isNew: seen === 'new',
  };
}

/** Decapsulates with the likeliest key set, then with those of the neighbouring periods. */
async function decapsulate(
  admission: Admission,
  context: OpenContext,
  tolerances: Tolerances,
): Promise<{ key: Uint8Array; keySet: KmsKeySet }> {
  const { facts, responderCertificate } = admission;
  let last: SegyError | undefined;
  for (const keySet of admission.keySets) {
    try {
      const key = await context.slow.decapsulate(
        {
          sed: facts.sed,
          id: keySet.userId,
          z: responderCertificate.pubEncKey,
          rsk: keySet.rsk,
          allowStrippedMask: tolerances.strippedMask,
          allowShortHint: tolerances.shortHint,
        },
        {
          ...(context.signal === undefined ? {} : { signal: context.signal }),
          ...(context.caller === undefined ? {} : { caller: context.caller }),
        },
      );
      return { key, keySet };
    } catch (error) {
      if (!(error instanceof SegyError)) throw error;
      if (error.code === 'SEGY_E_ARGUMENT') {
        const what = `the RSK of ${keySet.userUri} is no point of the curve`;
        throw new SegyError('SEGY_E_KMS_DOCUMENT', what, { cause: error });
      }
      if (error.code !== 'SEGY_E_MIKEY_SAKKE') throw error;
      last = error;
    }
  }
  throw last ?? new SegyError('SEGY_E_MIKEY_PERIOD', 'no key set to decapsulate with');
}

/** Key types of unencrypted key parameters count from 0 as the purpose tags do, or from 1. */
function namesKeyType(octet: number, facts: MessageFacts, legacy: boolean): boolean {
  const tag = purposeTag(facts.keyType);
  return octet === tag || (legacy && octet === tag + 1);
}

function judgeParameters(
  content: Content,
  facts: MessageFacts,
  key: Uint8Array,
  context: OpenContext,
  tolerances: Tolerances,
): KeyParameters | null {
  if (content.keyParameters === null) return null;
  const { parameters, keyTypeOctet, legacy } = readKeyParameters(content.keyParameters, {
    keyType: facts.keyType,
    key,
    csbId: facts.csbId,
    allowLegacy: tolerances.legacyKeyParameters,
  });
  if (!namesKeyType(keyTypeOctet, facts, legacy)) {
    refuse('SEGY_E_MIKEY_KEY_TYPE', `key parameters of type ${keyTypeOctet} for ${facts.keyType}`);
  }
  if (parameters.revoked && context.allowEnded !== true) {
    refuse('SEGY_E_MIKEY_REVOKED', 'the key is revoked');
  }
  const isPast = parameters.expiry !== null && parameters.expiry.getTime() <= context.clock.now();
  if (isPast && context.allowEnded !== true) {
    refuse('SEGY_E_MIKEY_EXPIRED', 'the key has expired');
  }
  return parameters;
}

/**
 * Opens one I_MESSAGE: every check, then the key.
 * @throws SegyError one SEGY_E_MIKEY_ code for each kind of refusal (docs/mikey.md lists them in the
 * order of the checks); SEGY_E_BUSY, SEGY_E_CANCELLED and SEGY_E_INTERNAL from the crypto; whatever
 * `replay` and `beforeKeyUse` throw
 */
export async function openIMessage(octets: Uint8Array, context: OpenContext): Promise<OpenedKey> {
  const tolerances = context.tolerances ?? DEFAULT_TOLERANCES;
  const admission = await admit(octets, context, tolerances);
  const { facts } = admission;
  const initiatorUid = verifySignature(
    octets,
    facts,
    admission.uids,
    admission.initiatorCertificate.pubAuthKey,
    context.verifier,
    tolerances.signatureWithoutHeader,
  );
  if (admission.isNew) await context.replay?.enter(admission.replayId);
  const content = readContent(facts);
  const { key, keySet } = await decapsulate(admission, context, tolerances);
  try {
    const keyId = hasEndPointDiversity(facts.keyType)
      ? gmkIdOf(key, facts.csbId, keySet.userUri)
      : facts.csbId;
    for (const spi of content.spis) checkSpi(spi, facts, keyId);
    const keyParameters = judgeParameters(content, facts, key, context, tolerances);
    const opened: OpenedKey = {
      keyType: facts.keyType,
      keyId,
      csbId: facts.csbId,
      key,
      rand: facts.rand,
      timestamp: new Date(admission.timestampMs),
      initiator: {
        uri: facts.initiator.kind === 'visible' ? facts.initiator.uri : (context.from ?? null),
        uid: initiatorUid,
      },
      responder: { uri: keySet.userUri, uid: keySet.userId },
      hidden: {
        initiator: facts.initiator.kind === 'hidden',
        responder: facts.responder.kind === 'hidden',
      },
      initiatorKms: facts.initiatorKms,
      responderKms: facts.responderKms,
      keyParameters,
      policy: content.policy,
      replayId: admission.replayId,
      wipe: () => wipe(key),
    };
    await context.beforeKeyUse?.({
      keyType: opened.keyType,
      keyId,
      csbId: opened.csbId,
      initiatorUri: opened.initiator.uri,
      initiatorUid,
      responderUri: keySet.userUri,
      initiatorKms: opened.initiatorKms,
      responderKms: opened.responderKms,
      timestamp: opened.timestamp,
      replayId: opened.replayId,
    });
    return opened;
  } catch (error) {
    wipe(key);
    throw error;
  }
}
