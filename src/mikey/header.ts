/**
 * HDR, the common header (RFC 3830 6.1) with the three CS ID maps: SRTP-ID (RFC 3830 6.1.1), empty
 * (RFC 4563) and GENERIC-ID (RFC 6043 6.1).
 */
import { concatBytes, expectLength } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { type OctetReader, uint } from './octets.js';

/** One crypto session of an SRTP-ID map, 9 octets. */
export interface SrtpIdEntry {
  readonly policyNo: number;
  readonly ssrc: number;
  readonly roc: number;
}

/** One crypto session of a GENERIC-ID map. */
export interface GenericIdEntry {
  readonly csId: number;
  /** 0 is SRTP */
  readonly protocolType: number;
  /** S: the session data ends with ROC and SEQ */
  readonly s: boolean;
  /** numbers of the SP payloads that hold for this crypto session */
  readonly policies: readonly number[];
  readonly sessionData: Uint8Array;
  /** the MKI of the session in MCX use */
  readonly spi: Uint8Array;
}

export type CsIdMap =
  | { readonly type: 'SRTP-ID'; readonly entries: readonly SrtpIdEntry[] }
  | { readonly type: 'EMPTY' }
  | { readonly type: 'GENERIC-ID'; readonly entries: readonly GenericIdEntry[] };

export interface MikeyHeader {
  /** V: a verification message is asked for */
  readonly v: boolean;
  /** 1 is PRF-HMAC-SHA-256 (RFC 6043) */
  readonly prfFunc: number;
  /** 4 octets */
  readonly csbId: Uint8Array;
  readonly csIdMap: CsIdMap;
}

const MIKEY_VERSION = 1;
/** Data type of a MIKEY-SAKKE I_MESSAGE (RFC 6509). */
const DATA_TYPE_SAKKE = 26;

const MAP_SRTP_ID = 0;
const MAP_EMPTY = 1;
const MAP_GENERIC_ID = 2;

function readGenericEntry(reader: OctetReader): GenericIdEntry {
  const csId = reader.u8('CS ID');
  const protocolType = reader.u8('Prot type');
  const flags = reader.u8('S and #P');
  const policies = [...reader.take(flags & 0x7f, 'Ps')];
  const sessionData = reader.take(reader.u16('session data length'), 'session data');
  const spi = reader.take(reader.u8('SPI length'), 'SPI');
  return { csId, protocolType, s: (flags & 0x80) !== 0, policies, sessionData, spi };
}

function readMap(reader: OctetReader): CsIdMap {
  const count = reader.u8('#CS');
  const type = reader.u8('CS ID map type');
  if (type > MAP_GENERIC_ID) {
    throw new SegyError('SEGY_E_MIKEY_UNSUPPORTED', `CS ID map type ${type}`);
  }
  // E.1.2: the empty map goes with #CS = 0, and with nothing else.
  if ((count === 0) !== (type === MAP_EMPTY)) {
    throw new SegyError('SEGY_E_MIKEY_SYNTAX', `#CS ${count} with CS ID map type ${type}`);
  }
  switch (type) {
    case MAP_SRTP_ID:
      return {
        type: 'SRTP-ID',
        entries: Array.from({ length: count }, () => ({
          policyNo: reader.u8('policy number'),
          ssrc: reader.u32('SSRC'),
          roc: reader.u32('ROC'),
        })),
      };
    case MAP_GENERIC_ID:
      return {
        type: 'GENERIC-ID',
        entries: Array.from({ length: count }, () => readGenericEntry(reader)),
      };
    default:
      return { type: 'EMPTY' };
  }
}

/**
 * Reads HDR.
 * @throws SegyError SEGY_E_MIKEY_TRUNCATED, VERSION (not 1), UNSUPPORTED (data type not 26, map type
 * above 2), SYNTAX (map type and #CS disagree)
 */
export function readHeader(reader: OctetReader): { header: MikeyHeader; nextPayload: number } {
  const version = reader.u8('version');
  if (version !== MIKEY_VERSION) {
    throw new SegyError('SEGY_E_MIKEY_VERSION', `MIKEY version ${version}`);
  }
  const dataType = reader.u8('data type');
  if (dataType !== DATA_TYPE_SAKKE) {
    throw new SegyError('SEGY_E_MIKEY_UNSUPPORTED', `MIKEY data type ${dataType}`);
  }
  const nextPayload = reader.u8('next payload');
  const flags = reader.u8('V and PRF func');
  const csbId = reader.take(4, 'CSB ID');
  const csIdMap = readMap(reader);
  return {
    header: { v: (flags & 0x80) !== 0, prfFunc: flags & 0x7f, csbId, csIdMap },
    nextPayload,
  };
}

function mapOctets(map: CsIdMap): Uint8Array {
  switch (map.type) {
    case 'EMPTY':
      return new Uint8Array([0, MAP_EMPTY]);
    case 'SRTP-ID':
      return concatBytes(
        uint(map.entries.length, 1, '#CS'),
        new Uint8Array([MAP_SRTP_ID]),
        ...map.entries.map((entry) =>
          concatBytes(
            uint(entry.policyNo, 1, 'policy number'),
            uint(entry.ssrc, 4, 'SSRC'),
            uint(entry.roc, 4, 'ROC'),
          ),
        ),
      );
    case 'GENERIC-ID':
      return concatBytes(
        uint(map.entries.length, 1, '#CS'),
        new Uint8Array([MAP_GENERIC_ID]),
        ...map.entries.map((entry) =>
          concatBytes(
            uint(entry.csId, 1, 'CS ID'),
            uint(entry.protocolType, 1, 'Prot type'),
            uint((entry.s ? 0x80 : 0) | uintSeven(entry.policies.length), 1, '#P'),
            ...entry.policies.map((policy) => uint(policy, 1, 'policy number')),
            uint(entry.sessionData.length, 2, 'session data length'),
            entry.sessionData,
            uint(entry.spi.length, 1, 'SPI length'),
            entry.spi,
          ),
        ),
      );
  }
}

function uintSeven(value: number): number {
  if (value > 0x7f) throw new SegyError('SEGY_E_ARGUMENT', '#P does not fit 7 bits');
  return value;
}

/** HDR in octets. */
export function headerOctets(header: MikeyHeader, nextPayload: number): Uint8Array {
  expectLength(header.csbId, 4, 'CSB ID');
  return concatBytes(
    new Uint8Array([MIKEY_VERSION, DATA_TYPE_SAKKE]),
    uint(nextPayload, 1, 'next payload'),
    uint((header.v ? 0x80 : 0) | uintSeven(header.prfFunc), 1, 'PRF func'),
    header.csbId,
    mapOctets(header.csIdMap),
  );
}
