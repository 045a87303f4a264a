/**
 * The keys of one group call: who is heard under which GMK, and with which GMK the radio side's
 * speaker sends (TS 33.180 7.4.2). They follow the key ring while the call lasts.
 */
import { concatBytes, toHex, wipe } from '../../base/bytes.js';
import type { Log } from '../../base/environment.js';
import { toSegyError, type SegyError } from '../../base/errors.js';
import type { GroupConfig } from '../../config/index.js';
import type { HeldKey } from '../../keys/index.js';
import { isRevoked } from '../../keys/index.js';
import type { GroupKey } from '../../media/index.js';
import { CS_ID, gukId, srtpKeys } from '../../mikey/index.js';
import type { SrtpKeyMaterial } from '../../srtp/index.js';
import { suiteOf } from '../srtp-suite.js';
import type { GroupsPort } from '../ports/groups-port.js';
import type { CallMediaSession } from '../ports/media-port.js';

/** GMKs that ended during the call and whose late packets are still counted as such. */
const MAX_ENDED = 16;
/** GMKs that are heard, those activated last; a GMS that gives no expiry adds one with each roll. */
const MAX_USABLE = 40;
/** GMKs whose packets are counted as revoked, those revoked last. */
const MAX_REVOKED = 8;
/** Members whose GUK-IDs the media knows beforehand, the first of those configured. */
const MAX_KNOWN_MEMBERS = 500;

export interface GroupMediaInit {
  readonly groups: GroupsPort;
  readonly log: Log;
  readonly partner: string;
  readonly group: GroupConfig;
  /** MC service ID that sends for the radio side; null where nobody can */
  readonly speaker: string | null;
}

type Send = { readonly key: SrtpKeyMaterial } | null;

export class GroupMedia {
  readonly partner: string;
  readonly group: GroupConfig;
  readonly #init: GroupMediaInit;
  /** the media may go on under keys that have ended: the call has to end */
  onFailed?: (error: SegyError) => void;
  readonly #ended = new Map<string, GroupKey>();
  /** GUK-IDs of the configured members, by GMK-ID */
  readonly #members = new Map<string, Uint32Array>();
  #given = new Map<string, GroupKey>();
  #sendingId = '';
  #session: CallMediaSession | null = null;
  #queue: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(init: GroupMediaInit) {
    this.#init = init;
    this.partner = init.partner;
    this.group = init.group;
  }

  /** MC service ID that sends for the radio side; null where nobody can. */
  get speaker(): string | null {
    return this.#init.speaker;
  }

  /** Hex of the GMK-ID that is sent with, else of one that is heard; null without any. */
  get keyId(): string | null {
    return this.#sending()?.id ?? this.#usable()[0]?.id ?? null;
  }

  /** Arms the session with what is held now. What changes meanwhile follows. */
  arm(session: CallMediaSession, clockRates: Readonly<Record<number, number>>): Promise<void> {
    const armed = this.#queue.then(() => this.#arm(session, clockRates));
    this.#queue = armed.catch(() => undefined);
    return armed;
  }

  /** Takes what changed in the key ring into the call, between two packets. */
  refresh(): void {
    this.#queue = this.#queue
      .then(() => this.#refresh())
      .catch((error: unknown) => {
        const failure = toSegyError(error);
        const { code, message } = failure;
        this.#init.log.error('group.keys.failed', { group: this.group.id, code, message });
        if (!this.#closed) this.onFailed?.(failure);
      });
  }

  /** Who talks: the configured member whose GUK-ID the MKI (hex) names, else that GUK-ID in hex. */
  talkerOf(mki: string): string {
    const [gmkId, talker] = [mki.slice(0, 8), mki.slice(8)];
    const key = this.#held().find((held) => toHex(held.keyId) === gmkId);
    if (key === undefined || isRevoked(key)) return talker;
    const { members } = this.group;
    const known = members[this.#membersUnder(key).indexOf(Number.parseInt(talker, 16))];
    const isTalker = (uri: string): boolean => toHex(gukId(key.key, key.keyId, uri)) === talker;
    return known ?? members.slice(MAX_KNOWN_MEMBERS).find(isTalker) ?? talker;
  }

  close(): void {
    this.#closed = true;
    this.#session = null;
    this.#given.clear();
    this.#ended.clear();
    this.#members.clear();
  }

  async #arm(
    session: CallMediaSession,
    clockRates: Readonly<Record<number, number>>,
  ): Promise<void> {
    // the call may have ended since, and its session with it
    if (this.#closed) return;
    this.#session = session;
    const group = this.#receiving();
    const send = this.#newSend();
    try {
      await session.arm({ receive: { group }, send: send ?? { none: true }, clockRates });
    } finally {
      wipeSend(send ?? null);
    }
  }

  async #refresh(): Promise<void> {
    const session = this.#session;
    if (session === null || this.#closed) return;
    const keys = this.#receiving();
    const send = this.#newSend();
    try {
      await session.changeGroup({ keys, ...(send !== undefined && { send }) });
    } finally {
      wipeSend(send ?? null);
    }
  }

  #held(): readonly HeldKey[] {
    return this.#init.groups.heldFor(this.partner, this.group.id);
  }

  #usable(): { readonly id: string }[] {
    return this.#held()
      .filter((key) => !isRevoked(key))
      .map((key) => ({ id: toHex(key.keyId) }));
  }

  #sending(): { readonly id: string; readonly held: HeldKey; readonly speaker: string } | null {
    const { groups, speaker } = this.#init;
    if (speaker === null) return null;
    const held = groups.sendingKey(this.partner, this.group.id, speaker);
    return held === undefined ? null : { id: toHex(held.keyId), held, speaker };
  }

  /** Keys to hear with: those held, pending ones too, and what ended since they were given. */
  #receiving(): GroupKey[] {
    const now = new Map(
      mostRecent(this.#held()).map((held) => [toHex(held.keyId), this.#groupKeyOf(held)]),
    );
    for (const id of this.#members.keys()) if (!now.has(id)) this.#members.delete(id);
    for (const [id, key] of this.#given) {
      if (!now.has(id) && key.state !== 'revoked')
        this.#ended.set(id, { ...keyless(key), state: 'expired' });
    }
    for (const id of now.keys()) this.#ended.delete(id);
    for (const id of [...this.#ended.keys()].slice(0, -MAX_ENDED)) this.#ended.delete(id);
    this.#given = new Map([...now].map(([id, key]) => [id, keyless(key)]));
    return [...now.values(), ...this.#ended.values()];
  }

  #groupKeyOf(held: HeldKey): GroupKey {
    const { keyId, key, policy, holders } = held;
    const usable = !isRevoked(held);
    return {
      gmkId: keyId,
      state: usable ? 'usable' : 'revoked',
      gmk: key,
      rands: usable ? [held.rand, ...held.otherRands] : [],
      own: usable ? holders.map((uri) => gukId(key, keyId, uri)) : [],
      ...(usable && { members: this.#membersUnder(held) }),
      suite: suiteOf(policy),
      rocRate: policy.roc?.rate ?? 0,
      csId: CS_ID.mcpttGroup,
    };
  }

  /** GUK-IDs of the first configured members, in their order; made once for each key. */
  #membersUnder({ key, keyId }: HeldKey): Uint32Array {
    const id = toHex(keyId);
    const known = this.#members.get(id);
    if (known !== undefined) return known;
    const members = this.group.members.slice(0, MAX_KNOWN_MEMBERS);
    const made = Uint32Array.from(members, (uri) =>
      Buffer.from(gukId(key, keyId, uri)).readUInt32BE(),
    );
    this.#members.set(id, made);
    return made;
  }

  /** The key to send with, where it changed: null for none any more, undefined for no change. */
  #newSend(): Send | undefined {
    const sending = this.#sending();
    const id = sending === null ? '' : sendingIdOf(sending);
    if (id === this.#sendingId) return undefined;
    this.#sendingId = id;
    if (sending === null) return null;
    return { key: sendingMaterial(sending.held, sending.speaker) };
  }
}

/** As many of the keys of a group as the media take, in their order. */
function mostRecent(held: readonly HeldKey[]): readonly HeldKey[] {
  const latest = (keys: readonly HeldKey[], time: 'activation' | 'stamp', most: number) =>
    keys.toSorted((a, b) => b[time].getTime() - a[time].getTime()).slice(0, most);
  const chosen = new Set([
    ...latest(
      held.filter((key) => !isRevoked(key)),
      'activation',
      MAX_USABLE,
    ),
    ...latest(held.filter(isRevoked), 'stamp', MAX_REVOKED),
  ]);
  return held.filter((key) => chosen.has(key));
}

/** Changes with whatever the sending depends on. */
function sendingIdOf({ id, held: { rand, policy } }: { id: string; held: HeldKey }): string {
  return `${id}/${toHex(rand)}/${suiteOf(policy)}/${policy.roc?.rate ?? 0}`;
}

/** What is remembered of a key that was given to the media. */
function keyless(key: GroupKey): GroupKey {
  return { ...key, gmk: new Uint8Array(), rands: [], members: new Uint32Array() };
}

function sendingMaterial(held: HeldKey, speaker: string): SrtpKeyMaterial {
  const { key, keyId, rand, policy } = held;
  const csbId = gukId(key, keyId, speaker);
  const { keyLength, saltLength } = policy;
  return {
    suite: suiteOf(policy),
    ...srtpKeys({ key, csbId, rand, csId: CS_ID.mcpttGroup, keyLength, saltLength }),
    mki: concatBytes(keyId, csbId),
    rocRate: policy.roc?.rate ?? 0,
  };
}

function wipeSend(send: Send): void {
  if (send !== null) wipe(send.key.masterKey, send.key.masterSalt);
}
