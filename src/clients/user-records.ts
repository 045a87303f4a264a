/** Represented users and patterns that the operator keeps in the store, beside the configuration. */
import { utf8 } from '../base/bytes.js';
import type { RecordChange, RecordSpace } from '../base/records.js';
import { SegyError } from '../base/errors.js';
import type { RepresentedUser } from './directory.js';
import { checkUser } from './user-pattern.js';

const MAX_CSV_LINES = 200_000;

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
   * @throws SegyError SEGY_E_ARGUMENT when an identity is unfit, or taken on either side
   */
  async add(added: readonly RepresentedUser[]): Promise<void> {
    const byPbx = new Map(this.list().map((user) => [user.pbx, user.uri]));
    const byUri = new Map(this.#users);
    const changes: RecordChange[] = [];
    for (const user of added) {
      checkUser(user);
      const present = byUri.get(user.uri);
      if (present?.pbx === user.pbx) continue;
      if (present !== undefined || byPbx.has(user.pbx)) {
        throw new SegyError('SEGY_E_ARGUMENT', `${user.uri} or ${user.pbx} is taken already`);
      }
      byUri.set(user.uri, user);
      byPbx.set(user.pbx, user.uri);
      changes.push({ key: user.uri, value: utf8(user.pbx) });
    }
    await this.#records.write(changes);
    for (const [uri, user] of byUri) this.#users.set(uri, user);
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

/**
 * Users of a CSV file: PBX user part (the radio ID) and MC service ID on each line, a heading line
 * `pbx,uri` in either order allowed; values in double quotes or bare; empty lines and `#` skipped.
 * @throws SegyError SEGY_E_ARGUMENT with the number of the line
 */
export function parseUserCsv(text: string): RepresentedUser[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.length > MAX_CSV_LINES) throw new SegyError('SEGY_E_ARGUMENT', 'too many lines');
  const users: RepresentedUser[] = [];
  let pbxFirst = true;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^\s*(?:"([^"]*)"|([^",]*))\s*[,;]\s*(?:"([^"]*)"|([^",]*))\s*$/.exec(line);
    const first = (match?.[1] ?? match?.[2] ?? '').trim();
    const second = (match?.[3] ?? match?.[4] ?? '').trim();
    if (users.length === 0 && /^(pbx|uri)$/i.test(first) && /^(pbx|uri)$/i.test(second)) {
      pbxFirst = first.toLowerCase() === 'pbx';
      continue;
    }
    const user = pbxFirst ? { pbx: first, uri: second } : { uri: first, pbx: second };
    try {
      checkUser(user);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : '';
      throw new SegyError('SEGY_E_ARGUMENT', `line ${index + 1}: ${why}`, { cause });
    }
    users.push(user);
  }
  return users;
}
