/**
 * The notifier of our groups' documents (`Event: xcap-diff`, RFC 5875, TS 24.481): members' clients
 * and partners' GMSs subscribe, are told of every change, and get the keys of their groups.
 */
import { SegyError, toSegyError } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import {
  createResponse,
  type ServerTransaction,
  type SipRequest,
  type SipResponse,
} from '../../sip/index.js';
import { bodyOf, contentOf } from '../messages/bodies.js';
import { ownContact } from '../messages/contact.js';
import type { EdgeDependencies } from '../dependencies.js';
import { wayOf } from '../interfaces.js';
import { groupOfEntry, writeDocumentDiff, type DocumentChange } from '../messages/document-diff.js';
import { GroupSubscription, subscriptionKey } from './group-subscription.js';
import type { HomeGroupsPort, OutgoingKey } from '../ports/home-groups-port.js';
import { keyParts, outgoingPart, type OutgoingPart } from './key-parts.js';
import {
  MCPTT_INFO_TYPE,
  readEntries,
  readMcpttInfo,
  RESOURCE_LISTS_TYPE,
} from '../messages/mcptt-info.js';
import { faultOf } from '../partners/protected.js';

const LEAST_SECONDS = 60;
const DEFAULT_SECONDS = 3600;
/** Keys in one NOTIFY; what is more comes in the next. */
const MAX_KEYS = 32;

export interface NotifierSettings {
  readonly xcapRoot: string;
  /** longest subscription that is granted, in seconds */
  readonly longestSeconds: number;
}

export class GroupNotifier<Key extends OutgoingKey = OutgoingKey> {
  readonly #deps: EdgeDependencies;
  readonly #groups: HomeGroupsPort<Key>;
  readonly #settings: NotifierSettings;
  readonly #subscriptions = new Map<string, GroupSubscription>();

  /** Takes over `onChange` of the groups. */
  constructor(deps: EdgeDependencies, groups: HomeGroupsPort<Key>, settings: NotifierSettings) {
    this.#deps = deps;
    this.#groups = groups;
    this.#settings = settings;
    groups.onChange = (group) => this.#changed(group);
  }

  /** Ends every subscription, so that the subscribers ask anew when we are back. */
  async stop(): Promise<void> {
    await Promise.all([...this.#subscriptions.values()].map((each) => each.end('deactivated')));
  }

  /** How many subscriptions stand, by partner. */
  get size(): number {
    return this.#subscriptions.size;
  }

  /**
   * A SUBSCRIBE outside a dialog.
   * @throws SegyError SEGY_E_NOT_GROUP_MEMBER, SEGY_E_SIP_BODY, SEGY_E_SIP_SYNTAX, SEGY_E_XML, SEGY_E_BUSY
   */
  subscribe(uas: ServerTransaction, partner: PartnerConfig): void {
    const { request } = uas;
    const seconds = this.#requested(uas, partner);
    if (seconds === null) return;
    const users = this.#subscriberOf(request, partner);
    const subscription = new GroupSubscription(this.#deps, {
      uas,
      partner,
      users,
      named: namedGroups(request, partner),
      takesKeys: takesKeys(request),
      onEnded: (ended) => this.#subscriptions.delete(ended.key),
    });
    if (this.#groupsOf(subscription).length === 0) {
      throw new SegyError('SEGY_E_NOT_GROUP_MEMBER', 'the subscriber is in none of these groups');
    }
    const held = [...this.#subscriptions.values()].filter((each) => each.partner === partner);
    if (held.length >= partner.distribution.subscriptions) {
      throw new SegyError('SEGY_E_BUSY', 'the partner has too many subscriptions');
    }
    this.#accept(uas, subscription, seconds);
  }

  /** The subscription that a request within a dialog belongs to. */
  find(request: SipRequest, partner: PartnerConfig): GroupSubscription | undefined {
    const { headers } = request;
    const key = subscriptionKey(partner, headers.get('Call-ID') ?? '', headers.get('To') ?? '');
    const found = this.#subscriptions.get(key);
    return found?.owns(request, partner) === true ? found : undefined;
  }

  /** A SUBSCRIBE within its dialog: a refresh, or the end. */
  refresh(uas: ServerTransaction, subscription: GroupSubscription): void {
    const seconds = this.#requested(uas, subscription.partner);
    if (seconds === null) return;
    if (!subscription.isOfEvent(uas.request)) {
      uas.respond(createResponse(uas.request, 481));
      return;
    }
    if (!subscription.isInOrder(uas.request)) {
      uas.respond(createResponse(uas.request, 500));
      return;
    }
    subscription.refreshTarget(uas.request);
    this.#accept(uas, subscription, seconds);
  }

  /** The subscription by which a member's keys go out: its own, else that of its partner's GMS. */
  subscriptionFor({ partner, member, group }: OutgoingKey['delivery']): GroupSubscription | null {
    let ofGms: GroupSubscription | null = null;
    for (const each of this.#subscriptions.values()) {
      if (each.partner.name !== partner || !each.takesKeys) continue;
      if (each.named !== null && !each.named.includes(group)) continue;
      if (each.users?.has(member) === true) return each;
      if (each.users === null) ofGms = each;
    }
    return ofGms;
  }

  /** Sends keys in a NOTIFY. @returns its answer, null where nothing was left to say @throws SegyError */
  send(subscription: GroupSubscription, keys: readonly OutgoingKey[]): Promise<SipResponse | null> {
    return subscription.notify(() => {
      const wanted = keys.filter((key) => key.isWanted());
      if (wanted.length === 0) return null;
      return [
        ...this.#diffPart(subscription, this.#changesFor(subscription)),
        ...keyParts(wanted, subscription.partner),
      ];
    });
  }

  #accept(uas: ServerTransaction, subscription: GroupSubscription, seconds: number): void {
    const { settings, env } = this.#deps;
    const response = createResponse(uas.request, 200);
    response.headers.set('Expires', String(seconds));
    response.headers.set('Contact', ownContact(settings, 'outer', wayOf(uas.source), 'caller'));
    uas.respond(response);
    if (seconds === 0) {
      // a subscription without a time is one look (RFC 6665 clause 4.4.3)
      void subscription.end('timeout', () =>
        this.#diffPart(subscription, this.#wholeState(subscription)),
      );
      return;
    }
    const isNew = !this.#subscriptions.has(subscription.key);
    this.#subscriptions.set(subscription.key, subscription);
    subscription.stand(seconds);
    env.metrics.gauge('segy_gms_subscriptions', this.#subscriptions.size);
    // a refresh is answered with the whole state; what was taken before is not sent again
    this.#first(subscription, isNew).catch((error: unknown) => this.#failed(subscription, error));
  }

  /** The state of all documents, and with a new subscription the keys of its groups. */
  async #first(subscription: GroupSubscription, withKeys: boolean): Promise<void> {
    const { users, partner } = subscription;
    const groups = this.#groupsOf(subscription);
    const keys =
      withKeys && subscription.takesKeys
        ? [...(await this.#groups.keysFor(partner.name, users, groups))]
        : [];
    let isFirst = true;
    do {
      const batch = keys.splice(0, MAX_KEYS);
      const changes = isFirst ? this.#wholeState(subscription) : [];
      isFirst = false;
      const response = await subscription.notify(() => {
        const wanted = batch.filter((key) => key.isWanted());
        return [...this.#diffPart(subscription, changes), ...keyParts(wanted, partner)];
      });
      if (response !== null && isTaken(response)) await this.#groups.delivered(batch);
    } while (keys.length > 0 && subscription.isActive);
  }

  /** Tells of a changed document whoever may know it, and ends what nobody may know any more. */
  #changed(group: string): void {
    for (const each of [...this.#subscriptions.values()]) {
      if (this.#groupsOf(each).length === 0) {
        void each.end(this.#groups.find(group) === undefined ? 'noresource' : 'rejected');
        continue;
      }
      each
        .notify(() => {
          const changes = this.#changesFor(each);
          return changes.length === 0 ? null : this.#diffPart(each, changes);
        })
        .catch((error: unknown) => this.#failed(each, error));
    }
  }

  #failed({ partner }: GroupSubscription, error: unknown): void {
    const { code, message } = toSegyError(error);
    this.#deps.env.log.warn('subscription.notify.failed', { partner: partner.name, code, message });
  }

  /** Every document of a subscription, as if none had been told of. */
  #wholeState(subscription: GroupSubscription): DocumentChange[] {
    subscription.told.clear();
    return this.#changesFor(subscription);
  }

  /** What is not told yet; it is taken for told. */
  #changesFor(subscription: GroupSubscription): DocumentChange[] {
    const { told } = subscription;
    const groups = new Set(this.#groupsOf(subscription));
    return [...new Set([...groups, ...told.keys()])].flatMap((group): DocumentChange[] => {
      const before = told.get(group) ?? null;
      const after = groups.has(group) ? this.#groups.etagOf(group) : null;
      if (before === after) return [];
      if (after === null) told.delete(group);
      else told.set(group, after);
      return [{ group, before, after }];
    });
  }

  #diffPart({ partner }: GroupSubscription, changes: readonly DocumentChange[]): OutgoingPart[] {
    const { codePoints } = partner;
    const { xcapRoot } = this.#settings;
    return changes.length === 0
      ? []
      : [
          outgoingPart(
            codePoints.subscribeAccept,
            writeDocumentDiff(changes, xcapRoot, codePoints),
          ),
        ];
  }

  #groupsOf({ partner, users, named }: GroupSubscription): readonly string[] {
    const groups = this.#groups.groupsOf(partner.name, users);
    return named === null ? groups : groups.filter((group) => named.includes(group));
  }

  /** Seconds that are granted; null where the request was answered already. */
  #requested(uas: ServerTransaction, partner: PartnerConfig): number | null {
    const { headers } = uas.request;
    const event = (headers.get('Event') ?? '').split(';')[0]?.trim().toLowerCase();
    if (event !== partner.codePoints.subscribeEvent.toLowerCase()) {
      const response = createResponse(uas.request, 489);
      response.headers.set('Allow-Events', partner.codePoints.subscribeEvent);
      uas.respond(response);
      return null;
    }
    const text = headers.get('Expires')?.trim() ?? String(DEFAULT_SECONDS);
    if (!/^\d{1,10}$/.test(text)) {
      throw new SegyError('SEGY_E_SIP_SYNTAX', 'Expires is no number of seconds');
    }
    const seconds = Math.min(Number(text), this.#settings.longestSeconds);
    if (seconds > 0 && seconds < LEAST_SECONDS) {
      const response = createResponse(uas.request, 423);
      response.headers.set('Min-Expires', String(LEAST_SECONDS));
      uas.respond(response);
      return null;
    }
    return seconds;
  }

  /** Whose documents are asked for; null: those of all the partner's users, by its GMS. */
  #subscriberOf(request: SipRequest, partner: PartnerConfig): ReadonlySet<string> | null {
    const info = contentOf(bodyOf(request), MCPTT_INFO_TYPE);
    const user = info === null ? null : readMcpttInfo(info).callingUserId;
    if (user === null) {
      throw new SegyError('SEGY_E_NOT_GROUP_MEMBER', 'the SUBSCRIBE does not say whose it is');
    }
    return partner.gms.includes(user) ? null : new Set([user]);
  }
}

/** Groups of the resource list; null where the request has none. */
function namedGroups(request: SipRequest, { codePoints }: PartnerConfig): string[] | null {
  const list = contentOf(bodyOf(request), RESOURCE_LISTS_TYPE);
  if (list === null) return null;
  return [...new Set(readEntries(list).flatMap((entry) => groupOfEntry(entry, codePoints) ?? []))];
}

/** A 2xx whose body does not open says nothing of the keys. */
function isTaken(response: SipResponse): boolean {
  return response.status < 300 && faultOf(response) === null;
}

/** Keys stand beside the document that tells of changes, so both have to be taken. */
function takesKeys(request: SipRequest): boolean {
  const types = request.headers
    .list('Accept')
    .flatMap((value) => value.split(','))
    .map((value) => value.split(';')[0]?.trim().toLowerCase());
  return types.includes('multipart/mixed') || types.includes('*/*');
}
