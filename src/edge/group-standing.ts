/**
 * What the gateway asks of partners for its represented users' groups, as each partner's profile
 * says: subscriptions to group documents at the GMS (RFC 5875, TS 24.481), which bring keys in
 * NOTIFY, and affiliations (TS 24.379 clause 9). Both begin anew with every start.
 */
import { toHex, utf8 } from '../base/bytes.js';
import type { GroupConfig, PartnerConfig } from '../config/index.js';
import {
  makeMultipart,
  SipHeaders,
  tagOf,
  type SipRequest,
  type SipResponse,
} from '../sip/index.js';
import { escapeXml } from '../xml/index.js';
import { ownContact, setServiceHeaders } from './contact.js';
import type { EdgeDependencies } from './dependencies.js';
import { buildRequest, contactUri, routeSetOf } from './dialog.js';
import { MCPTT_INFO_TYPE, RESOURCE_LISTS_TYPE, writeUserInfo } from './mcptt-info.js';
import { partnerTargets } from './next-hop.js';
import { outletTo } from './protected.js';
import { StandingRequest, type StandingKind } from './standing-request.js';
import { readSubscriptionState } from './subscription-state.js';

/** Between two requests at the start, so that a partner does not get all of them at once. */
const BETWEEN_STARTS_MS = 20;

interface Member {
  readonly partner: PartnerConfig;
  readonly user: string;
  readonly groups: readonly GroupConfig[];
}

export class GroupStanding {
  readonly #env: EdgeDependencies['env'];
  readonly #requests: StandingRequest[];
  readonly #subscriptions: readonly { request: StandingRequest; kind: Subscription }[];

  constructor(deps: EdgeDependencies) {
    const { env, partners } = deps;
    this.#env = env;
    const stand = (kind: GroupRequest & StandingKind): StandingRequest =>
      new StandingRequest(kind, outletTo(deps, kind.partner), env);
    const members = partners.flatMap(membersOf);
    const publications = members
      .filter(({ partner }) => partner.affiliation.mode === 'publish')
      .map((member) => stand(new Affiliation(deps, member)));
    const kinds = members
      .filter(({ partner }) => partner.subscription.enabled)
      .flatMap((member) => byGms(member).map((at) => new Subscription(deps, member, at)));
    this.#subscriptions = kinds.map((kind) => ({ request: stand(kind), kind }));
    this.#requests = [...publications, ...this.#subscriptions.map(({ request }) => request)];
  }

  start(): void {
    for (const [i, request] of this.#requests.entries()) request.start(i * BETWEEN_STARTS_MS);
  }

  /** Withdraws everything. */
  async stop(): Promise<void> {
    await Promise.all(this.#requests.map((request) => request.stop()));
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
    return this.#subscriptions.find(({ kind }) => kind.callId === callId);
  }
}

function membersOf(partner: PartnerConfig): Member[] {
  const users = new Map<string, GroupConfig[]>();
  for (const group of partner.groups) {
    for (const user of group.affiliate) users.set(user, [...(users.get(user) ?? []), group]);
  }
  return [...users].map(([user, groups]) => ({ partner, user, groups }));
}

interface SubscribedGroups {
  readonly gms: string;
  readonly groups: readonly GroupConfig[];
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

/** What SUBSCRIBE and PUBLISH have in common. */
abstract class GroupRequest {
  readonly partner: PartnerConfig;
  callId: string;
  localTag: string;
  protected readonly deps: EdgeDependencies;
  protected readonly user: string;
  protected cseq = 0;

  constructor(deps: EdgeDependencies, { partner, user }: Member) {
    this.deps = deps;
    this.partner = partner;
    this.user = user;
    this.callId = this.#random();
    this.localTag = this.#random();
  }

  get targets() {
    return partnerTargets(this.partner, this.deps.addresses);
  }

  async authenticate(request: SipRequest): Promise<void> {
    await this.deps.protection?.authenticate(this.partner, request, this.user);
  }

  forget(): void {
    this.callId = this.#random();
    this.localTag = this.#random();
    this.cseq = 0;
  }

  protected request(
    method: string,
    to: { readonly uri: string; readonly tag: string; readonly target: string },
    routeSet: readonly string[],
    seconds: number,
  ): SipRequest {
    const { settings } = this.deps;
    this.cseq += 1;
    const request = buildRequest({
      method,
      cseq: this.cseq,
      callId: this.callId,
      from: `<${settings.outer.identity}>;tag=${this.localTag}`,
      to: to.tag === '' ? `<${to.uri}>` : `<${to.uri}>;tag=${to.tag}`,
      remoteTarget: to.target,
      routeSet,
    });
    const protocol = this.targets[0]?.protocol ?? 'tls';
    request.headers.set('Contact', ownContact(settings, 'outer', protocol, 'caller'));
    request.headers.set('Expires', String(seconds));
    setServiceHeaders(request, settings.outer.identity);
    return request;
  }

  /** A document and, beside it, for which user it is. */
  protected setBodies(request: SipRequest, type: string, document: string): void {
    const parts = [
      { headers: new SipHeaders([['Content-Type', type]]), body: utf8(document) },
      {
        headers: new SipHeaders([['Content-Type', MCPTT_INFO_TYPE]]),
        body: utf8(writeUserInfo(this.user)),
      },
    ];
    const { contentType, body } = makeMultipart(parts, this.deps.env.random);
    request.headers.set('MIME-Version', '1.0');
    request.headers.set('Content-Type', contentType);
    request.body = body;
  }

  #random(): string {
    return toHex(this.deps.env.random(16));
  }
}

class Subscription extends GroupRequest implements StandingKind {
  readonly name: string;
  readonly seconds: number;
  readonly #at: SubscribedGroups;
  remoteTag = '';
  #remoteTarget: string;
  #routeSet: readonly string[] = [];

  constructor(deps: EdgeDependencies, member: Member, at: SubscribedGroups) {
    super(deps, member);
    this.#at = at;
    this.#remoteTarget = at.gms;
    this.name = `SUBSCRIBE ${member.user} at ${at.gms}`;
    this.seconds = member.partner.subscription.seconds;
  }

  build(seconds: number): SipRequest {
    const { codePoints } = this.partner;
    const to = { uri: this.#at.gms, tag: this.remoteTag, target: this.#remoteTarget };
    const request = this.request('SUBSCRIBE', to, this.#routeSet, seconds);
    request.headers.set('Event', codePoints.subscribeEvent);
    request.headers.set(
      'Accept',
      `${codePoints.subscribeAccept}, ${codePoints.mikeyType}, multipart/mixed`,
    );
    const entries = this.#at.groups.map(
      ({ id }) => `<entry uri="${escapeXml(codePoints.groupDocumentPath + encodeURI(id))}"/>`,
    );
    const lists =
      '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
      '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>' +
      `${entries.join('')}</list></resource-lists>\r\n`;
    this.setBodies(request, RESOURCE_LISTS_TYPE, lists);
    return request;
  }

  accepted(response: SipResponse): void {
    this.remoteTag = tagOf(response.headers.get('To') ?? '') ?? '';
    this.#remoteTarget = contactUri(response) ?? this.#at.gms;
    this.#routeSet = routeSetOf(response, true);
  }

  override forget(): void {
    super.forget();
    this.remoteTag = '';
    this.#remoteTarget = this.#at.gms;
    this.#routeSet = [];
  }
}

class Affiliation extends GroupRequest implements StandingKind {
  readonly name: string;
  readonly seconds: number;
  readonly #groups: readonly GroupConfig[];
  #etag: string | null = null;

  constructor(deps: EdgeDependencies, member: Member) {
    super(deps, member);
    this.#groups = member.groups;
    this.name = `PUBLISH ${member.user} at ${member.partner.name}`;
    this.seconds = member.partner.affiliation.seconds;
  }

  build(seconds: number): SipRequest {
    const { affiliation, codePoints, sip } = this.partner;
    const uri = affiliation.requestUri ?? sip.requestUri;
    const request = this.request('PUBLISH', { uri, tag: '', target: uri }, [], seconds);
    request.headers.set('Event', codePoints.affiliationEvent);
    if (this.#etag !== null) request.headers.set('SIP-If-Match', this.#etag);
    this.setBodies(request, codePoints.affiliationType, this.#document(seconds > 0));
    return request;
  }

  accepted(response: SipResponse): void {
    this.#etag = response.headers.get('SIP-ETag') ?? null;
  }

  override forget(): void {
    super.forget();
    this.#etag = null;
  }

  #document(affiliated: boolean): string {
    const { affiliationNamespace, affiliationElement, affiliationGroupAttribute } =
      this.partner.codePoints;
    const list = affiliated ? this.#groups : [];
    const elements = list.map(
      ({ id }) => `<a:${affiliationElement} ${affiliationGroupAttribute}="${escapeXml(id)}"/>`,
    );
    return (
      '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
      '<presence xmlns="urn:ietf:params:xml:ns:pidf" ' +
      `xmlns:a="${escapeXml(affiliationNamespace)}" entity="${escapeXml(this.user)}">` +
      `<tuple id="segy"><status>${elements.join('')}</status></tuple></presence>\r\n`
    );
  }
}
