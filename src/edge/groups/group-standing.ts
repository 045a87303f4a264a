/**
 * What the gateway asks of partners for its represented users' groups, as each partner's profile
 * says: subscriptions to group documents at the GMS (RFC 5875, TS 24.481), which bring keys in
 * NOTIFY, and affiliations (TS 24.379 clause 9). Both begin anew with every start.
 */
import type { GroupConfig, PartnerConfig } from '../../config/index.js';
import { tagOf, type SipRequest } from '../../sip/index.js';
import type { EdgeDependencies } from '../dependencies.js';
import {
  Affiliation,
  Subscription,
  type GroupRequest,
  type Member,
  type SubscribedGroups,
} from './group-requests.js';
import { outletTo } from '../partners/protected.js';
import { StandingRequest, type StandingKind } from './standing-request.js';
import { readSubscriptionState } from './subscription-state.js';

/** Between two requests at the start, so that a partner does not get all of them at once. */
const BETWEEN_STARTS_MS = 20;

/** What stands at one partner. */
interface Standing {
  readonly requests: readonly StandingRequest[];
  readonly subscriptions: readonly { request: StandingRequest; kind: Subscription }[];
}

export class GroupStanding {
  readonly #deps: EdgeDependencies;
  readonly #env: EdgeDependencies['env'];
  readonly #standing = new Map<PartnerConfig, Standing>();
  /** withdrawals under way */
  readonly #leaving = new Set<Promise<unknown>>();

  constructor(deps: EdgeDependencies) {
    this.#deps = deps;
    this.#env = deps.env;
  }

  start(): void {
    this.update(this.#deps.partners);
  }

  /** Withdraws what stood under profiles that are there no more, and asks for what is new. */
  update(partners: readonly PartnerConfig[]): void {
    for (const [partner, { requests }] of this.#standing) {
      if (partners.includes(partner)) continue;
      this.#standing.delete(partner);
      const left = Promise.all(requests.map((request) => request.stop()));
      this.#leaving.add(left);
      void left.finally(() => this.#leaving.delete(left));
    }
    let started = 0;
    for (const partner of partners) {
      if (this.#standing.has(partner)) continue;
      const standing = this.#make(partner);
      this.#standing.set(partner, standing);
      for (const request of standing.requests) request.start(started++ * BETWEEN_STARTS_MS);
    }
  }

  /** Withdraws everything. */
  async stop(): Promise<void> {
    this.update([]);
    await Promise.all(this.#leaving);
  }

  #make(partner: PartnerConfig): Standing {
    const stand = (kind: GroupRequest & StandingKind): StandingRequest =>
      new StandingRequest(kind, outletTo(this.#deps, partner), this.#env);
    const members = membersOf(partner);
    const publications = members
      .filter(() => partner.affiliation.mode === 'publish')
      .map((member) => stand(new Affiliation(this.#deps, member)));
    const subscriptions = subscribersOf(members)
      .filter(() => partner.subscription.enabled)
      .flatMap((member) => byGms(member).map((at) => new Subscription(this.#deps, member, at)))
      .map((kind) => ({ request: stand(kind), kind }));
    const requests = [...publications, ...subscriptions.map(({ request }) => request)];
    return { requests, subscriptions };
  }

  /** True for a NOTIFY of one of our subscriptions by the partner it is with. */
  knows(request: SipRequest, partner: PartnerConfig): boolean {
    const kind = this.#find(request)?.kind;
    if (kind?.partner !== partner) return false;
    // it may come before the answer to SUBSCRIBE; after that only from the one that answered
    const fromTag = tagOf(request.headers.get('From') ?? '');
    const isOther = kind.remoteTag !== '' && kind.remoteTag !== fromTag;
    return !isOther && kind.localTag === tagOf(request.headers.get('To') ?? '');
  }

  /** False for a NOTIFY that came after a later one of its dialog. */
  isInOrder(request: SipRequest): boolean {
    return this.#find(request)?.kind.isInOrder(request) ?? false;
  }

  /** Takes what a NOTIFY that was answered says of its subscription's time and end. */
  notified(request: SipRequest): void {
    const found = this.#find(request);
    const state = readSubscriptionState(request.headers.get('Subscription-State') ?? '');
    if ('reason' in state) {
      const { reason, waitMs } = state;
      this.#env.log.warn('subscription.ended', { request: found?.kind.name, reason, waitMs });
      found?.request.lost(waitMs);
    } else if (state.expires !== null) found?.request.shortened(state.expires);
  }

  #find(request: SipRequest): { request: StandingRequest; kind: Subscription } | undefined {
    const callId = request.headers.get('Call-ID') ?? '';
    return [...this.#standing.values()]
      .flatMap(({ subscriptions }) => subscriptions)
      .find(({ kind }) => kind.callId === callId);
  }
}

function membersOf(partner: PartnerConfig): Member[] {
  const users = new Map<string, GroupConfig[]>();
  for (const group of partner.groups) {
    for (const user of group.affiliate) users.set(user, [...(users.get(user) ?? []), group]);
  }
  return [...users].map(([user, groups]) => ({ partner, user, groups }));
}

/** Each member, or where the profile says so the first one of a partner for the groups of all. */
function subscribersOf(members: readonly Member[]): Member[] {
  const subscribers: Member[] = [];
  for (const member of members) {
    const { partner, groups } = member;
    const first = subscribers.findIndex((other) => other.partner === partner);
    const found = subscribers[first];
    if (partner.subscription.per === 'user' || found === undefined) subscribers.push(member);
    else subscribers[first] = { ...found, groups: [...new Set([...found.groups, ...groups])] };
  }
  return subscribers;
}

/** The groups of a member by the GMS that keeps their documents. */
function byGms({ partner, groups }: Member): SubscribedGroups[] {
  const found = new Map<string, GroupConfig[]>();
  for (const group of groups) {
    const gms = partner.subscription.requestUri ?? group.gms ?? partner.gms[0];
    if (gms === undefined || !/^sips?:/.test(gms)) continue;
    found.set(gms, [...(found.get(gms) ?? []), group]);
  }
  return [...found].map(([gms, list]) => ({ gms, groups: list }));
}
