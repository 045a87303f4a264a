/** Groups that are homed here, as the notifier sees them: their members, entity tags and keys. */
import type { HomeGroupsPort, OutgoingKey } from '../../../src/edge/ports/home-groups-port.js';

export interface FakeMember {
  readonly partner: string;
  readonly user: string;
}

interface FakeGroup {
  etag: string;
  readonly members: FakeMember[];
}

export class FakeHomeGroups implements HomeGroupsPort {
  readonly groups = new Map<string, FakeGroup>();
  readonly taken: string[] = [];
  /** types of the keys that each group has */
  keyTypes = ['GMK'];
  onChange?: (group: string) => void;

  put(id: string, etag: string, ...members: FakeMember[]): void {
    this.groups.set(id, { etag: `"${etag}"`, members });
    this.onChange?.(id);
  }
  delete(id: string): void {
    this.groups.delete(id);
    this.onChange?.(id);
  }
  find(id: string): ReturnType<HomeGroupsPort['find']> {
    if (!this.groups.has(id)) return undefined;
    const rules = { withoutKey: 'refuse', whenRegrouped: 'own' } as const;
    return { id, pbx: 'tg1', ...rules, members: [], affiliate: [] };
  }
  byPbxName(): undefined {
    return undefined;
  }
  groupsOf(partner: string, users: ReadonlySet<string> | null): string[] {
    return [...this.groups.keys()].filter((id) => this.#among(id, partner, users).length > 0);
  }
  isProtected(): boolean {
    return true;
  }
  isMember(group: string, partner: string, user: string): boolean {
    return this.#among(group, partner, new Set([user])).length > 0;
  }
  partnersOf(group: string): string[] {
    return [...new Set(this.groups.get(group)?.members.map(({ partner }) => partner))];
  }
  etagOf(group: string): string | null {
    return this.groups.get(group)?.etag ?? null;
  }
  keysFor(
    partner: string,
    users: ReadonlySet<string> | null,
    groups: readonly string[],
  ): Promise<OutgoingKey[]> {
    return Promise.resolve(
      groups.flatMap((group) =>
        this.#among(group, partner, users).flatMap(({ user }) =>
          this.keyTypes.map((keyType) => this.keyOf(keyType, group, { partner, user })),
        ),
      ),
    );
  }
  delivered(keys: readonly OutgoingKey[]): Promise<void> {
    this.taken.push(...keys.map(({ keyType, delivery }) => `${keyType} ${delivery.member}`));
    return Promise.resolve();
  }
  /** A pretended message: it says what it is; the octets after it are no text. */
  keyOf(keyType: string, group: string, { partner, user }: FakeMember): OutgoingKey {
    return {
      delivery: { group, keyId: '0a000001', member: user, partner },
      keyType,
      message: messageOf(keyType, user),
      isWanted: () => this.isMember(group, partner, user),
    };
  }
  #among(group: string, partner: string, users: ReadonlySet<string> | null): FakeMember[] {
    return (this.groups.get(group)?.members ?? []).filter(
      (each) => each.partner === partner && users?.has(each.user) !== false,
    );
  }
}

export function messageOf(keyType: string, user: string): Uint8Array {
  return new Uint8Array([...Buffer.from(`${keyType} for ${user}`), 0, 13, 10, 255]);
}
