/** The groups of the pseudo GMS as the edge sees them: who may call, who may subscribe, what is told. */
import { groupSchema } from '../config/index.js';
import type { GmsConfig, GroupConfig } from '../config/index.js';
import type { HomeGroupsPort } from '../edge/index.js';
import { memberOf, partnersOf } from '../gms/index.js';
import type { Group, GroupDocuments, KeyToSend, PseudoGms } from '../gms/index.js';

/** A partner may have members in so many groups that this is worth remembering. */
interface View {
  readonly group: Group;
  readonly config: GroupConfig;
  readonly etag: string;
}

export class HomeGroups implements HomeGroupsPort<KeyToSend> {
  readonly #gms: PseudoGms;
  readonly #config: GmsConfig;
  readonly #documents: GroupDocuments;
  readonly #views = new Map<string, View>();
  onChange?: (group: string) => void;

  /** @param documents the same that serves them, so that what is told and what is served agree */
  constructor(gms: PseudoGms, config: GmsConfig, documents: GroupDocuments) {
    this.#gms = gms;
    this.#documents = documents;
    this.#config = config;
    gms.groups.onChange(({ before, after }) => this.onChange?.((after ?? before)?.id ?? ''));
  }

  find(id: string): GroupConfig | undefined {
    return this.#view(id)?.config;
  }

  byPbxName(name: string): GroupConfig | undefined {
    const found = this.#gms.groups.byPbxName(name);
    return found && this.find(found.id);
  }

  groupsOf(partner: string, users: ReadonlySet<string> | null): string[] {
    const isOne = (group: Group): boolean =>
      group.members.some(
        (member) => member.partner === partner && (users === null || users.has(member.uri)),
      );
    return this.#gms.groups
      .list()
      .filter(isOne)
      .map(({ id }) => id);
  }

  isProtected(group: string): boolean {
    return this.#view(group)?.group.protectMedia ?? false;
  }

  isMember(group: string, partner: string, user: string): boolean {
    const view = this.#view(group);
    return view !== undefined && memberOf(view.group, user)?.partner === partner;
  }

  partnersOf(group: string): string[] {
    const view = this.#view(group);
    return view === undefined ? [] : partnersOf(view.group);
  }

  etagOf(group: string): string | null {
    return this.#view(group)?.etag ?? null;
  }

  keysFor(
    partner: string,
    users: ReadonlySet<string> | null,
    groups: readonly string[],
  ): Promise<readonly KeyToSend[]> {
    return this.#gms.keysFor(partner, users, groups);
  }

  delivered(keys: readonly KeyToSend[]): Promise<void> {
    return this.#gms.delivered(keys.map(({ delivery }) => delivery));
  }

  #view(id: string): View | undefined {
    const group = this.#gms.groups.get(id);
    const known = this.#views.get(id);
    if (group === undefined) this.#views.delete(id);
    if (group === undefined || known?.group === group) return group && known;
    const { uri } = this.#config;
    const config = groupSchema.parse({
      id,
      gms: uri,
      pbx: group.pbx,
      ...(group.speaker !== null && { speaker: group.speaker }),
      members: group.members.map((member) => member.uri),
    });
    const view = { group, config, etag: this.#documents.of(group).etag };
    this.#views.set(id, view);
    return view;
  }
}
