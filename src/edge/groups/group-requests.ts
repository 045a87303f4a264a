/**
 * The requests that stand at partners for represented users: SUBSCRIBE to the documents of their
 * groups (RFC 5875, TS 24.481) and PUBLISH of their affiliations (TS 24.379 clause 9), each with an
 * access token of the partner where its profile asks for one.
 */
import { isBearerToken } from '../../base/bearer-token.js';
import { toHex, utf8 } from '../../base/bytes.js';
import { SegyError } from '../../base/errors.js';
import { encodeSegment } from '../../base/uri-segment.js';
import type { GroupConfig, PartnerConfig } from '../../config/index.js';
import {
  makeMultipart,
  parseCSeq,
  SipHeaders,
  tagOf,
  type SipRequest,
  type SipResponse,
} from '../../sip/index.js';
import { escapeXml } from '../../xml/index.js';

import { ownContact, setServiceHeaders } from '../messages/contact.js';
import type { EdgeDependencies } from '../dependencies.js';
import { buildRequest, contactUri, routeSetOf } from '../messages/dialog.js';
import { MCPTT_INFO_TYPE, RESOURCE_LISTS_TYPE, writeUserInfo } from '../messages/mcptt-info.js';
import { partnerTargets } from '../partners/next-hop.js';
import type { StandingKind } from './standing-request.js';

/** A represented user and its groups at one partner. */
export interface Member {
  readonly partner: PartnerConfig;
  readonly user: string;
  readonly groups: readonly GroupConfig[];
}

/** Groups whose documents one GMS keeps. */
export interface SubscribedGroups {
  readonly gms: string;
  readonly groups: readonly GroupConfig[];
}

/** Statuses by which a server refuses a token. */
const TOKEN_REFUSALS: readonly number[] = [401, 403];

/** What SUBSCRIBE and PUBLISH have in common. */
export abstract class GroupRequest {
  readonly partner: PartnerConfig;
  callId: string;
  localTag: string;
  protected readonly deps: EdgeDependencies;
  protected readonly user: string;
  protected cseq = 0;
  /** access token of the last request */
  #token: string | null = null;

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

  /** A token may have been revoked before its time. */
  refused(status: number): void {
    if (this.#token === null || !TOKEN_REFUSALS.includes(status)) return;
    this.deps.tokens?.reject?.(this.partner, this.user, this.#token);
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
    const way = this.targets[0] ?? { protocol: 'tls' as const, address: '' };
    request.headers.set('Contact', ownContact(settings, 'outer', way, 'caller'));
    request.headers.set('Expires', String(seconds));
    setServiceHeaders(request, settings.outer.identity);
    return request;
  }

  /**
   * The user's access token at the partner; null where the profile asks for none.
   * @throws SegyError SEGY_E_ACCESS_TOKEN where it asks for one and none can be had
   */
  protected async token(isAskedFor: boolean): Promise<string | null> {
    if (!isAskedFor) return null;
    const token = await this.deps.tokens?.tokenFor(this.partner, this.user);
    if (token === undefined || token === null || !isBearerToken(token)) {
      throw new SegyError('SEGY_E_ACCESS_TOKEN', `no access token for ${this.user} can be had`);
    }
    this.#token = token;
    return token;
  }

  /** A document and, beside it, for which user it is and what shows that it may ask. */
  protected setBodies(
    request: SipRequest,
    type: string,
    document: string,
    token: string | null,
  ): void {
    const parts = [
      { headers: new SipHeaders([['Content-Type', type]]), body: utf8(document) },
      {
        headers: new SipHeaders([['Content-Type', MCPTT_INFO_TYPE]]),
        body: utf8(writeUserInfo(this.user, token)),
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

export class Subscription extends GroupRequest implements StandingKind {
  readonly name: string;
  readonly seconds: number;
  readonly #at: SubscribedGroups;
  remoteTag = '';
  /** tag and number of the last NOTIFY */
  #notified = { tag: '', cseq: -1 };
  #remoteTarget: string;
  #routeSet: readonly string[] = [];

  constructor(deps: EdgeDependencies, member: Member, at: SubscribedGroups) {
    super(deps, member);
    this.#at = at;
    this.#remoteTarget = at.gms;
    this.name = `SUBSCRIBE ${member.user} at ${at.gms}`;
    this.seconds = member.partner.subscription.seconds;
  }

  async build(seconds: number): Promise<SipRequest> {
    const { codePoints, subscription } = this.partner;
    const token = await this.token(subscription.accessToken);
    const to = { uri: this.#at.gms, tag: this.remoteTag, target: this.#remoteTarget };
    const request = this.request('SUBSCRIBE', to, this.#routeSet, seconds);
    request.headers.set('Event', codePoints.subscribeEvent);
    request.headers.set(
      'Accept',
      `${codePoints.subscribeAccept}, ${codePoints.mikeyType}, multipart/mixed`,
    );
    const entries = this.#at.groups.map(
      ({ id }) => `<entry uri="${escapeXml(codePoints.groupDocumentPath + encodeSegment(id))}"/>`,
    );
    const lists =
      '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
      '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>' +
      `${entries.join('')}</list></resource-lists>\r\n`;
    this.setBodies(request, RESOURCE_LISTS_TYPE, lists, token);
    return request;
  }

  accepted(response: SipResponse): void {
    this.remoteTag = tagOf(response.headers.get('To') ?? '') ?? '';
    this.#remoteTarget = contactUri(response) ?? this.#at.gms;
    this.#routeSet = routeSetOf(response, true);
  }

  /** Takes the number of a NOTIFY. @returns false for one that came after a later one (RFC 3261 clause 12.2.2) */
  isInOrder(notify: SipRequest): boolean {
    const { number } = parseCSeq(notify.headers.get('CSeq') ?? '');
    const tag = tagOf(notify.headers.get('From') ?? '') ?? '';
    if (tag === this.#notified.tag && number < this.#notified.cseq) return false;
    this.#notified = { tag, cseq: number };
    return true;
  }

  override forget(): void {
    super.forget();
    this.remoteTag = '';
    this.#notified = { tag: '', cseq: -1 };
    this.#remoteTarget = this.#at.gms;
    this.#routeSet = [];
  }
}

export class Affiliation extends GroupRequest implements StandingKind {
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

  async build(seconds: number): Promise<SipRequest> {
    const { affiliation, codePoints, sip } = this.partner;
    const token = await this.token(affiliation.accessToken);
    const uri = affiliation.requestUri ?? sip.requestUri;
    const request = this.request('PUBLISH', { uri, tag: '', target: uri }, [], seconds);
    request.headers.set('Event', codePoints.affiliationEvent);
    if (this.#etag !== null) request.headers.set('SIP-If-Match', this.#etag);
    this.setBodies(request, codePoints.affiliationType, this.#document(seconds > 0), token);
    return request;
  }

  accepted(response: SipResponse): void {
    if (this.#etag === null) this.deps.documents?.affiliated(this.partner, this.user);
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
