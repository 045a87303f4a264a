/**
 * EAR PAYLOAD and REQUEST PAYLOAD (TS 33.180 tables J.1.2-1 and J.2.2-1): fixed elements in order,
 * then an optional Request. Behind the payload stands the ECCSI signature over all of it (129 octets).
 * Code points that the tables leave open are a parameter.
 *
 *   message type 1 | time 5 | EAR ID 16 | source role 1 | source ID 2+n | target role 1 | target ID 2+n
 *   | [request: IEI 1, length 2, request type 1 | [IEI, request ID 2] | [IEI, expiry 5]] | signature 129
 */
import { bytesToUint, concatBytes, uintToBytes, utf8 } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';

export const EAR_SIGNATURE_OCTETS = 129;
const MAX_EAR_OCTETS = 4096;
const MAX_ID_OCTETS = 255;

export interface EarCodePoints {
  readonly messageType: number;
  readonly requestIei: number;
  readonly requestIdIei: number;
  readonly requestExpiryIei: number;
}

export interface EarRequest {
  readonly type: number;
  /** 2 octets */
  readonly id: Uint8Array | null;
  /** seconds since 1970 */
  readonly expiry: number | null;
}

export interface Ear {
  /** seconds since 1970 */
  readonly time: number;
  /** UUID, 16 octets */
  readonly id: Uint8Array;
  readonly sourceRole: number;
  readonly sourceId: string;
  readonly targetRole: number;
  readonly targetId: string;
  readonly request: EarRequest | null;
}

/** The payload, which the signature is over. @throws SegyError SEGY_E_ARGUMENT */
export function encodeEar(ear: Ear, points: EarCodePoints): Uint8Array {
  if (ear.id.length !== 16) throw new SegyError('SEGY_E_ARGUMENT', 'an EAR ID has 16 octets');
  const { request } = ear;
  return concatBytes(
    Uint8Array.of(points.messageType),
    uintToBytes(ear.time, 5),
    ear.id,
    Uint8Array.of(ear.sourceRole),
    lengthValue(utf8(ear.sourceId)),
    Uint8Array.of(ear.targetRole),
    lengthValue(utf8(ear.targetId)),
    ...(request === null
      ? []
      : [Uint8Array.of(points.requestIei), lengthValue(encodeRequest(request, points))]),
  );
}

function encodeRequest({ type, id, expiry }: EarRequest, points: EarCodePoints): Uint8Array {
  return concatBytes(
    Uint8Array.of(type),
    ...(id === null ? [] : [Uint8Array.of(points.requestIdIei), id]),
    ...(expiry === null ? [] : [Uint8Array.of(points.requestExpiryIei), uintToBytes(expiry, 5)]),
  );
}

function lengthValue(value: Uint8Array): Uint8Array {
  return concatBytes(uintToBytes(value.length, 2), value);
}

export interface DecodedEar {
  readonly ear: Ear;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** @throws SegyError SEGY_E_EAR_SYNTAX: another message type, truncated, or octets left over */
export function decodeEar(octets: Uint8Array, points: EarCodePoints): DecodedEar {
  if (octets.length > MAX_EAR_OCTETS) throw malformed('is too large');
  const end = octets.length - EAR_SIGNATURE_OCTETS;
  if (end < 1) throw malformed('ends too early');
  const payload = octets.subarray(0, end);
  const reader = new Reader(payload);
  if (reader.octet() !== points.messageType) throw malformed('is of another message type');
  const time = Number(bytesToUint(reader.take(5)));
  const id = reader.take(16);
  const sourceRole = reader.octet();
  const sourceId = identityOf(reader.lengthValue());
  const targetRole = reader.octet();
  const targetId = identityOf(reader.lengthValue());
  let request: EarRequest | null = null;
  if (!reader.done) {
    if (reader.octet() !== points.requestIei) throw malformed('holds an unknown element');
    request = decodeRequest(reader.lengthValue(), points);
  }
  if (!reader.done) throw malformed('is longer than its elements');
  const ear = { time, id, sourceRole, sourceId, targetRole, targetId, request };
  return { ear, payload, signature: octets.subarray(end) };
}

function decodeRequest(octets: Uint8Array, points: EarCodePoints): EarRequest {
  const reader = new Reader(octets);
  const type = reader.octet();
  let id: Uint8Array | null = null;
  let expiry: number | null = null;
  while (!reader.done) {
    const iei = reader.octet();
    if (iei === points.requestIdIei && id === null) id = reader.take(2);
    else if (iei === points.requestExpiryIei && expiry === null) {
      expiry = Number(bytesToUint(reader.take(5)));
    } else throw malformed('has a request with an unknown or repeated element');
  }
  return { type, id, expiry };
}

function identityOf(octets: Uint8Array): string {
  if (octets.length === 0 || octets.length > MAX_ID_OCTETS) throw malformed('names nobody');
  const text = Buffer.from(octets).toString('latin1');
  if (!/^[\x21-\x7e]+$/.test(text)) throw malformed('has an identity that is no URI');
  return text;
}

function malformed(what: string): SegyError {
  return new SegyError('SEGY_E_EAR_SYNTAX', `the EAR ${what}`);
}

class Reader {
  readonly #octets: Uint8Array;
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  get done(): boolean {
    return this.#at >= this.#octets.length;
  }

  take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#octets.length) throw malformed('ends too early');
    const taken = this.#octets.slice(this.#at, end);
    this.#at = end;
    return taken;
  }

  octet(): number {
    return this.take(1)[0] ?? 0;
  }

  lengthValue(): Uint8Array {
    return this.take(Number(bytesToUint(this.take(2))));
  }
}
