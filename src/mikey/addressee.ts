/**
 * Which key period and which of our key sets a message is for (TS 33.180 5.2.4, 5.2.6, F.2.1).
 * Visible identities: the period of T, then its neighbours. Hidden ones: the key set of that UID,
 * whatever its period. The clock window is another check.
 */
import { equalBytes } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { type KmsCertificate, type KmsKeySet, periodAt, uidOf } from '../kms/index.js';
import type { Identity } from './facts.js';

/** Neighbours tried, in order of likelihood. */
const NEIGHBOURS = [0n, 1n, -1n] as const;
/** How far T may lie outside the validity of the key set of its own period: clocks differ. */
const VALIDITY_SLACK_MS = 300_000;

/** The period of T and its neighbours, the period itself first. @throws SegyError SEGY_E_MIKEY_PERIOD */
export function periodsAround(certificate: KmsCertificate, unixMs: number): bigint[] {
  let period: bigint;
  try {
    period = periodAt(certificate, unixMs);
  } catch (cause) {
    throw new SegyError('SEGY_E_MIKEY_PERIOD', 'T lies before the first key period', { cause });
  }
  return NEIGHBOURS.map((step) => period + step).filter((candidate) => candidate >= 0n);
}

function checkUsable(keySet: KmsKeySet, period: bigint | undefined, unixMs: number): void {
  if (keySet.revoked) throw new SegyError('SEGY_E_MIKEY_REVOKED', 'the key set is revoked');
  // Of another period its validity says nothing about T.
  if (keySet.keyPeriodNo !== period) return;
  const { validFrom, validTo } = keySet;
  if (validTo !== undefined && unixMs > validTo.getTime() + VALIDITY_SLACK_MS) {
    throw new SegyError('SEGY_E_MIKEY_EXPIRED', 'T lies behind the validity of the key set');
  }
  if (validFrom !== undefined && unixMs < validFrom.getTime() - VALIDITY_SLACK_MS) {
    throw new SegyError('SEGY_E_MIKEY_PERIOD', 'T lies before the validity of the key set');
  }
}

function visible(keySets: readonly KmsKeySet[], uri: string, periods: bigint[]): KmsKeySet[] {
  const mine = keySets.filter((keySet) => keySet.userUri === uri);
  if (mine.length === 0) {
    throw new SegyError('SEGY_E_MIKEY_NOT_ADDRESSEE', `no key set of ${uri}`);
  }
  const held = periods.flatMap((period) => mine.filter((set) => set.keyPeriodNo === period));
  if (held.length === 0) {
    throw new SegyError('SEGY_E_MIKEY_PERIOD', `no key set of ${uri} for period ${periods[0]}`);
  }
  return held;
}

function hidden(
  keySets: readonly KmsKeySet[],
  uid: Uint8Array,
  certificate: KmsCertificate,
  periods: bigint[],
): KmsKeySet[] {
  const held = keySets.filter((keySet) => equalBytes(keySet.userId, uid));
  if (held.length > 0) return held;
  const users = new Set(keySets.map((keySet) => keySet.userUri));
  for (const user of users) {
    if (periods.some((period) => equalBytes(uidOf(certificate, user, period), uid))) {
      throw new SegyError('SEGY_E_MIKEY_PERIOD', `no key set of ${user} for that period`);
    }
  }
  throw new SegyError('SEGY_E_MIKEY_NOT_ADDRESSEE', 'no key set has the UID of IDRuidr');
}

/** @throws SegyError SEGY_E_MIKEY_KMS_NOT_ALLOWED where IDRr is ours, but under another KMS than IDRkmsr */
function checkResponderKms(
  responder: Identity,
  ours: readonly KmsKeySet[],
  certificate: KmsCertificate,
): void {
  const sets = ours.filter((keySet) =>
    responder.kind === 'visible'
      ? keySet.userUri === responder.uri
      : equalBytes(keySet.userId, responder.uid),
  );
  if (sets.length > 0 && !sets.some((keySet) => keySet.kmsUri === certificate.kmsUri)) {
    throw new SegyError(
      'SEGY_E_MIKEY_KMS_NOT_ALLOWED',
      `IDRkmsr ${certificate.kmsUri} is not the KMS of the responder`,
      { details: { role: 'IDRkmsr', kmsUri: certificate.kmsUri } },
    );
  }
}

/**
 * Our key sets that the message may be for, the likeliest first; never empty.
 * @param ours key sets held; those of other KMSs than the responder's only tell a wrong IDRkmsr
 * @throws SegyError SEGY_E_MIKEY_ KMS_NOT_ALLOWED (a wrong IDRkmsr), NOT_ADDRESSEE, PERIOD (the user is
 * ours, the period is not held), REVOKED, EXPIRED (T behind the validity of its period's key set)
 */
export function findAddressee(
  responder: Identity,
  ours: readonly KmsKeySet[],
  certificate: KmsCertificate,
  unixMs: number,
): KmsKeySet[] {
  checkResponderKms(responder, ours, certificate);
  const keySets = ours.filter((keySet) => keySet.kmsUri === certificate.kmsUri);
  const periods = periodsAround(certificate, unixMs);
  const held =
    responder.kind === 'visible'
      ? visible(keySets, responder.uri, periods)
      : hidden(keySets, responder.uid, certificate, periods);
  const [likeliest] = held;
  if (likeliest !== undefined) checkUsable(likeliest, periods[0], unixMs);
  return held.filter((keySet) => !keySet.revoked);
}
