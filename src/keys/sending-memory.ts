/**
 * The SSRCs that were used for sending with a master key that outlives the program, as one derived
 * from a GMK does. A pair (master key, SSRC) is claimed once in the life of the key, so that no SRTP
 * nonce can come twice. The memory of a key is kept under a digest of it and goes when the key goes.
 */
import { createHash } from 'node:crypto';
import { uintToBytes } from '../base/bytes.js';
import type { RecordSpace } from '../base/records.js';
import { SegyError } from '../base/errors.js';

const LABEL = 'segy sending key 1';
const SSRC_OCTETS = 4;
/** SSRCs used with one key before it has to be replaced: far below where a draw would take long. */
const MAX_PER_KEY = 100_000;

/** Names a sending key in the memory without showing it: a digest of master key and salt. */
export function sendingKeyTag(masterKey: Uint8Array, masterSalt: Uint8Array): string {
  return createHash('sha256')
    .update(LABEL)
    .update(uintToBytes(masterKey.length, 1))
    .update(masterKey)
    .update(masterSalt)
    .digest('hex')
    .slice(0, 40);
}

export class SendingMemory {
  readonly #records: RecordSpace;
  readonly #claimed: Map<string, Set<number>>;
  /** keys whose memory is damaged: nothing more is sent with them */
  readonly #refused: Set<string>;

  private constructor(
    records: RecordSpace,
    claimed: Map<string, Set<number>>,
    refused: Iterable<string>,
  ) {
    this.#records = records;
    this.#claimed = claimed;
    this.#refused = new Set(refused);
  }

  static async open(records: RecordSpace): Promise<SendingMemory> {
    const listing = await records.all();
    const claimed = new Map(listing.records.map(({ key, value }) => [key, ssrcsOf(value)]));
    return new SendingMemory(records, claimed, listing.refused);
  }

  /**
   * Whether the key of that tag was never used with `ssrc`; then that is on disk when it resolves.
   * @throws SegyError SEGY_E_STORE when that cannot be known or written, SEGY_E_MIKEY_EXPIRED when
   *   the key has been used with as many as it may
   */
  async claim(keyTag: string, ssrc: number): Promise<boolean> {
    if (this.#refused.has(keyTag)) {
      throw new SegyError('SEGY_E_STORE', 'the memory of what was sent with this key is damaged');
    }
    const claimed = this.#claimed.get(keyTag) ?? new Set<number>();
    if (claimed.has(ssrc)) return false;
    if (claimed.size >= MAX_PER_KEY) {
      throw new SegyError('SEGY_E_MIKEY_EXPIRED', 'the key has sent from too many sources');
    }
    // Taken at once, so that a second claim before the write does not get it, too.
    claimed.add(ssrc);
    this.#claimed.set(keyTag, claimed);
    await this.#records.put(keyTag, octetsOf(claimed));
    return true;
  }

  /** Forgets keys that are gone for good; with one of these tags nothing may be sent any more. */
  async forget(keyTags: readonly string[]): Promise<void> {
    await this.#records.write(keyTags.map((key) => ({ key })));
    for (const keyTag of keyTags) this.#claimed.delete(keyTag);
  }
}

function octetsOf(ssrcs: ReadonlySet<number>): Uint8Array {
  const octets = new DataView(new ArrayBuffer(SSRC_OCTETS * ssrcs.size));
  [...ssrcs].forEach((ssrc, index) => octets.setUint32(SSRC_OCTETS * index, ssrc));
  return new Uint8Array(octets.buffer);
}

function ssrcsOf(octets: Uint8Array): Set<number> {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  return new Set(
    Array.from({ length: Math.floor(octets.length / SSRC_OCTETS) }, (_, index) =>
      view.getUint32(SSRC_OCTETS * index),
    ),
  );
}
