/**
 * What two operators compare over a second channel before one trusts the other's certificate.
 *
 * SHA-256 over a label and the parts that bind, each after its length in 4 octets: KMS URI, key
 * period, key offset, Z, KPAK, gateway or not, ValidFrom, ValidTo (milliseconds since 1970, empty
 * where absent), and the domains, lower case and sorted. What a delivering KMS may set
 * differently (Role, Id, Version, Issuer, CertUri, white space) does not count, so both sides see
 * the same fingerprint whichever form the certificate travelled in.
 */
import { createHash } from 'node:crypto';
import { concatBytes, equalBytes, fromHex, toHex, uintToBytes, utf8 } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import type { KmsCertificate } from './certificate.js';
import { FINGERPRINT_WORDS } from './fingerprint-words.js';

const LABEL = 'segy KMS certificate fingerprint 1';
/** Octets that the words show: 128 bits, as many as a second preimage has to match. */
const WORD_OCTETS = 16;

export interface Fingerprint {
  /** all 32 octets, 64 lower-case digits */
  readonly hex: string;
  /** the first 16 octets, one word each, separated by spaces */
  readonly words: string;
}

export function fingerprintOf(certificate: KmsCertificate): Fingerprint {
  const time = (date: Date | undefined): string => (date ? String(date.getTime()) : '');
  const domains = certificate.domains.map((domain) => domain.toLowerCase()).sort();
  const parts = [
    utf8(LABEL),
    utf8(certificate.kmsUri),
    utf8(String(certificate.userKeyPeriod)),
    utf8(String(certificate.userKeyOffset)),
    certificate.pubEncKey,
    certificate.pubAuthKey,
    utf8(certificate.isSecurityGateway ? 'gateway' : 'kms'),
    utf8(time(certificate.validFrom)),
    utf8(time(certificate.validTo)),
    ...domains.map(utf8),
  ];
  const digest = createHash('sha256')
    .update(concatBytes(...parts.flatMap((part) => [uintToBytes(part.length, 4), part])))
    .digest();
  return { hex: toHex(digest), words: wordsOf(digest.subarray(0, WORD_OCTETS)) };
}

/**
 * Whether `text`, typed by a person, is this fingerprint: all 64 digits or all 16 words, in either
 * case, with any spaces, colons or hyphens between.
 * @throws SegyError SEGY_E_KMS_FINGERPRINT when it is neither
 */
export function fingerprintMatches(fingerprint: Fingerprint, text: string): boolean {
  const tokens = text
    .toLowerCase()
    .split(/[\s:-]+/)
    .filter((token) => token !== '');
  const digits = tokens.join('');
  if (/^[0-9a-f]{64}$/.test(digits)) {
    return equalBytes(fromHex(digits), fromHex(fingerprint.hex));
  }
  if (tokens.length === WORD_OCTETS && tokens.every((token) => FINGERPRINT_WORDS.includes(token))) {
    return tokens.join(' ') === fingerprint.words;
  }
  throw new SegyError(
    'SEGY_E_KMS_FINGERPRINT',
    `a fingerprint is 64 hex digits or ${WORD_OCTETS} words of the list`,
  );
}

function wordsOf(octets: Uint8Array): string {
  return Array.from(octets, (octet) => FINGERPRINT_WORDS[octet] ?? '').join(' ');
}
