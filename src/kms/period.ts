/** Key periods as spans of time: the inverse of the key period number of TS 33.180 F.2.1. */
import { uintToBytes } from '../base/bytes.js';
import type { KmsCertificate } from './certificate.js';

/** Seconds from 1900-01-01 (NTP) to 1970-01-01. */
const NTP_TO_UNIX = 2_208_988_800n;
/** Furthest instant a Date can hold, in milliseconds. */
const MAX_DATE_MS = 8_640_000_000_000_000n;

/** First and last-but-none instant of a key period; absent where a Date cannot hold it. */
export function periodBounds(
  certificate: Pick<KmsCertificate, 'userKeyPeriod' | 'userKeyOffset'>,
  keyPeriodNo: bigint,
): { readonly from?: Date; readonly to?: Date } {
  const start = (number: bigint): Date | undefined => {
    const seconds = number * certificate.userKeyPeriod + certificate.userKeyOffset - NTP_TO_UNIX;
    const ms = seconds * 1000n;
    // Years beyond 9999 have no xsd:dateTime that every reader takes.
    return ms > MAX_DATE_MS || ms < -MAX_DATE_MS || !isFourDigitYear(Number(ms))
      ? undefined
      : new Date(Number(ms));
  };
  const from = start(keyPeriodNo);
  const to = start(keyPeriodNo + 1n);
  return { ...(from && { from }), ...(to && { to }) };
}

/** The instant of a period's beginning as the NTP64 time stamp that Annex D paths use, 16 digits. */
export function ntp64Hex(unixMs: number): string {
  const seconds = BigInt(Math.floor(unixMs / 1000)) + NTP_TO_UNIX;
  return Buffer.from(uintToBytes(BigInt.asUintN(32, seconds), 4))
    .toString('hex')
    .padEnd(16, '0')
    .toUpperCase();
}

function isFourDigitYear(ms: number): boolean {
  const year = new Date(ms).getUTCFullYear();
  return year >= 1 && year <= 9999;
}
