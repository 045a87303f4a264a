/**
 * Who sent a message: its domain, the expected user, and the signature that proves the UID
 * (TS 33.180 5.2.4, 5.2.6, E.1.2).
 */
import { equalBytes } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import type { EccsiVerifier } from '../crypto/index.js';
import { type KmsCertificate, type KmsKeySet, uidOf } from '../kms/index.js';
import { periodsAround } from './addressee.js';
import type { Identity, MessageFacts } from './facts.js';

const SIGNATURE_OCTETS = 129;
const SIGN_HEADER_OCTETS = 2;

/**
 * Lower-case host of a URI or of user@host; undefined for one without a host, such as a tel URI, and for
 * one in which two readers could find different hosts (a second "@").
 */
export function hostOf(uri: string): string | undefined {
  if (/^tel:/i.test(uri)) return undefined;
  const rest = uri.replace(/^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/)?/, '');
  const at = rest.indexOf('@');
  if (at !== rest.lastIndexOf('@')) return undefined;
  // The user part of a SIP URI may hold ";", "?" and "/", so what follows the host is cut off last.
  const hostPort = rest.slice(at + 1).replace(/[;?#/].*$/s, '');
  return /^(?:\[[0-9A-Fa-f:.]+\]|[^[\]:]+)(?::\d+)?$/.test(hostPort)
    ? hostPort.replace(/:\d+$/, '').toLowerCase()
    : undefined;
}

/** The default rule: the host of the URI is one of KmsDomainList, where the certificate has one. */
export function lieInKmsDomains(uri: string, certificate: KmsCertificate): boolean {
  if (certificate.domains.length === 0) return true;
  const host = hostOf(uri);
  return (
    host !== undefined &&
    certificate.domains.some((domain) => (hostOf(domain) ?? domain.toLowerCase()) === host)
  );
}

/**
 * Whether `uri` is the initiator. Of a hidden identity the UID is recomputed: for the periods around T
 * and, within one domain, the period of the key set that the message is for.
 * @throws SegyError SEGY_E_MIKEY_INITIATOR
 */
export function checkExpectedInitiator(
  initiator: Identity,
  uri: string,
  certificate: KmsCertificate,
  unixMs: number,
  keySet: KmsKeySet,
): void {
  if (initiator.kind === 'visible') {
    if (initiator.uri === uri) return;
    throw new SegyError('SEGY_E_MIKEY_INITIATOR', `the initiator is ${initiator.uri}, not ${uri}`);
  }
  const periods = periodsAround(certificate, unixMs);
  if (keySet.kmsUri === certificate.kmsUri) periods.push(keySet.keyPeriodNo);
  if (!periods.some((period) => equalBytes(uidOf(certificate, uri, period), initiator.uid))) {
    throw new SegyError('SEGY_E_MIKEY_INITIATOR', `the hidden initiator is not ${uri}`);
  }
}

/** UIDs that may have signed, the likeliest first. */
export function signerUids(
  initiator: Identity,
  certificate: KmsCertificate,
  unixMs: number,
): Uint8Array[] {
  if (initiator.kind === 'hidden') return [initiator.uid];
  return periodsAround(certificate, unixMs).map((period) =>
    uidOf(certificate, initiator.uri, period),
  );
}

/**
 * Verifies the signature over everything before its value (E.1.2) or, if tolerated, without the SIGN
 * header, and returns the UID that made it.
 * @throws SegyError SEGY_E_MIKEY_SIGNATURE
 */
export function verifySignature(
  message: Uint8Array,
  facts: MessageFacts,
  uids: readonly Uint8Array[],
  kpak: Uint8Array,
  verifier: EccsiVerifier,
  withoutHeader: boolean,
): Uint8Array {
  const end = message.length - SIGNATURE_OCTETS;
  const covered = [message.subarray(0, end)];
  if (withoutHeader) covered.push(message.subarray(0, end - SIGN_HEADER_OCTETS));
  for (const id of uids) {
    for (const part of covered) {
      if (verifier.verify({ kpak, id, message: part, signature: facts.signature })) return id;
    }
  }
  throw new SegyError('SEGY_E_MIKEY_SIGNATURE', 'the signature does not verify');
}
