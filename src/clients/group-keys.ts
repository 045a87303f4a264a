/**
 * Group keys for the represented users: GMKs (and MKFC, MSCCK, MuSiK) that a partner's GMS sends
 * them (TS 33.180 5.7, 5.8), checked whole and kept in the key ring. Every rule of trust for a group
 * key is here; whoever brings a message gets what it changed, or one refusal.
 */
import type { Clock, Log, TimerHandle, Timers } from '../base/environment.js';
import { equalBytes, toHex, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import type { EccsiVerifier, SlowCrypto } from '../crypto/index.js';
import { sendingKeyTag, stateOf } from '../keys/index.js';
import type { EnterResult, HeldKey, KeyRing } from '../keys/index.js';
import { uidOf } from '../kms/index.js';
import type { KmsCertificate, KmsKeySet } from '../kms/index.js';
import {
  CS_ID,
  gukId,
  ntpToUnixMs,
  openIMessage,
  parseIMessage,
  periodsAround,
  readFacts,
  srtpKeys,
} from '../mikey/index.js';
import type { KeyType, MessageFacts, OpenedKey, Tolerances } from '../mikey/index.js';
import type { Directory } from './directory.js';
import { domainAllowed, PartnerTrust } from './partner-trust.js';
import type { TrustedPartner } from './partner-trust.js';
import { heldKeyOf } from './received-group-key.js';
import type {
  KeyAudit,
  OwnDomain,
  PartnerCertificates,
  ReplayRecord,
  UserKeySets,
} from './ports.js';

/** Keys that reach a group's members by themselves, outside any call. */
const GROUP_KEY_TYPES: readonly KeyType[] = ['GMK', 'MKFC', 'MSCCK', 'MuSiK'];
/** A group key belongs to no dialog: it may come again in any, and changes nothing then. */
const NO_DIALOG = 'group-key';
/** Timers of the platform wrap at 2^31 ms; looking again after an hour costs nothing. */
const MAX_TIMER_MS = 3_600_000;

/** A talkgroup as far as its keys go; the configuration's group has these fields. */
export interface KeyedGroup {
  readonly id: string;
  /** the one GMS that keys it; any of the partner's when absent */
  readonly gms?: string | undefined;
}

/** What must be known of a partner that keys groups. */
export interface GroupPartner extends TrustedPartner {
  readonly tolerances: Tolerances;
  readonly windows: { readonly gmkAheadSeconds: number };
  /** identities that may sign group keys */
  readonly gms: readonly string[];
  readonly groups: readonly KeyedGroup[];
}

export interface TakeGroupKeyRequest {
  /** octets of the I_MESSAGE */
  readonly message: Uint8Array;
  readonly partner: GroupPartner;
  /** group that the transport names (the id of a GKTP); null where it names none */
  readonly group: string | null;
  /** group that was regrouped into that one, where it is a temporary one; absent or null: none */
  readonly constituent?: string | null;
  readonly signal?: AbortSignal;
}

/** What a message did. */
export interface TakenGroupKey {
  /** `replayed`: the same message was used before */
  readonly result: EnterResult | 'replayed';
  readonly keyType: KeyType;
  /** hex of the K-ID; empty for a replayed message, which is not opened again */
  readonly keyId: string;
  /** groups whose keys may have changed */
  readonly groups: readonly string[];
}

export interface GroupKeysOptions {
  readonly directory: Directory;
  readonly keySets: UserKeySets;
  readonly domain: OwnDomain;
  readonly certificates: PartnerCertificates;
  readonly replay: ReplayRecord;
  readonly audit: KeyAudit;
  readonly ring: KeyRing;
  readonly slow: SlowCrypto;
  readonly verifier: EccsiVerifier;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly sending: SentSources;
}

/** What was sent under a key; src/keys provides it. */
export interface SentSources {
  forget(keyTags: readonly string[]): Promise<void>;
}

export class GroupKeys {
  readonly #options: GroupKeysOptions;
  readonly #trust: PartnerTrust;
  #timer: TimerHandle | undefined;
  /**
   * The keys of these groups may have changed: by a message, because one became active, or because
   * one ended.
   */
  onChange?: (partner: string, groups: readonly string[]) => void;
  /** groups that are homed here: their keys are made here and taken from nobody */
  isHomed: (group: string) => boolean = () => false;

  /** Takes over the ring's `onEnd`. */
  constructor(options: GroupKeysOptions) {
    this.#options = options;
    this.#trust = new PartnerTrust(options.domain, options.certificates);
    options.ring.onEnd = (key, why) => {
      if (why === 'revoked') this.#forgetSending(key);
      this.onChange?.(key.partner, key.groups);
    };
    this.#awaitActivation();
  }

  /** Every GMK held for a group, pending and revoked ones too. */
  heldFor(partner: string, group: string): HeldKey[] {
    return this.#options.ring
      .list()
      .filter((key) => key.keyType === 'GMK' && key.partner === partner)
      .filter((key) => key.groups.includes(group));
  }

  /** Temporary groups into which a group is regrouped now: those that an active GMK serves. */
  temporaryGroupsOf(partner: string, group: string): string[] {
    const now = this.#options.clock.now();
    return this.#options.ring
      .list()
      .filter((key) => key.keyType === 'GMK' && key.partner === partner)
      .filter((key) => key.constituents?.includes(group) === true)
      .filter((key) => stateOf(key, now) === 'active')
      .flatMap((key) => key.groups);
  }

  /** The GMK with which `user` sends into a group now; undefined where it has none. */
  sendingKey(partner: string, group: string, user: string): HeldKey | undefined {
    const { ring } = this.#options;
    return ring
      .ofGroup(partner, group)
      .find((key) => key.keyType === 'GMK' && key.holders.includes(user));
  }

  /** Ends the timers; the ring stays its owner's to close. */
  close(): void {
    if (this.#timer !== undefined) this.#options.timers.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Opens a group key meant for a represented user and takes it into the ring.
   * @throws SegyError SEGY_E_MIKEY_* of the first check that failed, SEGY_E_NOT_GROUP_GMS when the
   *   signer does not key the group, SEGY_E_IDENTITY_MISMATCH when the transport names another group
   *   than the key, SEGY_E_KEY_CONFLICT, SEGY_E_AUDIT, SEGY_E_STORE, SEGY_E_BUSY. Nothing changed then.
   */
  async take(request: TakeGroupKeyRequest): Promise<TakenGroupKey> {
    const { message, partner } = request;
    const { clock, ring } = this.#options;
    const facts = readFacts(parseIMessage(message), partner.tolerances);
    const timestampMs = ntpToUnixMs(facts.timestamp, clock.now());
    const gms = this.#gmsOf(facts, partner, timestampMs);
    const replay = this.#replayOf(timestampMs);
    const opened = await this.#open(request, facts, { gms, timestampMs, replay });
    try {
      const held = heldKeyOf(opened, request, gms, clock.now());
      if (held.groups.some((group) => this.isHomed(group))) {
        throw new SegyError('SEGY_E_NOT_GROUP_GMS', `${gms} keys a group that is homed here`);
      }
      const before = ring.find({ partner: partner.name, keyId: opened.keyId });
      const result = await this.#enter(held, replay.seenBefore);
      const groups = [...new Set([...(before?.groups ?? []), ...held.groups])];
      if (result !== 'replayed') {
        this.onChange?.(partner.name, groups);
        this.#awaitActivation();
      }
      return { result, keyType: held.keyType, keyId: toHex(held.keyId), groups };
    } finally {
      opened.wipe();
    }
  }

  /**
   * Takes in a key that was made here, as a message would bring it.
   * @throws SegyError SEGY_E_MIKEY_REVOKED, SEGY_E_MIKEY_EXPIRED, SEGY_E_KEY_CONFLICT, SEGY_E_STORE
   */
  async adopt(made: HeldKey): Promise<void> {
    await this.#options.ring.enter(made);
    this.onChange?.(made.partner, made.groups);
    this.#awaitActivation();
  }

  async #enter(held: HeldKey, seenBefore: boolean): Promise<TakenGroupKey['result']> {
    try {
      const result = await this.#options.ring.enter(held);
      return seenBefore && result === 'unchanged' ? 'replayed' : result;
    } catch (error) {
      const code = error instanceof SegyError ? error.code : undefined;
      const isPast = held.expiry !== null && held.expiry.getTime() <= this.#options.clock.now();
      const endedSince =
        code === 'SEGY_E_MIKEY_REVOKED' || (code === 'SEGY_E_MIKEY_EXPIRED' && !isPast);
      if (seenBefore && endedSince) return 'replayed';
      throw error;
    }
  }

  #open(
    { message, partner, signal }: TakeGroupKeyRequest,
    facts: MessageFacts,
    { gms, timestampMs, replay }: { gms: string; timestampMs: number; replay: GroupReplay },
  ): Promise<OpenedKey> {
    const { audit, clock, slow, verifier } = this.#options;
    const aheadMs = partner.windows.gmkAheadSeconds * 1000;
    return openIMessage(message, {
      clock,
      slow,
      verifier,
      tolerances: partner.tolerances,
      caller: partner.name,
      from: gms,
      keyTypes: GROUP_KEY_TYPES,
      allowEnded: true,
      window: { aheadMs, behindMs: aheadMs, groupAheadMs: aheadMs },
      findCertificate: (kmsUri) => this.#trust.findCertificate(kmsUri),
      allowInitiatorKms: (certificate) => this.#trust.isKmsOf(partner, certificate),
      initiatorDomainAllowed: (uri, certificate) => domainAllowed(uri, certificate, partner),
      findKeySets: (kmsUri) => this.#keySetsFor(facts, kmsUri, timestampMs),
      replay,
      beforeKeyUse: (use) =>
        audit.record({
          action: 'received',
          keyType: use.keyType,
          keyId: toHex(use.keyId),
          initiator: gms,
          responder: use.responderUri,
          partner: partner.name,
          dialog: '',
          message: use.replayId,
        }),
      ...(signal && { signal }),
    });
  }

  /** What was sent under a key that can never come back need not be remembered. */
  #forgetSending({ keyType, key, keyId, rand, otherRands, holders, policy }: HeldKey): void {
    if (keyType !== 'GMK') return;
    const tags = [rand, ...otherRands].flatMap((each) =>
      holders.map((user) => {
        const csbId = gukId(key, keyId, user);
        const { keyLength, saltLength } = policy;
        const input = { key, csbId, rand: each, csId: CS_ID.mcpttGroup, keyLength, saltLength };
        const { masterKey, masterSalt } = srtpKeys(input);
        const tag = sendingKeyTag(masterKey, masterSalt);
        wipe(masterKey, masterSalt);
        return tag;
      }),
    );
    this.#options.sending.forget(tags).catch((error: unknown) => {
      this.#options.log.warn('keys.sending.failed', { reason: String(error) });
    });
  }

  /** Tells when the next pending key becomes active. */
  #awaitActivation(): void {
    this.close();
    const { ring, clock, timers } = this.#options;
    const now = clock.now();
    const pending = ring.list().filter((key) => stateOf(key, now) === 'pending');
    if (pending.length === 0) return;
    const next = Math.min(...pending.map((key) => key.activation.getTime()));
    this.#timer = timers.setTimeout(
      () => {
        const at = clock.now();
        for (const key of pending) {
          if (stateOf(key, at) === 'active') this.onChange?.(key.partner, key.groups);
        }
        this.#awaitActivation();
      },
      Math.min(next - now, MAX_TIMER_MS),
    );
  }

  #replayOf(timestampMs: number): GroupReplay {
    const { replay, domain } = this.#options;
    // A group key may come for as long as T lies in the current or the previous key period.
    const lastsMs = 2 * Number(domain.certificate.userKeyPeriod) * 1000;
    const record: GroupReplay = {
      seenBefore: false,
      seen: (id) => {
        const dialog = replay.dialogOf(id);
        if (dialog === undefined) return 'new';
        if (dialog !== NO_DIALOG) return 'replayed';
        record.seenBefore = true;
        return 'same-dialog';
      },
      enter: (id) => replay.enter(id, NO_DIALOG, timestampMs + lastsMs),
    };
    return record;
  }

  /**
   * The configured GMS that signed, or claims to have: a hidden one is recomputed.
   * @throws SegyError SEGY_E_NOT_GROUP_GMS
   */
  #gmsOf({ initiator, initiatorKms }: MessageFacts, partner: GroupPartner, atMs: number): string {
    const known = new Set([...partner.gms, ...partner.groups.flatMap(({ gms }) => gms ?? [])]);
    if (initiator.kind === 'visible') {
      if (known.has(initiator.uri)) return initiator.uri;
      throw new SegyError(
        'SEGY_E_NOT_GROUP_GMS',
        `${initiator.uri} is no GMS of partner ${partner.name}`,
      );
    }
    const certificate = this.#trust.findCertificate(initiatorKms);
    if (certificate === undefined) {
      throw new SegyError('SEGY_E_MIKEY_KMS_UNKNOWN', `IDRkmsi ${initiatorKms} is not trusted`);
    }
    for (const uri of known) {
      if (hasUid(certificate, uri, initiator.uid, atMs)) return uri;
    }
    throw new SegyError(
      'SEGY_E_NOT_GROUP_GMS',
      `the hidden initiator is no GMS of partner ${partner.name}`,
    );
  }

  /** Key sets of the one user the message is for; none when nobody here is. */
  async #keySetsFor(
    { responder }: MessageFacts,
    kmsUri: string,
    atMs: number,
  ): Promise<readonly KmsKeySet[]> {
    const { directory, domain, keySets } = this.#options;
    if (kmsUri !== domain.certificate.kmsUri) return [];
    const user =
      responder.kind === 'visible'
        ? directory.byUri(responder.uri)
        : [...directory.users].find(({ uri }) =>
            hasUid(domain.certificate, uri, responder.uid, atMs),
          );
    return user === undefined ? [] : keySets.around(user.uri, atMs);
  }
}

/** The replay record as a group key uses it. */
interface GroupReplay {
  seenBefore: boolean;
  seen(id: string): 'new' | 'same-dialog' | 'replayed';
  enter(id: string): Promise<void>;
}

function hasUid(certificate: KmsCertificate, uri: string, uid: Uint8Array, atMs: number): boolean {
  return periodsAround(certificate, atMs).some((period) =>
    equalBytes(uidOf(certificate, uri, period), uid),
  );
}
