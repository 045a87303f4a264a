/** What the edge uses of the group keys; src/clients provides it. */
import type { PartnerConfig } from '../../config/index.js';
import type { HeldKey } from '../../keys/index.js';

export interface GroupKeyToTake {
  /** octets of the I_MESSAGE */
  readonly message: Uint8Array;
  readonly partner: PartnerConfig;
  /** group that the transport names; null where it names none */
  readonly group: string | null;
  /** group that was regrouped into that one, where it is a temporary one */
  readonly constituent: string | null;
}

export interface GroupKeyTaken {
  readonly result: string;
  /** hex */
  readonly keyId: string;
  /** groups whose keys may have changed; none where nothing says whom the key is for */
  readonly groups: readonly string[];
}

export interface GroupsPort {
  /**
   * Takes a group key that the partner sent; a message that was used before changes nothing.
   * @throws SegyError SEGY_E_MIKEY_*, SEGY_E_NOT_GROUP_GMS, SEGY_E_KEY_CONFLICT and others, nothing changed
   */
  take(request: GroupKeyToTake): Promise<GroupKeyTaken>;
  /** every GMK held for a group, in whatever state */
  heldFor(partner: string, group: string): readonly HeldKey[];
  /** temporary groups into which a group is regrouped, as far as an active GMK is held for them */
  temporaryGroupsOf(partner: string, group: string): readonly string[];
  /** the GMK with which a represented user sends into a group now */
  sendingKey(partner: string, group: string, user: string): HeldKey | undefined;
  /** set by the edge; called when keys of these groups may have changed */
  onChange?: (partner: string, groups: readonly string[]) => void;
}
