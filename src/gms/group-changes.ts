/**
 * Changes of the groups that are homed here, as a command, a document or a request asks for them: the
 * rules of the store, then the keys as the change demands them, then the audit record.
 */
import { SegyError } from '../base/errors.js';
import type { ChangeCondition } from './group-store.js';
import type { Group, MemberHome, NewGroup } from './group.js';
import type { RollRequest } from './key-life.js';
import type { PseudoGms } from './pseudo-gms.js';

export interface ChangeAudit {
  record(event: {
    readonly action: 'group-created' | 'group-changed' | 'group-deleted' | 'group-rekeyed';
    readonly group: string;
    readonly detail?: string;
  }): Promise<void>;
}

export interface GroupChangesOptions {
  readonly gms: Pick<PseudoGms, 'groups' | 'settled' | 'rekey'>;
  /** whose user an identity is; undefined for nobody's */
  readonly homeOf: (uri: string) => Pick<MemberHome, 'partner'> | undefined;
  readonly audit: ChangeAudit;
}

/** `detail` is what the audit log says of each change. */
export class GroupChanges {
  readonly #options: GroupChangesOptions;

  constructor(options: GroupChangesOptions) {
    this.#options = options;
  }

  /**
   * Keeps a group in place of the version that `condition` names.
   * @throws SegyError as GroupStore.put, and SEGY_E_GROUP for a new one whose ID is of a partner's domain
   */
  async put(
    group: NewGroup,
    condition: ChangeCondition & { readonly version: number | null },
    detail: string,
  ): Promise<Group> {
    const { gms } = this.#options;
    const isNew = condition.version === null;
    if (isNew) this.#refuseForeign(group.id);
    const after = await gms.groups.put(group, condition);
    if (after.version === condition.version) return after;
    await this.#settle(isNew ? 'group-created' : 'group-changed', group.id, detail);
    return after;
  }

  /** Changes a group whatever its version is by then. @throws SegyError as GroupStore.change */
  async change(id: string, change: (group: Group) => NewGroup, detail: string): Promise<Group> {
    const after = await this.#options.gms.groups.change(id, change);
    await this.#settle('group-changed', id, detail);
    return after;
  }

  /** @throws SegyError as GroupStore.delete */
  async delete(id: string, condition: ChangeCondition, detail: string): Promise<void> {
    await this.#options.gms.groups.delete(id, condition);
    await this.#settle('group-deleted', id, detail);
  }

  /** @returns hex of the new K-IDs, none of an order that was carried out @throws SegyError as PseudoGms.rekey */
  async rekey(id: string, request: Omit<RollRequest, 'reason'>, detail: string): Promise<string[]> {
    const { gms, audit } = this.#options;
    const keys = await gms.rekey(id, request);
    if (keys.length === 0) return keys;
    const told = [...keys, ...(detail === '' ? [] : [detail])].join(' ');
    await audit.record({ action: 'group-rekeyed', group: id, detail: told });
    return keys;
  }

  /** A group under a partner's name would take the calls to the partner's own. */
  #refuseForeign(id: string): void {
    const partner = this.#options.homeOf(id)?.partner ?? '';
    if (partner === '') return;
    throw new SegyError('SEGY_E_GROUP', `id: ${id} is of the domain of ${partner}`);
  }

  async #settle(
    action: 'group-created' | 'group-changed' | 'group-deleted',
    group: string,
    detail: string,
  ): Promise<void> {
    const { gms, audit } = this.#options;
    await gms.settled();
    await audit.record({ action, group, ...(detail !== '' && { detail }) });
  }
}
