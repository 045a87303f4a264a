/**
 * The SSRCs that were used for sending with a master key. A pair (master key, SSRC) is drawn once
 * in the life of the key, also across restarts, so that no SRTP nonce can come twice. The memory
 * of a key is kept under a digest of it and goes when the key goes.
 */
import { createHash } from 'node:crypto';
import { bytesToUint, uintToBytes } from '../base/bytes.js';
import type { RandomBytes } from '../base/environment.js';
import type { RecordSpace } from '../base/records.js';
import { SegyError } from '../base/errors.js';

const LABEL = 'segy sending key 1';
const SSRC_OCTETS = 4;
/** SSRCs drawn with one key before it has to be replaced: far below where a draw would take long. */
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
  readonly #random: RandomBytes;
  readonly #drawn: Map<string, Set<number>>;
  /** keys whose memory is damaged: nothing more is sent with them */
  readonly #refused: Set<string>;

  private constructor(
    records: RecordSpace,
    random: RandomBytes,
    drawn: Map<string, Set<number>>,
    refused: Iterable<string>,
  ) {
    this.#records = records;
    this.#random = random;
    this.#drawn = drawn;
    this.#refused = new Set(refused);
  }

  static async open(records: RecordSpace, random: RandomBytes): Promise<SendingMemory> {
    const listing = await records.all();
    const drawn = new Map(listing.records.map(({ key, value }) => [key, ssrcsOf(value)]));
    return new SendingMemory(records, random, drawn, listing.refused);
  }

  /**
   * An SSRC never drawn before with the key of that tag; on disk when it resolves.
   * @throws SegyError SEGY_E_STORE when that cannot be known or written, SEGY_E_MIKEY_EXPIRED when
   *   the key has been used for as many as it may
   */
  async draw(keyTag: string): Promise<number> {
    if (this.#refused.has(keyTag)) {
      throw new SegyError('SEGY_E_STORE', 'the memory of what was sent with this key is damaged');
    }
    const drawn = this.#drawn.get(keyTag) ?? new Set<number>();
    if (drawn.size >= MAX_PER_KEY) {
      throw new SegyError('SEGY_E_MIKEY_EXPIRED', 'the key has sent from too many sources');
    }
    let ssrc: number;
    do ssrc = Number(bytesToUint(this.#random(SSRC_OCTETS)));
    while (ssrc === 0 || drawn.has(ssrc));
    // Taken at once, so that a second draw before the write cannot give the same one.
    drawn.add(ssrc);
    this.#drawn.set(keyTag, drawn);
    await this.#records.put(keyTag, octetsOf(drawn));
    return ssrc;
  }

  /** Forgets keys that are gone for good; with one of these tags nothing may be sent any more. */
  async forget(keyTags: readonly string[]): Promise<void> {
    await this.#records.write(keyTags.map((key) => ({ key })));
    for (const keyTag of keyTags) this.#drawn.delete(keyTag);
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
