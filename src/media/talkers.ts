/**
 * The talkers of a group call: which SRTP keys an MKI stands for (TS 33.180 7.4.2). An MKI names a
 * GMK and, by its GUK-ID, the talker; the talker's keys follow from both, so they are derived here,
 * in the worker, when the talker's first packet comes, and no word waits for the control thread.
 *
 * An invented MKI costs one look-up where its GMK is unknown, else one derivation and one failed
 * authentication, as `TalkerAdmission` allows; it leaves nothing behind and evicts nobody who talks.
 */
import { concatBytes, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { keyTypeOf, srtpKeys } from '../mikey/index.js';
import type { MkiResolver, SrtpFraming, SrtpKeyMaterial } from '../srtp/index.js';
import type { TalkerAdmission, TalkerSign } from './talker-admission.js';
import type { DropReason, GroupKey } from './types.js';

const MKI_OCTETS = 8;
const ID_OCTETS = 4;
const MAX_KEYS = 64;
const MAX_RANDS = 4;
const MAX_MEMBERS = 1_000;
const SALT_OCTETS = { AEAD_AES_128_GCM: 12, AES_CM_128_HMAC_SHA1_80: 14 } as const;

/** Why a known GMK is not used for a packet. */
export type TalkerRefusal = Extract<DropReason, 'revoked' | 'expired' | 'reflection'>;

export class Talkers implements MkiResolver {
  /** why the MKI of the last question got no key; null where its GMK is unknown */
  refusal: TalkerRefusal | null = null;
  /** whose keys of the last question could not be derived yet; null where none was put off */
  deferred: TalkerSign | null = null;
  readonly #admission: TalkerAdmission;
  readonly #isKnown: (address: string, port: number) => boolean;
  #keys = new Map<number, GroupKey>();
  #framings: SrtpFraming[] = [];
  #last: SrtpKeyMaterial[] = [];
  #address = '';
  #port = 0;
  #members = new Map<number, ReadonlySet<number>>();

  /** @param isKnown whether the peer signalled this address or has authenticated from it */
  constructor(admission: TalkerAdmission, isKnown: (address: string, port: number) => boolean) {
    this.#admission = admission;
    this.#isKnown = isKnown;
  }

  /** The packet that comes next was sent from here. */
  from(address: string, port: number): void {
    this.refusal = null;
    this.deferred = null;
    this.#address = address;
    this.#port = port;
  }

  get framings(): readonly SrtpFraming[] {
    return this.#framings;
  }

  /**
   * Holds exactly `keys`, which are copied.
   * @returns GMK-IDs whose talkers have to be derived anew: gone, changed, or no longer usable
   */
  hold(keys: readonly GroupKey[]): Uint8Array[] {
    checkGroupKeys(keys);
    const next = new Map(keys.map((key) => [idOf(key.gmkId, 0), copyGroupKey(key)]));
    const stale = [...this.#keys.values()].filter((old) => {
      const now = next.get(idOf(old.gmkId, 0));
      return now === undefined || !sameGroupKey(old, now);
    });
    const ids = stale.map(({ gmkId }) => gmkId.slice());
    if (stale.length > 0 || next.size !== this.#keys.size) this.#admission.forget();
    wipeGroupKeys(...this.#keys.values());
    this.#keys = next;
    this.#members = new Map([...next].map(([id, { members }]) => [id, new Set(members)]));
    this.#framings = keys
      .filter(({ state }) => state === 'usable')
      .map(({ suite, rocRate }) => ({ suite, rocRate, mkiLength: MKI_OCTETS }));
    // A refused key has to be read from its packets too, to be counted as what it is.
    if (this.#framings.length === 0 && keys.length > 0) {
      const [{ suite, rocRate }] = keys as readonly [GroupKey];
      this.#framings = [{ suite, rocRate, mkiLength: MKI_OCTETS }];
    }
    return ids;
  }

  resolve(mki: Uint8Array, ssrc: number): readonly SrtpKeyMaterial[] {
    if (mki.length !== MKI_OCTETS) return [];
    const gmkId = idOf(mki, 0);
    const held = this.#keys.get(gmkId);
    const csbId = mki.subarray(ID_OCTETS);
    if (held === undefined || keyTypeOf(csbId) !== 'GMK') return [];
    if (held.state !== 'usable') this.refusal = held.state;
    else if (held.own.some((own) => idOf(own, 0) === idOf(csbId, 0))) this.refusal = 'reflection';
    else if (this.#admits(gmkId, idOf(csbId, 0), ssrc)) return this.#derive(held, mki, csbId);
    return [];
  }

  triesAgain(mki: Uint8Array, ssrc: number): boolean {
    if (this.#admission.triesAgain()) return true;
    this.deferred = this.#signOf(idOf(mki, 0), idOf(mki, ID_OCTETS), ssrc);
    return false;
  }

  /** Overwrites every key. */
  wipe(): void {
    this.hold([]);
    this.#forgetLast();
  }

  #derive(held: GroupKey, mki: Uint8Array, csbId: Uint8Array): readonly SrtpKeyMaterial[] {
    this.#forgetLast();
    const { gmk: key, csId, suite, rocRate } = held;
    const saltLength = SALT_OCTETS[suite];
    this.#last = held.rands.map((rand) => ({
      suite,
      rocRate,
      mki: mki.slice(),
      ...srtpKeys({ key, csbId, rand, csId, saltLength }),
    }));
    return this.#last;
  }

  #forgetLast(): void {
    for (const { masterKey, masterSalt } of this.#last) wipe(masterKey, masterSalt);
    this.#last = [];
  }

  #admits(gmkId: number, gukId: number, ssrc: number): boolean {
    const sign = this.#signOf(gmkId, gukId, ssrc);
    const admitted = this.#admission.admits(sign);
    this.deferred = admitted ? null : sign;
    return admitted;
  }

  #signOf(gmkId: number, gukId: number, ssrc: number): TalkerSign {
    const known = this.#isKnown(this.#address, this.#port);
    const member = this.#members.get(gmkId)?.has(gukId) === true;
    return { gukId, ssrc, port: this.#port, known, member };
  }
}

/** @throws SegyError SEGY_E_ARGUMENT */
export function checkGroupKeys(keys: readonly GroupKey[]): void {
  if (keys.length > MAX_KEYS) throw new SegyError('SEGY_E_ARGUMENT', 'too many group keys');
  for (const { gmkId, gmk, rands, own, state, members } of keys) {
    const isWhole = state !== 'usable' || (gmk.length === 16 && rands.length > 0);
    const ids = [gmkId, ...own].every((id) => id.length === ID_OCTETS);
    const isTooMuch = rands.length > MAX_RANDS || (members?.length ?? 0) > MAX_MEMBERS;
    if (!isWhole || !ids || isTooMuch) {
      throw new SegyError('SEGY_E_ARGUMENT', 'a group key is malformed');
    }
  }
}

/** A copy whose octets the new owner may wipe or transfer. */
export function copyGroupKey(key: GroupKey): GroupKey {
  const copy = (octets: Uint8Array): Uint8Array => concatBytes(octets);
  return {
    ...key,
    gmkId: copy(key.gmkId),
    gmk: copy(key.gmk),
    rands: key.rands.map(copy),
    own: key.own.map(copy),
    ...(key.members && { members: key.members.slice() }),
  };
}

export function wipeGroupKeys(...keys: readonly GroupKey[]): void {
  wipe(...keys.map(({ gmk }) => gmk));
}

function sameGroupKey(a: GroupKey, b: GroupKey): boolean {
  const octets = ({ gmk, rands, own }: GroupKey): Uint8Array => concatBytes(gmk, ...rands, ...own);
  const [left, right] = [octets(a), octets(b)];
  const same =
    Buffer.from(left).equals(right) &&
    a.rands.length === b.rands.length &&
    a.state === b.state &&
    a.suite === b.suite &&
    a.rocRate === b.rocRate &&
    a.csId === b.csId;
  wipe(left, right);
  return same;
}

function idOf(octets: Uint8Array, at: number): number {
  return new DataView(octets.buffer, octets.byteOffset, octets.byteLength).getUint32(at);
}
