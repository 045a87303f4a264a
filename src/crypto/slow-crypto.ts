/**
 * The slow operations (SAKKE), as their callers see them, and the check of their arguments.
 * `createCryptoPool` runs them in worker threads, `createInlineCrypto` on the calling thread.
 */
import { SegyError } from '../base/errors.js';
import { expectBytes, expectId, expectLengthBetween } from './arguments.js';
import { SAKKE_POINT_OCTETS } from './sakke-parameters.js';

/** SSV of 16 octets, as TS 33.180 has it, or of 32. `id` is the receiver's (UID), `z` the public key of its KMS. */
export interface EncapsulateRequest {
  readonly ssv: Uint8Array;
  readonly id: Uint8Array;
  readonly z: Uint8Array;
}

export interface DecapsulateRequest {
  /** R_b (257 octets) and H (16 or 32) */
  readonly sed: Uint8Array;
  readonly id: Uint8Array;
  readonly z: Uint8Array;
  readonly rsk: Uint8Array;
  /** accept a sender that hashed w without its leading zero octets (default false) */
  readonly allowStrippedMask?: boolean;
  /** accept H without its one leading zero octet, so a SED of 272 or 288 octets (default false) */
  readonly allowShortHint?: boolean;
}

export interface ExtractRskRequest {
  /** the KMS secret z, 1 to 128 octets, in [2, q - 1] */
  readonly master: Uint8Array;
  readonly id: Uint8Array;
}

export interface ValidateRskRequest {
  readonly z: Uint8Array;
  readonly id: Uint8Array;
  readonly rsk: Uint8Array;
}

/**
 * Which tables to make: those of the domain `z`, and those of the receiver with `rsk`. They do not depend on
 * `id`; whether an RSK belongs to an identity is told by `validateRsk`, which leaves the same tables.
 */
export interface PrepareRequest {
  readonly z: Uint8Array;
  readonly id?: Uint8Array;
  readonly rsk?: Uint8Array;
}

export interface SlowOptions {
  /** aborted: the operation leaves the queue, or its result is dropped; SEGY_E_CANCELLED either way */
  readonly signal?: AbortSignal;
  /** callers with waiting operations take turns, so that one busy partner does not delay the others */
  readonly caller?: string;
}

/**
 * SAKKE (RFC 6508, parameter set 1). Requests are copied on entry.
 *
 * Every method may reject with SEGY_E_ARGUMENT (a wrong length, a point off the curve or out of the subgroup),
 * SEGY_E_BUSY (the queue is full), SEGY_E_CANCELLED (by the signal, or closed) or SEGY_E_INTERNAL (the worker died).
 */
export interface SlowCrypto {
  /** SED = R_b (257 octets) || H (as long as the SSV) */
  encapsulate(request: EncapsulateRequest, options?: SlowOptions): Promise<Uint8Array>;
  /** The SSV. Anything wrong with the SED, however found, is SEGY_E_MIKEY_SAKKE. */
  decapsulate(request: DecapsulateRequest, options?: SlowOptions): Promise<Uint8Array>;
  /** RSK = [(a + z)^-1]P, 257 octets */
  extractRsk(request: ExtractRskRequest, options?: SlowOptions): Promise<Uint8Array>;
  /** Whether <[a]P + Z, RSK> = g; false also for an RSK that is no point of the subgroup. */
  validateRsk(request: ValidateRskRequest, options?: SlowOptions): Promise<boolean>;
  /** Makes the tables of a domain or of a receiver ahead of their use, in every worker. */
  prepare(request: PrepareRequest, options?: SlowOptions): Promise<void>;
  /** Ends the workers. What still waits or runs is rejected with SEGY_E_CANCELLED. */
  close(): Promise<void>;
}

/** One operation as data, fit for a message to a worker. */
export type SlowRequest =
  | ({ readonly op: 'encapsulate' } & EncapsulateRequest)
  | ({ readonly op: 'decapsulate' } & DecapsulateRequest)
  | ({ readonly op: 'extractRsk' } & ExtractRskRequest)
  | ({ readonly op: 'validateRsk' } & ValidateRskRequest)
  | ({ readonly op: 'prepare' } & PrepareRequest);

export type SlowResult = Uint8Array | boolean | undefined;

/** @throws SegyError SEGY_E_ARGUMENT on a missing argument or a wrong length. The SED is judged by `decapsulate`. */
export function checkRequest(request: SlowRequest): void {
  switch (request.op) {
    case 'encapsulate':
      expectSsv(request.ssv);
      expectId(request.id);
      expectBytes(request.z, 'z', SAKKE_POINT_OCTETS);
      return;
    case 'decapsulate':
      expectBytes(request.sed, 'sed');
      expectId(request.id);
      expectBytes(request.z, 'z', SAKKE_POINT_OCTETS);
      expectBytes(request.rsk, 'rsk', SAKKE_POINT_OCTETS);
      return;
    case 'extractRsk':
      expectLengthBetween(request.master, 1, 128, 'master');
      expectId(request.id);
      return;
    case 'validateRsk':
      expectBytes(request.z, 'z', SAKKE_POINT_OCTETS);
      expectId(request.id);
      expectBytes(request.rsk, 'rsk', SAKKE_POINT_OCTETS);
      return;
    case 'prepare':
      expectBytes(request.z, 'z', SAKKE_POINT_OCTETS);
      if (request.id !== undefined) expectId(request.id);
      if (request.rsk !== undefined) expectBytes(request.rsk, 'rsk', SAKKE_POINT_OCTETS);
  }
}

function expectSsv(ssv: Uint8Array): void {
  expectBytes(ssv, 'ssv');
  if (ssv.length !== 16 && ssv.length !== 32) {
    throw new SegyError('SEGY_E_ARGUMENT', `ssv has ${ssv.length} octets, not 16 or 32`);
  }
}

/** A copy whose octet strings are its own, without members that are no octets, flag or name. */
export function copyRequest<R extends SlowRequest>(request: R): R {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(request) as [string, unknown][]) {
    if (value instanceof Uint8Array) copy[key] = new Uint8Array(value);
    else if (typeof value === 'boolean' || typeof value === 'string') copy[key] = value;
  }
  return copy as R;
}

/** Zeroes every octet string of a request that is no longer needed. */
export function wipeRequest(request: SlowRequest): void {
  for (const value of Object.values(request)) {
    if (value instanceof Uint8Array) value.fill(0);
  }
}

/** The interface over one function that runs a request. */
export function slowCryptoOver(
  run: (request: SlowRequest, options: SlowOptions) => Promise<SlowResult>,
  close: () => Promise<void>,
): SlowCrypto {
  const octets = async (request: SlowRequest, options: SlowOptions = {}): Promise<Uint8Array> => {
    const result = await run(request, options);
    if (result instanceof Uint8Array) return result;
    throw new SegyError('SEGY_E_INTERNAL', `${request.op} gave no octets`);
  };
  return {
    encapsulate: (request, options) => octets({ ...request, op: 'encapsulate' }, options),
    decapsulate: (request, options) => octets({ ...request, op: 'decapsulate' }, options),
    extractRsk: (request, options) => octets({ ...request, op: 'extractRsk' }, options),
    validateRsk: async (request, options = {}) =>
      (await run({ ...request, op: 'validateRsk' }, options)) === true,
    prepare: async (request, options = {}) => {
      await run({ ...request, op: 'prepare' }, options);
    },
    close,
  };
}
