/**
 * The groups that are homed here, sealed. Every change has a version, is on disk before anyone is
 * told, and is refused where it was made on an older version than the one that is kept.
 */
import { utf8 } from '../base/bytes.js';
import type { Log } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import type { RecordSpace } from '../base/records.js';
import { checkGroup, type Group, type NewGroup } from './group.js';

export const MAX_GROUPS = 10_000;

/** What happened to one group; `before` is null for a new one, `after` for one that was deleted. */
export interface GroupChange {
  readonly before: Group | null;
  readonly after: Group | null;
}

export type GroupListener = (change: GroupChange) => void;

/**
 * What a change was made on: a version, null for "no such group yet"; without it whatever is kept is
 * replaced.
 */
export interface ChangeCondition {
  readonly version?: number | null;
  /** who changes it: only the configuration file changes what is its own */
  readonly by?: 'config';
}

export interface GroupStoreOptions {
  readonly log: Log;
  /** whether a name on the PBX is that of a user, or of a partner's group */
  readonly isTaken?: (pbx: string) => boolean;
}

export class GroupStore {
  readonly #records: RecordSpace;
  readonly #log: Log;
  readonly #isTaken: (pbx: string) => boolean;
  readonly #groups = new Map<string, Group>();
  readonly #listeners = new Set<GroupListener>();
  /** versions go on where a deleted group's ended, so that none comes twice */
  #highest = 0;
  #tail: Promise<unknown> = Promise.resolve();
  /** IDs of groups whose records are damaged: not served */
  readonly refused: string[] = [];

  private constructor(records: RecordSpace, { log, isTaken }: GroupStoreOptions) {
    this.#records = records;
    this.#log = log;
    this.#isTaken = isTaken ?? (() => false);
  }

  /** @param records the namespace `groups` of the sealed store */
  static async open(records: RecordSpace, options: GroupStoreOptions): Promise<GroupStore> {
    const { log } = options;
    const store = new GroupStore(records, options);
    const listing = await records.all();
    store.refused.push(...listing.refused.filter((key) => key !== HIGHEST));
    for (const { key, value } of listing.records) {
      try {
        store.#take(key, JSON.parse(Buffer.from(value).toString('utf8')));
      } catch (error) {
        log.error('groups.record.refused', { group: key, reason: toSegyError(error).message });
        store.refused.push(key);
      }
    }
    return store;
  }

  /** By group ID, sorted. */
  list(): Group[] {
    return [...this.#groups.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  get(id: string): Group | undefined {
    return this.#groups.get(id);
  }

  byPbxName(pbx: string): Group | undefined {
    return [...this.#groups.values()].find((group) => group.pbx === pbx);
  }

  /**
   * Keeps a group, a new one or in place of the one with its ID. What changes nothing has no new
   * version and tells nobody.
   * @throws SegyError SEGY_E_GROUP (a rule is broken, or the name on the PBX is another group's),
   *   SEGY_E_CHANGED (not the version of `condition`), SEGY_E_BUSY (too many groups), SEGY_E_STORE
   */
  put(group: NewGroup, condition: ChangeCondition = {}): Promise<Group> {
    return this.#inTurn(() => this.#put(checkGroup(group), condition));
  }

  /**
   * Changes the group that is kept, whatever its version is by then.
   * @throws SegyError SEGY_E_NOT_FOUND and as `put`
   */
  change(id: string, change: (group: Group) => NewGroup): Promise<Group> {
    return this.#inTurn(() => this.#put(checkGroup(change(this.#require(id))), {}));
  }

  /** @throws SegyError SEGY_E_NOT_FOUND, SEGY_E_CHANGED, SEGY_E_STORE */
  delete(id: string, condition: ChangeCondition = {}): Promise<void> {
    return this.#inTurn(async () => {
      const damaged = this.refused.indexOf(id);
      if (damaged >= 0) {
        await this.#records.delete(id);
        this.refused.splice(damaged, 1);
        return;
      }
      const before = this.#require(id);
      requireRight(before, condition);
      requireVersion(before, condition);
      await this.#records.write([{ key: id }, { key: HIGHEST, value: json(this.#highest) }]);
      this.#groups.delete(id);
      this.#tell({ before, after: null });
    });
  }

  /** Tells of every change from now on. @returns ends that */
  onChange(listener: GroupListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #put(checked: Group, condition: ChangeCondition): Promise<Group> {
    const { id, pbx } = checked;
    const before = this.#groups.get(id) ?? null;
    requireRight(before, condition);
    requireVersion(before, condition);
    if (this.refused.includes(id)) {
      throw new SegyError('SEGY_E_STORE', `the record of ${id} is damaged: delete the group first`);
    }
    const other = this.byPbxName(pbx);
    if ((other !== undefined && other.id !== id) || this.#isTaken(pbx)) {
      throw new SegyError(
        'SEGY_E_GROUP',
        `pbx: ${pbx} is ${other?.id ?? 'a name of something else'}`,
      );
    }
    if (before !== null && sameButVersion(before, checked)) return before;
    if (before === null && this.#groups.size >= MAX_GROUPS) {
      throw new SegyError('SEGY_E_BUSY', `${MAX_GROUPS} groups are kept already`);
    }
    const after: Group = { ...checked, version: this.#highest + 1 };
    await this.#records.put(id, json(after));
    this.#highest = after.version;
    this.#groups.set(id, after);
    this.#tell({ before, after });
    return after;
  }

  #require(id: string): Group {
    const group = this.#groups.get(id);
    if (group === undefined)
      throw new SegyError('SEGY_E_NOT_FOUND', `no group ${id} is homed here`);
    return group;
  }

  #take(key: string, value: unknown): void {
    if (key === HIGHEST) {
      this.#highest = Math.max(this.#highest, Number(value) || 0);
      return;
    }
    const group = checkGroup(value);
    if (group.id !== key) throw new SegyError('SEGY_E_STORE', 'the record is of another group');
    this.#groups.set(key, group);
    this.#highest = Math.max(this.#highest, group.version);
  }

  /** A listener that throws stops neither the others nor the change. */
  #tell(change: GroupChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#log.error('groups.listener.failed', { message: toSegyError(error).message });
      }
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

/** Record of the highest version that a deleted group may have had; no group ID is without a host. */
const HIGHEST = 'highest';

function requireRight(kept: Group | null, { by }: ChangeCondition): void {
  if (kept?.origin === 'config' && by !== 'config') {
    throw new SegyError('SEGY_E_GROUP', `the configuration file decides on ${kept.id}`);
  }
}

function requireVersion(kept: Group | null, { version }: ChangeCondition): void {
  if (version === undefined || version === (kept?.version ?? null)) return;
  throw new SegyError('SEGY_E_CHANGED', 'the group is not what it was when the change was made');
}

function sameButVersion(a: Group, b: Group): boolean {
  return JSON.stringify({ ...a, version: 0 }) === JSON.stringify({ ...b, version: 0 });
}

function json(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value));
}
