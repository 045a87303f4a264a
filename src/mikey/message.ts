/**
 * The I_MESSAGE as a whole: HDR and a chain of payloads. Parsing and serialising are exact inverses;
 * what the payloads must be is not judged here (facts.ts does).
 */
import { concatBytes } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { headerOctets, type MikeyHeader, readHeader } from './header.js';
import { OctetReader } from './octets.js';
import { type Payload, PAYLOAD_TYPE, payloadName, payloadOctets, readPayload } from './payloads.js';

export interface IMessage {
  readonly header: MikeyHeader;
  /** in chain order; SIGN, where there is one, is the last */
  readonly payloads: readonly Payload[];
}

/** A payload and where it stands: `offset` of its first octet, `length` with its own header. */
export interface PlacedPayload {
  readonly payload: Payload;
  readonly offset: number;
  readonly length: number;
}

/** Octets of the longest message taken; with every option used one has about 1,500. */
export const MAX_MESSAGE = 16_384;
/** Payloads of the longest chain taken. */
const MAX_PAYLOADS = 32;
const LAST = 0;

/** As parseIMessage, with the place of every payload; `headerLength` is that of HDR. */
export function placePayloads(octets: Uint8Array): {
  header: MikeyHeader;
  headerLength: number;
  placed: PlacedPayload[];
} {
  if (octets.length > MAX_MESSAGE) {
    throw new SegyError('SEGY_E_MIKEY_SYNTAX', `a message of ${octets.length} octets`);
  }
  const reader = new OctetReader(octets, 'MIKEY message');
  const { header, nextPayload } = readHeader(reader);
  const headerLength = reader.offset;
  const placed: PlacedPayload[] = [];
  for (let next = nextPayload; next !== LAST;) {
    const name = payloadName(next);
    if (name === undefined) {
      throw new SegyError('SEGY_E_MIKEY_UNSUPPORTED', `MIKEY payload type ${next}`);
    }
    if (placed.length === MAX_PAYLOADS) {
      throw new SegyError('SEGY_E_MIKEY_SYNTAX', 'too many payloads');
    }
    const offset = reader.offset;
    // SIGN ends the message and is the one payload without a next-payload octet.
    next = name === 'SIGN' ? LAST : reader.u8('next payload');
    const payload = readPayload(reader, name);
    placed.push({ payload, offset, length: reader.offset - offset });
  }
  if (reader.remaining > 0) {
    throw new SegyError('SEGY_E_MIKEY_SYNTAX', `${reader.remaining} octets after the last payload`);
  }
  return { header, headerLength, placed };
}

/**
 * Parses the octets of one I_MESSAGE.
 * @throws SegyError SEGY_E_MIKEY_VERSION, TRUNCATED, UNSUPPORTED (data, map, payload or time stamp
 * type), SYNTAX (map against #CS, SP parameters, octets behind the end, over a limit)
 */
export function parseIMessage(octets: Uint8Array): IMessage {
  const { header, placed } = placePayloads(octets);
  return { header, payloads: placed.map(({ payload }) => payload) };
}

/** The octets of a message. @throws SegyError SEGY_E_ARGUMENT for a field that does not fit */
export function serialiseIMessage(message: IMessage): Uint8Array {
  const { header, payloads } = message;
  const typeAt = (index: number): number => {
    const payload = payloads[index];
    return payload === undefined ? LAST : PAYLOAD_TYPE[payload.name];
  };
  const chain = payloads.map((payload, index) => {
    const body = payloadOctets(payload);
    if (payload.name !== 'SIGN') return concatBytes(new Uint8Array([typeAt(index + 1)]), body);
    if (index !== payloads.length - 1) {
      throw new SegyError('SEGY_E_ARGUMENT', 'SIGN is not the last payload');
    }
    return body;
  });
  return concatBytes(headerOctets(header, typeAt(0)), ...chain);
}
