/** Our own ring's share of the keys made here: held under the name of every partner whose members have it. */
import { fromHex } from '../base/bytes.js';
import { type Group, partnersOf } from './group.js';
import { heldKeyOf } from './key-rules.js';
import type { OwnKey } from './own-key.js';
import type { OwnRing } from './ports.js';

export class RingEntries {
  readonly #ring: OwnRing;
  readonly #uri: string;
  /** what the ring was given, by key and partner */
  readonly #given = new Map<string, string>();

  /** @param uri identity of our GMS */
  constructor(ring: OwnRing, uri: string) {
    this.#ring = ring;
    this.#uri = uri;
  }

  /** Puts a key in, under every partner of the group; what it was given before costs nothing. */
  async adopt(key: OwnKey, group: Group): Promise<void> {
    for (const partner of partnersOf(group)) {
      const name = nameOf(key, partner);
      const known = `${key.holders.join(' ')} ${+(key.revokedAt ?? 0)}`;
      if (this.#given.get(name) === known) continue;
      await this.#ring.adopt(heldKeyOf(key, partner, this.#uri));
      this.#given.set(name, known);
    }
  }

  /** Tells of a revocation wherever the key is held. */
  async revoke(key: OwnKey): Promise<void> {
    for (const partner of this.#ring.partnersOf(fromHex(key.keyId))) {
      await this.#ring.adopt(heldKeyOf(key, partner, this.#uri));
      this.#given.delete(nameOf(key, partner));
    }
  }

  /** Lets a key go, whoever's it is. */
  async drop({ keyId }: OwnKey): Promise<void> {
    await this.#ring.drop(fromHex(keyId));
  }
}

function nameOf({ keyId }: OwnKey, partner: string): string {
  return `${keyId}/${partner}`;
}
