/**
 * SAKKE, RFC 6508 with parameter set 1 of RFC 6509, synchronous.
 *
 * The slow operations take milliseconds of the calling thread: servers use `createCryptoPool`.
 * A `SakkeEngine` holds the tables that make them fast: for each domain its Z, for each receiver the lines
 * of its RSK. Tables of RSKs are as secret as the RSKs; BigInt cannot be wiped, so they last until they are
 * pushed out, or until the thread ends.
 */
import { createHash } from 'node:crypto';
import { bytesToUint, concatBytes, equalBytes, toHex, uintToBytes, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { systemRandom } from '../base/environment.js';
import { expectBytes, expectLengthBetween } from './arguments.js';
import { hashToIntegerRange } from './hash-to-integer-range.js';
import { LruMap } from './lru.js';
import { type PreparedLines, pair, prepareLines } from './pairing.js';
import { GeneratorPowers } from './pf.js';
import { PointComb, sumOfMultiples } from './point-comb.js';
import {
  BASE_POINT,
  type AffinePoint,
  decodePoint,
  encodePoint,
  isInSubgroup,
} from './sakke-curve.js';
import { FIELD_OCTETS, SAKKE_POINT_OCTETS, g, invert, q } from './sakke-parameters.js';
import {
  type DecapsulateRequest,
  type EncapsulateRequest,
  type ExtractRskRequest,
  type PrepareRequest,
  type SlowRequest,
  type SlowResult,
  type ValidateRskRequest,
  checkRequest,
} from './slow-crypto.js';

/** How many tables an engine keeps. A domain takes about 0.35 MB, a receiver about 0.4 MB. */
export interface SakkeTableLimits {
  /** domains (default 32) */
  readonly domains?: number;
  /** receivers (default 128) */
  readonly receivers?: number;
}

let baseComb: PointComb | undefined;
let generatorPowers: GeneratorPowers | undefined;

function combOfP(): PointComb {
  return (baseComb ??= PointComb.build(BASE_POINT, 'P'));
}

function powersOfG(): GeneratorPowers {
  return (generatorPowers ??= new GeneratorPowers());
}

/** Z = [z]P, 257 octets, of the KMS secret `z` (1 to 128 octets, in [2, q - 1]). @throws SegyError SEGY_E_ARGUMENT */
export function sakkeMasterPublic(z: Uint8Array): Uint8Array {
  const point = sumOfMultiples([{ comb: combOfP(), k: masterSecret(z, 'z') }]);
  return encodePoint(notInfinity(point));
}

/** Whether `bytes` (257) encode a point of the curve in the subgroup of order q; infinity is none. Takes milliseconds. */
export function isSakkePoint(bytes: Uint8Array): boolean {
  try {
    return isInSubgroup(decodePoint(bytes, 'point'));
  } catch (error) {
    if (error instanceof SegyError && error.code === 'SEGY_E_ARGUMENT') return false;
    throw error;
  }
}

/** The operations of `SlowCrypto`, one at a time, on this thread. */
export class SakkeEngine {
  readonly #combs: LruMap<PointComb>;
  readonly #lines: LruMap<PreparedLines>;

  constructor(limits: SakkeTableLimits = {}) {
    this.#combs = new LruMap(limits.domains ?? 32, 'limits.domains');
    this.#lines = new LruMap(limits.receivers ?? 128, 'limits.receivers');
  }

  run(request: SlowRequest): SlowResult {
    checkRequest(request);
    switch (request.op) {
      case 'encapsulate':
        return this.encapsulate(request);
      case 'decapsulate':
        return this.decapsulate(request);
      case 'extractRsk':
        return extractRsk(request);
      case 'validateRsk':
        return this.validateRsk(request);
      case 'prepare':
        this.prepare(request);
        return undefined;
    }
  }

  /** RFC 6508 section 6.2.1. @returns SED */
  encapsulate({ ssv, id, z }: EncapsulateRequest): Uint8Array {
    const r = exponent(ssv, id);
    const rb = this.#recipientPoint(r, id, z);
    const w = uintToBytes(powersOfG().power(r), FIELD_OCTETS);
    const hint = masked(ssv, w);
    wipe(w);
    return concatBytes(rb, hint);
  }

  /** RFC 6508 section 6.2.2. @returns SSV @throws SegyError SEGY_E_MIKEY_SAKKE */
  decapsulate(request: DecapsulateRequest): Uint8Array {
    const { id, z, rsk } = request;
    const { point, rb, hint } = splitSed(request.sed, request.allowShortHint === true);
    const value = pair(this.#linesOf(rsk), point);
    if (value === null) throw notDecapsulated();
    const w = uintToBytes(value, FIELD_OCTETS);
    const candidates = [w];
    if (request.allowStrippedMask === true && w[0] === 0) {
      candidates.push(w.subarray(w.findIndex((octet) => octet !== 0)));
    }
    try {
      for (const candidate of candidates) {
        const ssv = masked(hint, candidate);
        const r = exponent(ssv, id);
        if (r !== 0n && equalBytes(this.#recipientPoint(r, id, z), rb)) return ssv;
        wipe(ssv);
      }
    } finally {
      wipe(w);
    }
    throw notDecapsulated();
  }

  /** RFC 6508 section 6.1.2: <[a]P + Z, RSK> = g. */
  validateRsk({ z, id, rsk }: ValidateRskRequest): boolean {
    const point = sumOfMultiples([
      { comb: combOfP(), k: bytesToUint(id) % q },
      { comb: this.#combOf(z), k: 1n },
    ]);
    if (point === null) return false;
    try {
      return pair(this.#linesOf(rsk), point) === g;
    } catch (error) {
      if (error instanceof SegyError && error.code === 'SEGY_E_ARGUMENT') return false;
      throw error;
    }
  }

  /** Makes what the other operations would make at first use. */
  prepare({ z, rsk }: PrepareRequest): void {
    combOfP();
    powersOfG();
    this.#combOf(z);
    if (rsk !== undefined) this.#linesOf(rsk);
  }

  /** [r]([b]P + Z), which is [r b]P + [r]Z, encoded. */
  #recipientPoint(r: bigint, id: Uint8Array, z: Uint8Array): Uint8Array {
    const point = sumOfMultiples([
      { comb: combOfP(), k: (r * bytesToUint(id)) % q },
      { comb: this.#combOf(z), k: r },
    ]);
    return encodePoint(notInfinity(point));
  }

  #combOf(z: Uint8Array): PointComb {
    const key = toHex(z);
    let comb = this.#combs.get(key);
    if (comb === undefined) {
      comb = PointComb.build(decodePoint(z, 'z'), 'z');
      this.#combs.set(key, comb);
    }
    return comb;
  }

  #linesOf(rsk: Uint8Array): PreparedLines {
    const key = createHash('sha256').update(rsk).digest('hex');
    let lines = this.#lines.get(key);
    if (lines === undefined) {
      lines = prepareLines(decodePoint(rsk, 'rsk'), 'rsk');
      this.#lines.set(key, lines);
    }
    return lines;
  }
}

/** RFC 6508 section 6.1.1: [(a + z)^-1]P. @throws SegyError SEGY_E_ARGUMENT for the one identity that has none */
function extractRsk({ master, id }: ExtractRskRequest): Uint8Array {
  const sum = (bytesToUint(id) + masterSecret(master, 'master')) % q;
  if (sum === 0n) throw new SegyError('SEGY_E_ARGUMENT', 'id has no RSK under this master');
  const blind = (bytesToUint(systemRandom(FIELD_OCTETS)) % (q - 1n)) + 1n;
  const k = (invert(sum * blind, q) * blind) % q;
  return encodePoint(notInfinity(sumOfMultiples([{ comb: combOfP(), k }])));
}

function masterSecret(z: Uint8Array, name: string): bigint {
  expectLengthBetween(z, 1, FIELD_OCTETS, name);
  const secret = bytesToUint(z);
  if (secret < 2n || secret >= q)
    throw new SegyError('SEGY_E_ARGUMENT', `${name} is not in [2, q-1]`);
  return secret;
}

function notInfinity(point: AffinePoint | null): AffinePoint {
  if (point === null)
    throw new SegyError('SEGY_E_ARGUMENT', 'id is the negative of the master secret');
  return point;
}

/** r = HashToIntegerRange(SSV || b, q). */
function exponent(ssv: Uint8Array, id: Uint8Array): bigint {
  const text = concatBytes(ssv, id);
  const r = hashToIntegerRange(text, q);
  wipe(text);
  return r;
}

/** `text` XOR HashToIntegerRange(w, 2^n), n being the bits of `text`. */
function masked(text: Uint8Array, w: Uint8Array): Uint8Array {
  const mask = uintToBytes(hashToIntegerRange(w, 1n << BigInt(8 * text.length)), text.length);
  const out = text.map((octet, i) => octet ^ (mask[i] ?? 0));
  wipe(mask);
  return out;
}

function splitSed(
  sed: Uint8Array,
  allowShortHint: boolean,
): { point: AffinePoint; rb: Uint8Array; hint: Uint8Array } {
  expectBytes(sed, 'sed');
  const hint = sed.subarray(SAKKE_POINT_OCTETS);
  const short = allowShortHint && (hint.length === 15 || hint.length === 31);
  if (hint.length !== 16 && hint.length !== 32 && !short) {
    throw new SegyError('SEGY_E_MIKEY_SAKKE', `sed has ${sed.length} octets, not 273 or 289`);
  }
  const rb = sed.subarray(0, SAKKE_POINT_OCTETS);
  try {
    const point = decodePoint(rb, 'R_b');
    return { point, rb, hint: short ? concatBytes(new Uint8Array(1), hint) : hint };
  } catch (error) {
    throw new SegyError('SEGY_E_MIKEY_SAKKE', 'R_b is no point of the curve', { cause: error });
  }
}

function notDecapsulated(): SegyError {
  return new SegyError('SEGY_E_MIKEY_SAKKE', 'the SAKKE data does not decapsulate');
}
