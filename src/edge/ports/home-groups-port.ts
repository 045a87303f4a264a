/** What the edge uses of the groups that are homed here; src/gms provides it. */
import type { GroupConfig } from '../../config/index.js';

/** A key on its way to a member of one of our groups. */
export interface OutgoingKey {
  readonly delivery: {
    readonly group: string;
    readonly keyId: string;
    /** MC service ID */
    readonly member: string;
    readonly partner: string;
  };
  readonly keyType: string;
  /** octets of the I_MESSAGE */
  readonly message: Uint8Array;
  /** false when the user is a member no more: then it must not leave. Asked at the last moment. */
  isWanted(): boolean;
}

export interface HomeGroupsPort<Key extends OutgoingKey = OutgoingKey> {
  /** the group as calls see it; undefined where no such group is homed here */
  find(id: string): GroupConfig | undefined;
  /** the same by its name on the PBX */
  byPbxName(name: string): GroupConfig | undefined;
  /** groups of which these users of a partner are members; of the whole partner where `users` is null */
  groupsOf(partner: string, users: ReadonlySet<string> | null): readonly string[];
  /** its media goes under a GMK and never clear, whatever a partner's policy is */
  isProtected(group: string): boolean;
  isMember(group: string, partner: string, user: string): boolean;
  /** partners that have members in the group */
  partnersOf(group: string): readonly string[];
  /** entity tag of the group's document, with its quotes; null where the group is gone */
  etagOf(group: string): string | null;
  /** the messages by which members of a partner have every key of these groups */
  keysFor(
    partner: string,
    users: ReadonlySet<string> | null,
    groups: readonly string[],
  ): Promise<readonly Key[]>;
  /** notes that these were taken */
  delivered(keys: readonly Key[]): Promise<void>;
  /** set by the edge; called when a group changed or is gone */
  onChange?: (group: string) => void;
}
