/** Represented users and patterns that the operator keeps in the store, beside the configuration. */
import { utf8 } from '../base/bytes.js';
import type { RecordChange, RecordSpace } from '../base/records.js';
import { SegyError } from '../base/errors.js';
import type { RepresentedUser } from './directory.js';
import { checkUser } from './user-pattern.js';

export class UserRecords {
  readonly #records: RecordSpace;
  readonly #users = new Map<string, RepresentedUser>();
  /** MC service IDs whose records are damaged: not represented */
  readonly refused: readonly string[];

  private constructor(records: RecordSpace, refused: readonly string[]) {
    this.#records = records;
    this.refused = refused;
  }

  static async open(records: RecordSpace): Promise<UserRecords> {
    const listing = await records.all();
    const users = new UserRecords(records, listing.refused);
    for (const { key: uri, value } of listing.records) {
      users.#users.set(uri, { uri, pbx: Buffer.from(value).toString('utf8') });
    }
    return users;
  }

  list(): RepresentedUser[] {
    return [...this.#users.values()].sort((a, b) => (a.uri < b.uri ? -1 : 1));
  }

  /**
   * Adds users, all or none; on disk when it resolves. The same one again changes nothing.
   * @param announce called with how many are new when nothing speaks against them, before they are
   *   kept; where it fails, none is
   * @returns how many are new
   * @throws SegyError SEGY_E_ARGUMENT when an identity is unfit, or taken on either side
   */
  async add(
    added: readonly RepresentedUser[],
    announce?: (count: number) => Promise<void>,
  ): Promise<number> {
    const byPbx = new Map(this.list().map((user) => [user.pbx, user.uri]));
    const byUri = new Map(this.#users);
    const changes: RecordChange[] = [];
    for (const user of added) {
      checkUser(user);
      const present = byUri.get(user.uri);
      if (present?.pbx === user.pbx) continue;
      const taken =
        present === undefined
          ? byPbx.has(user.pbx) && `${user.pbx} is ${byPbx.get(user.pbx) ?? ''} already`
          : `${user.uri} is ${present.pbx} already`;
      if (taken !== false) {
        throw new SegyError('SEGY_E_ARGUMENT', `${taken}, so not ${user.pbx} = ${user.uri}`);
      }
      byUri.set(user.uri, user);
      byPbx.set(user.pbx, user.uri);
      changes.push({ key: user.uri, value: utf8(user.pbx) });
    }
    if (changes.length === 0) return 0;
    await announce?.(changes.length);
    await this.#records.write(changes);
    for (const [uri, user] of byUri) this.#users.set(uri, user);
    return changes.length;
  }

  /** @throws SegyError SEGY_E_NOT_FOUND */
  async remove(uri: string): Promise<void> {
    if (!this.#users.has(uri) && !this.refused.includes(uri)) {
      throw new SegyError('SEGY_E_NOT_FOUND', `${uri} is not represented`);
    }
    await this.#records.delete(uri);
    this.#users.delete(uri);
  }
}
