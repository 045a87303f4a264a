/** The media engine's memory of what was sent: on disk for keys that outlive the program. */
import type { RandomBytes } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { sendingKeyTag } from '../keys/index.js';
import type { SendingMemory as StoredMemory } from '../keys/index.js';
import { createSendingMemory } from '../media/index.js';
import type { SendingMemory } from '../media/index.js';
import type { SrtpKeyMaterial } from '../srtp/index.js';

/** GMK-ID and GUK-ID (TS 33.180 clause 7.4): only a key of a group, which is kept, has such an MKI. */
const GROUP_MKI_OCTETS = 8;
/** Purpose tags of a CSK and an SPK (Annex G), which serve many calls. */
const SIGNALLING_TAGS: ReadonlySet<number> = new Set([2, 3]);
/** SSRCs of one block, which is claimed on disk as a whole. */
const BLOCK = 0x1_0000;
const DRAWS = 64;

/**
 * Claims under keys of groups go to `stored`; PCKs end with their call, and no restart meets them
 * again. Keys of signalling serve every call with a partner for months: their SSRCs are dealt from
 * blocks, so that the disk is written once for 65536 calls.
 */
export function sendingMemoryOver(stored: Pick<StoredMemory, 'claim'>): SendingMemory {
  const passing = createSendingMemory();
  const blocks = new SsrcBlocks(stored);
  return {
    claim: (key, ssrc) =>
      key.mki.length === GROUP_MKI_OCTETS
        ? stored.claim(sendingKeyTag(key.masterKey, key.masterSalt), ssrc)
        : passing.claim(key, ssrc),
    deal: (key, random) =>
      isSignallingKey(key) ? blocks.next(key, random) : Promise.resolve(null),
  };
}

function isSignallingKey({ mki }: SrtpKeyMaterial): boolean {
  return mki.length === 4 && SIGNALLING_TAGS.has((mki[0] ?? 0) >>> 4);
}

/** SSRCs one after the other, out of blocks that no earlier run had. */
class SsrcBlocks {
  readonly #stored: Pick<StoredMemory, 'claim'>;
  readonly #open = new Map<string, { next: number; end: number }>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(stored: Pick<StoredMemory, 'claim'>) {
    this.#stored = stored;
  }

  /** @throws SegyError SEGY_E_MEDIA when no block is left; SEGY_E_STORE */
  next(key: SrtpKeyMaterial, random: RandomBytes): Promise<number> {
    const tag = sendingKeyTag(key.masterKey, key.masterSalt);
    const dealt = this.#queue.then(() => this.#deal(tag, random));
    this.#queue = dealt.catch(() => undefined);
    return dealt;
  }

  async #deal(tag: string, random: RandomBytes): Promise<number> {
    const open = this.#open.get(tag);
    const block =
      open !== undefined && open.next < open.end ? open : await this.#claim(tag, random);
    this.#open.set(tag, block);
    const ssrc = block.next;
    block.next += 1;
    return ssrc;
  }

  async #claim(tag: string, random: RandomBytes): Promise<{ next: number; end: number }> {
    for (let i = 0; i < DRAWS; i++) {
      const start = Buffer.from(random(2)).readUInt16BE() * BLOCK;
      if (await this.#stored.claim(tag, start)) return { next: start + 1, end: start + BLOCK };
    }
    throw new SegyError('SEGY_E_MEDIA', 'no unused SSRC was found for the signalling key');
  }
}
