/**
 * What is told of a channel that has gone on in the dialplan, as global variables of the PBX: ARI sets
 * a channel's own variables only while it is in Stasis. The variable NAME of a channel is
 * `NAME_<channel id>`, which a dialplan reads as `${GLOBAL(NAME_${UNIQUEID})}`; it ends with the channel.
 */
import type { PbxVariables } from '../../edge/ports/pbx-port.js';

/** Of all that is told, what a dialplan has a use for at any time. */
const KEPT: readonly string[] = ['SEGY_TALKER', 'SEGY_FLOOR', 'SEGY_PRIORITY'];

/** Sets a global variable of the PBX; null removes it. */
export type SetGlobal = (variable: string, value: string | null) => Promise<unknown>;

export class GlobalVariables {
  readonly #set: SetGlobal;
  /** channel to the variables that are set for it */
  readonly #names = new Map<string, Set<string>>();

  constructor(set: SetGlobal) {
    this.#set = set;
  }

  /** Sets those of the variables that are kept, for a channel that lives. */
  async set(channelId: string, variables: PbxVariables): Promise<void> {
    const kept = Object.entries(variables).filter(([name]) => KEPT.includes(name));
    if (kept.length === 0) return;
    const names = this.#names.get(channelId) ?? new Set();
    this.#names.set(channelId, names);
    for (const [name] of kept) names.add(`${name}_${channelId}`);
    await Promise.all(kept.map(([name, value]) => this.#set(`${name}_${channelId}`, value)));
    // it may have ended meanwhile
    if (!this.#names.has(channelId)) await this.#remove(names);
  }

  /** Removes what was set for a channel that has ended. Never rejects: a link that is lost is not news. */
  async forget(channelId: string): Promise<void> {
    const names = this.#names.get(channelId);
    if (names === undefined) return;
    this.#names.delete(channelId);
    await this.#remove(names);
  }

  async #remove(names: ReadonlySet<string>): Promise<void> {
    await Promise.allSettled([...names].map((name) => this.#set(name, null)));
  }
}
