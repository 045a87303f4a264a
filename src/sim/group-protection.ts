/**
 * SRTP of one member in a group call (TS 33.180 7.4.2): it sends under its own GUK-ID with the GMK
 * that is active, hears every talker whose MKI names a GMK it has, and follows both while the call
 * lasts.
 */
import { concatBytes, equalBytes, toHex, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { CS_ID, gukId, keyTypeOf, srtpKeys } from '../mikey/index.js';
import { SrtpReceiver, SrtpSender } from '../srtp/index.js';
import type { MkiResolver, SrtpFraming, SrtpKeyMaterial } from '../srtp/index.js';
import type { SimGroupKey, SimGroupKeys } from './group-keys.js';
import type { KeyExchange } from './party-media.js';
import type { Opened, Protection } from './protection.js';

const ID_OCTETS = 4;

export interface GroupMembership {
  readonly keys: SimGroupKeys;
  /** MC group ID */
  readonly group: string;
  /** MCPTT ID of the member */
  readonly user: string;
}

class GroupProtection implements Protection {
  /** hex of the MKIs under which something was heard: GMK-ID and the talker's GUK-ID */
  readonly talkers = new Set<string>();
  /** hex of the GMK-IDs under which something was sent */
  readonly sentWith = new Set<string>();
  readonly #membership: GroupMembership;
  readonly #ssrc: number;
  readonly #receiver: SrtpReceiver;
  readonly #unwatch: () => void;
  /** by key; one that was sent with once goes on where it stopped, as its indexes only grow */
  readonly #senders = new Map<string, SrtpSender>();

  constructor(membership: GroupMembership, ssrc: number) {
    this.#membership = membership;
    this.#ssrc = ssrc;
    this.#receiver = new SrtpReceiver({ resolver: new MemberKeys(membership) });
    this.#unwatch = membership.keys.onChange(() => this.#changed());
  }

  /** Null while no GMK is active: nothing is sent then. */
  protect(packet: Uint8Array, index: number): Uint8Array | null {
    return this.#sending()?.protect(packet, index) ?? null;
  }

  unprotect(packet: Uint8Array): Opened {
    const opened = this.#receiver.unprotect(packet);
    if (opened.ok) this.talkers.add(toHex(opened.mki));
    return opened;
  }

  protectRtcp(packet: Uint8Array): Uint8Array | null {
    return this.#sending()?.protectRtcp(packet) ?? null;
  }

  unprotectRtcp(packet: Uint8Array): Opened {
    return this.#receiver.unprotectRtcp(packet);
  }

  wipe(): void {
    this.#unwatch();
    for (const sender of this.#senders.values()) sender.wipe();
    this.#senders.clear();
    this.#receiver.wipe();
  }

  #sending(): SrtpSender | undefined {
    const { keys, group, user } = this.#membership;
    const key = keys.sending(group, user);
    if (key === undefined) return undefined;
    const name = `${toHex(key.keyId)} ${toHex(key.rand)}`;
    const held = this.#senders.get(name);
    if (held !== undefined) return held;
    const sender = new SrtpSender(materialOf(key, ownId(key)), { ssrc: this.#ssrc });
    this.#senders.set(name, sender);
    this.sentWith.add(toHex(key.keyId));
    return sender;
  }

  #changed(): void {
    const { keys, group, user } = this.#membership;
    const heard = keys.heard(group, user);
    for (const key of keys.list()) {
      if (!heard.includes(key)) this.#receiver.forgetMki(key.keyId);
    }
    this.#receiver.framingsChanged();
  }
}

/** Which SRTP keys an MKI stands for: the GMK that it names, and the talker's GUK-ID behind it. */
class MemberKeys implements MkiResolver {
  readonly #membership: GroupMembership;
  #last: SrtpKeyMaterial | undefined;

  constructor(membership: GroupMembership) {
    this.#membership = membership;
  }

  get framings(): readonly SrtpFraming[] {
    return this.#heard().map((key) => {
      const { suite, rocRate, mki } = materialOf(key, ownId(key));
      return { suite, rocRate, mkiLength: mki.length };
    });
  }

  resolve(mki: Uint8Array): readonly SrtpKeyMaterial[] {
    const csbId = mki.slice(ID_OCTETS);
    const key = this.#heard().find(({ keyId }) => equalBytes(keyId, mki.subarray(0, ID_OCTETS)));
    if (key === undefined || keyTypeOf(csbId) !== 'GMK' || equalBytes(csbId, ownId(key))) return [];
    if (this.#last !== undefined) wipe(this.#last.masterKey, this.#last.masterSalt);
    this.#last = materialOf(key, csbId);
    return [this.#last];
  }

  #heard(): SimGroupKey[] {
    const { keys, group, user } = this.#membership;
    return keys.heard(group, user);
  }
}

function ownId({ key, keyId, user }: SimGroupKey): Uint8Array {
  return gukId(key, keyId, user);
}

function materialOf({ key, keyId, rand, policy }: SimGroupKey, csbId: Uint8Array): SrtpKeyMaterial {
  const isCounterMode = policy.encryption === 'AES-CM';
  return {
    suite: isCounterMode ? 'AES_CM_128_HMAC_SHA1_80' : 'AEAD_AES_128_GCM',
    ...srtpKeys({ key, csbId, rand, csId: CS_ID.mcpttGroup, saltLength: isCounterMode ? 14 : 12 }),
    mki: concatBytes(keyId, csbId),
    rocRate: policy.roc?.rate ?? 0,
  };
}

/** A group call brings no key: its members have the GMK. */
export class GroupExchange implements KeyExchange {
  readonly membership: GroupMembership;
  #protection: GroupProtection | undefined;

  constructor(membership: GroupMembership) {
    this.membership = membership;
  }

  /** Hex of the MKIs under which something was heard. */
  get talkers(): readonly string[] {
    return [...(this.#protection?.talkers ?? [])];
  }

  /** Hex of the GMK-IDs under which something was sent. */
  get sentWith(): readonly string[] {
    return [...(this.#protection?.sentWith ?? [])];
  }

  /** @throws SegyError SEGY_E_NO_GROUP_KEY */
  offer(): Promise<undefined> {
    this.#require();
    return Promise.resolve(undefined);
  }

  /** @throws SegyError SEGY_E_NO_GROUP_KEY, SEGY_E_MIKEY_KEY_TYPE where the offer brings a key */
  take(keyMgmt: string | undefined): Promise<void> {
    this.#require();
    if (keyMgmt !== undefined) {
      throw new SegyError('SEGY_E_MIKEY_KEY_TYPE', 'a group call brings no key of its own');
    }
    return Promise.resolve();
  }

  protection(ssrc: number): GroupProtection {
    this.#protection ??= new GroupProtection(this.membership, ssrc);
    return this.#protection;
  }

  wipe(): void {
    this.#protection?.wipe();
  }

  #require(): void {
    const { keys, group, user } = this.membership;
    if (keys.sending(group, user) === undefined) {
      throw new SegyError('SEGY_E_NO_GROUP_KEY', `${user} has no GMK of ${group}`);
    }
  }
}
