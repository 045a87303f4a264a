/**
 * The payloads of an I_MESSAGE and their codecs (RFC 3830 6, RFC 6043 6, RFC 6509 4). A payload here
 * has no next-payload octet: its place in the chain gives it.
 */
import { concatBytes } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { OctetReader, uint } from './octets.js';

/** Numbers of the payload types (dossier: RFC 3830 6.1, RFC 6043, RFC 6509). */
export const PAYLOAD_TYPE = {
  SIGN: 4,
  T: 5,
  SP: 10,
  RAND: 11,
  IDR: 14,
  GE: 21,
  SAKKE: 26,
} as const;
export type PayloadName = keyof typeof PAYLOAD_TYPE;

/** ID roles (RFC 6043 6.6, TS 33.180 E.7). */
export const ID_ROLE = {
  IDRi: 1,
  IDRr: 2,
  IDRkmsi: 6,
  IDRkmsr: 7,
  IDRuidi: 8,
  IDRuidr: 9,
} as const;

/** General Extension types of TS 33.180 E.5 and E.6. */
export const GE_SAKKE_TO_SELF = 6;
export const GE_KEY_PARAMETERS = 7;

export interface TPayload {
  readonly name: 'T';
  /** 0 is NTP-UTC */
  readonly tsType: number;
  /** 8 octets */
  readonly value: Uint8Array;
}

export interface RandPayload {
  readonly name: 'RAND';
  readonly rand: Uint8Array;
}

export interface IdrPayload {
  readonly name: 'IDR';
  readonly role: number;
  /** 0 NAI, 1 URI, 2 byte string */
  readonly idType: number;
  readonly data: Uint8Array;
}

export interface SpParameter {
  readonly type: number;
  readonly value: Uint8Array;
}

export interface SpPayload {
  readonly name: 'SP';
  readonly policyNo: number;
  /** 0 is SRTP */
  readonly protocolType: number;
  readonly parameters: readonly SpParameter[];
}

export interface SakkePayload {
  readonly name: 'SAKKE';
  /** SAKKE params; 1 is RFC 6509 Appendix A */
  readonly parameterSet: number;
  /** 1 tel URI with monthly keys, 2 3GPP MCX hashed UID */
  readonly idScheme: number;
  readonly sed: Uint8Array;
}

export interface GePayload {
  readonly name: 'GE';
  readonly extensionType: number;
  readonly data: Uint8Array;
}

export interface SignPayload {
  readonly name: 'SIGN';
  /** 4 bits; 2 is ECCSI */
  readonly signatureType: number;
  readonly signature: Uint8Array;
}

export type Payload =
  TPayload | RandPayload | IdrPayload | SpPayload | SakkePayload | GePayload | SignPayload;

/** R_b and a hint of 16 or 32 octets, of which the first may be lost (parameter set 1). */
const SED_LENGTHS: readonly number[] = [272, 273, 288, 289];

/** Octets of NTP-UTC and NTP. A counter dates nothing, and I_MESSAGEs are dated. */
const TS_LENGTH: Readonly<Record<number, number>> = { 0: 8, 1: 8 };

/** The name of a payload type number, or undefined. */
export function payloadName(type: number): PayloadName | undefined {
  return (Object.keys(PAYLOAD_TYPE) as PayloadName[]).find((name) => PAYLOAD_TYPE[name] === type);
}

function readSpParameters(octets: Uint8Array): SpParameter[] {
  const reader = new OctetReader(octets, 'SP', 'SEGY_E_MIKEY_SYNTAX');
  const parameters: SpParameter[] = [];
  while (reader.remaining > 0) {
    const type = reader.u8('parameter type');
    parameters.push({ type, value: reader.take(reader.u8('parameter length'), 'value') });
  }
  return parameters;
}

/**
 * Reads the body of a payload, behind its next-payload octet (SIGN has none).
 * @throws SegyError SEGY_E_MIKEY_TRUNCATED, UNSUPPORTED (a TS type of unknown length), SYNTAX (SP
 * parameters that do not fill their length, a SED of a length that parameter set 1 does not have)
 */
export function readPayload(reader: OctetReader, name: PayloadName): Payload {
  switch (name) {
    case 'T': {
      const tsType = reader.u8('TS type');
      const length = TS_LENGTH[tsType];
      if (length === undefined) {
        throw new SegyError('SEGY_E_MIKEY_UNSUPPORTED', `time stamp type ${tsType}`);
      }
      return { name, tsType, value: reader.take(length, 'time stamp') };
    }
    case 'RAND':
      return { name, rand: reader.take(reader.u8('RAND length'), 'RAND') };
    case 'IDR': {
      const role = reader.u8('ID role');
      const idType = reader.u8('ID type');
      return { name, role, idType, data: reader.take(reader.u16('ID length'), 'ID') };
    }
    case 'SP': {
      const policyNo = reader.u8('policy number');
      const protocolType = reader.u8('Prot type');
      const octets = reader.take(reader.u16('policy length'), 'policy');
      return { name, policyNo, protocolType, parameters: readSpParameters(octets) };
    }
    case 'SAKKE': {
      const parameterSet = reader.u8('SAKKE params');
      const idScheme = reader.u8('ID scheme');
      const sed = reader.take(reader.u16('SED length'), 'SED');
      // Told here, where the length stands: behind a wrong one the chain goes astray.
      if (parameterSet === 1 && !SED_LENGTHS.includes(sed.length)) {
        throw new SegyError('SEGY_E_MIKEY_SYNTAX', `a SED of ${sed.length} octets`);
      }
      return { name, parameterSet, idScheme, sed };
    }
    case 'GE': {
      const extensionType = reader.u8('extension type');
      return { name, extensionType, data: reader.take(reader.u16('length'), 'extension') };
    }
    case 'SIGN': {
      const head = reader.u16('S type and length');
      return {
        name,
        signatureType: head >> 12,
        signature: reader.take(head & 0xfff, 'signature'),
      };
    }
  }
}

/** The body of a payload in octets, without a next-payload octet. */
export function payloadOctets(payload: Payload): Uint8Array {
  switch (payload.name) {
    case 'T':
      if (TS_LENGTH[payload.tsType] !== payload.value.length) {
        throw new SegyError('SEGY_E_ARGUMENT', 'the time stamp has not the length of its type');
      }
      return concatBytes(uint(payload.tsType, 1, 'TS type'), payload.value);
    case 'RAND':
      return concatBytes(uint(payload.rand.length, 1, 'RAND length'), payload.rand);
    case 'IDR':
      return concatBytes(
        uint(payload.role, 1, 'ID role'),
        uint(payload.idType, 1, 'ID type'),
        uint(payload.data.length, 2, 'ID length'),
        payload.data,
      );
    case 'SP': {
      const parameters = concatBytes(
        ...payload.parameters.map(({ type, value }) =>
          concatBytes(uint(type, 1, 'type'), uint(value.length, 1, 'length'), value),
        ),
      );
      return concatBytes(
        uint(payload.policyNo, 1, 'policy number'),
        uint(payload.protocolType, 1, 'Prot type'),
        uint(parameters.length, 2, 'policy length'),
        parameters,
      );
    }
    case 'SAKKE':
      return concatBytes(
        uint(payload.parameterSet, 1, 'SAKKE params'),
        uint(payload.idScheme, 1, 'ID scheme'),
        uint(payload.sed.length, 2, 'SED length'),
        payload.sed,
      );
    case 'GE':
      return concatBytes(
        uint(payload.extensionType, 1, 'extension type'),
        uint(payload.data.length, 2, 'length'),
        payload.data,
      );
    case 'SIGN':
      if (payload.signatureType > 0xf || payload.signature.length > 0xfff) {
        throw new SegyError('SEGY_E_ARGUMENT', 'SIGN does not fit its header');
      }
      return concatBytes(
        uint((payload.signatureType << 12) | payload.signature.length, 2, 'S type and length'),
        payload.signature,
      );
  }
}
