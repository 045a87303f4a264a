/** MIKEY-SAKKE UID, TS 33.180 clause F.2.1. */
import { createHash } from 'node:crypto';
import { concatBytes, fromHex, uintToBytes, utf8 } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { expectUint } from './arguments.js';

/** Seconds from 1900-01-01, where NTP time starts, to 1970-01-01. */
const NTP_OFFSET_S = 2208988800n;
/** UserKeyPeriod and UserKeyOffset exceed 32 bits in the field; 8 octets are the limit here. */
const MAX_INTEGER_OCTETS = 8;

/** What a UID names. The URIs are hashed verbatim: no normalisation. */
export interface UidInput {
  readonly uri: string;
  readonly kmsUri: string;
  /** UserKeyPeriod, seconds */
  readonly period: bigint;
  /** UserKeyOffset, seconds, below the period in conforming certificates */
  readonly offset: bigint;
  readonly periodNo: bigint;
}

/**
 * The 32 octets that are the ID of ECCSI and SAKKE.
 * @throws SegyError SEGY_E_ARGUMENT on an empty URI, one over 65535 octets, a period of 0 or an integer out of range
 */
export function mcxUid(input: UidInput): Uint8Array {
  expectUri(input.uri, 'uri');
  expectUri(input.kmsUri, 'kmsUri');
  expectUint(input.period, MAX_INTEGER_OCTETS, 'period');
  expectUint(input.offset, MAX_INTEGER_OCTETS, 'offset');
  expectUint(input.periodNo, MAX_INTEGER_OCTETS, 'periodNo');
  if (input.period === 0n) throw new SegyError('SEGY_E_ARGUMENT', 'period is zero');
  const parameters = [
    utf8('MIKEY-SAKKE-UID'),
    utf8(input.uri),
    utf8(input.kmsUri),
    minimalOctets(input.period),
    minimalOctets(input.offset),
    minimalOctets(input.periodNo),
  ];
  const hash = createHash('sha256').update(Uint8Array.of(0));
  for (const parameter of parameters)
    hash.update(concatBytes(parameter, uintToBytes(parameter.length, 2)));
  return new Uint8Array(hash.digest());
}

/**
 * Number of the key period that holds the Unix time `unixMs` (milliseconds): floor((NTP seconds - offset) / period).
 * @throws SegyError SEGY_E_ARGUMENT on a period of 0, an integer out of range or a time before the first period
 */
export function keyPeriodNumber(unixMs: number, period: bigint, offset: bigint): bigint {
  if (!Number.isFinite(unixMs)) throw new SegyError('SEGY_E_ARGUMENT', 'unixMs is not a time');
  expectUint(period, MAX_INTEGER_OCTETS, 'period');
  expectUint(offset, MAX_INTEGER_OCTETS, 'offset');
  if (period === 0n) throw new SegyError('SEGY_E_ARGUMENT', 'period is zero');
  const seconds = BigInt(Math.floor(unixMs / 1000)) + NTP_OFFSET_S - offset;
  if (seconds < 0n) throw new SegyError('SEGY_E_ARGUMENT', 'unixMs is before the first key period');
  return seconds / period;
}

function expectUri(uri: string, name: string): void {
  if (uri.length === 0 || utf8(uri).length > 0xffff) {
    throw new SegyError('SEGY_E_ARGUMENT', `${name} is empty or too long`);
  }
}

/** Big-endian without leading zeros; zero is one octet. */
function minimalOctets(value: bigint): Uint8Array {
  const hex = value.toString(16);
  return fromHex(hex.length % 2 === 0 ? hex : `0${hex}`);
}
