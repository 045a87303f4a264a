/**
 * One subscription to the documents of our groups (RFC 6665, RFC 5875): its dialog, and the NOTIFYs
 * in it, one after the other.
 *
 * | state      | event                                | next |
 * |------------|--------------------------------------|------|
 * | active     | refresh                              | active for its time anew, NOTIFY |
 * | active     | something to tell                    | active, NOTIFY |
 * | active     | refresh with Expires 0, its time is over, membership ends, the gateway stops | ended, last NOTIFY |
 * | active     | a NOTIFY meets 404, 410, 481, 489, or no answer | ended |
 */
import type { TimerHandle } from '../../base/environment.js';
import { SegyError, toSegyError } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import {
  makeMultipart,
  parseCSeq,
  tagOf,
  withTag,
  type ServerTransaction,
  type SipRequest,
  type SipResponse,
} from '../../sip/index.js';
import { ownContact } from '../messages/contact.js';
import type { EdgeDependencies } from '../dependencies.js';
import { buildRequest, contactUri, routeSetOf } from '../messages/dialog.js';
import type { OutgoingPart } from './key-parts.js';
import { wayOf } from '../interfaces.js';
import { nextHop, peerHosts, peerTarget } from '../partners/next-hop.js';
import { outletTo } from '../partners/protected.js';

/** Answers to a NOTIFY that end the subscription (RFC 6665 clause 4.2.2). */
const ENDING: ReadonlySet<number> = new Set([
  404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604,
]);

export interface SubscriptionInit {
  readonly uas: ServerTransaction;
  readonly partner: PartnerConfig;
  /** MC service IDs it is for; null: of all the partner's users, by its GMS */
  readonly users: ReadonlySet<string> | null;
  /** groups it names; null: all of these users */
  readonly named: readonly string[] | null;
  readonly takesKeys: boolean;
  readonly onEnded: (subscription: GroupSubscription) => void;
}

export class GroupSubscription {
  readonly partner: PartnerConfig;
  readonly users: ReadonlySet<string> | null;
  readonly named: readonly string[] | null;
  readonly takesKeys: boolean;
  /** entity tags that were told, by group */
  readonly told = new Map<string, string>();
  readonly #deps: EdgeDependencies;
  readonly #init: SubscriptionInit;
  readonly #callId: string;
  readonly #local: string;
  readonly #remote: string;
  readonly #event: string;
  readonly #routeSet: readonly string[];
  #remoteTarget: string;
  #received: number;
  #cseq = 0;
  #endsAt = 0;
  #timer: TimerHandle | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #ended = false;

  constructor(deps: EdgeDependencies, init: SubscriptionInit) {
    const { headers } = init.uas.request;
    this.#deps = deps;
    this.#init = init;
    this.partner = init.partner;
    this.users = init.users;
    this.named = init.named;
    this.takesKeys = init.takesKeys;
    this.#callId = headers.get('Call-ID') ?? '';
    this.#remote = headers.get('From') ?? '';
    this.#local = withTag(headers.get('To') ?? '', init.uas.localTag);
    this.#event = headers.get('Event') ?? '';
    this.#routeSet = routeSetOf(init.uas.request, false);
    this.#remoteTarget = requiredContact(init.uas.request);
    this.#received = parseCSeq(headers.get('CSeq') ?? '').number;
  }

  /** Names its dialog: a subscriber may begin another one under the same Call-ID. */
  get key(): string {
    return subscriptionKey(this.partner, this.#callId, this.#local);
  }

  get isActive(): boolean {
    return !this.#ended;
  }

  /** Whether a request is one of this dialog. */
  owns(request: SipRequest, partner: PartnerConfig): boolean {
    return (
      !this.#ended &&
      partner === this.partner &&
      tagOf(request.headers.get('From') ?? '') === tagOf(this.#remote)
    );
  }

  /** Whether a SUBSCRIBE names the event of this one, `id` and all (RFC 6665 clause 8.2.1). */
  isOfEvent(request: SipRequest): boolean {
    return eventId(request.headers.get('Event') ?? '') === eventId(this.#event);
  }

  /** Whether its CSeq comes after those before (RFC 3261 clause 12.2.2); notes it. */
  isInOrder(request: SipRequest): boolean {
    const { number } = parseCSeq(request.headers.get('CSeq') ?? '');
    if (number <= this.#received) return false;
    this.#received = number;
    return true;
  }

  /** Stands for `seconds` from now. */
  stand(seconds: number): void {
    const { timers, clock } = this.#deps.env;
    if (this.#timer !== undefined) timers.clearTimeout(this.#timer);
    this.#endsAt = clock.now() + 1000 * seconds;
    this.#timer = timers.setTimeout(() => void this.end('timeout'), 1000 * seconds);
  }

  /** The peer's new Contact. */
  refreshTarget(request: SipRequest): void {
    this.#remoteTarget = contactUri(request) ?? this.#remoteTarget;
  }

  /**
   * Sends what `parts` makes at its turn; null: there is nothing to say after all.
   * @returns the answer; null where nothing was said
   * @throws SegyError SEGY_E_SIP_NO_DIALOG when the subscription has ended, or ended by this
   */
  notify(
    parts: () => readonly OutgoingPart[] | null | Promise<readonly OutgoingPart[] | null>,
  ): Promise<SipResponse | null> {
    const result = this.#tail.then(async () => {
      const made = this.#ended ? null : await parts();
      if (this.#ended) throw new SegyError('SEGY_E_SIP_NO_DIALOG', 'the subscription has ended');
      if (made === null) return null;
      const left = Math.max(Math.ceil((this.#endsAt - this.#deps.env.clock.now()) / 1000), 0);
      const response = await this.#send(`active;expires=${left}`, made);
      if (ENDING.has(response.status)) this.#over(`NOTIFY met ${response.status}`);
      return response;
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Ends it and says so, with what `parts` makes. */
  async end(
    reason: 'timeout' | 'deactivated' | 'rejected' | 'noresource',
    parts: () => readonly OutgoingPart[] = () => [],
  ): Promise<void> {
    if (this.#ended) return;
    this.#over(reason);
    const last = this.#tail.then(() => this.#send(`terminated;reason=${reason}`, parts()));
    this.#tail = last.catch(() => undefined);
    await last.catch((error: unknown) => {
      const { code } = toSegyError(error);
      this.#deps.env.log.info('subscription.last.failed', { partner: this.partner.name, code });
    });
  }

  #over(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#timer !== undefined) this.#deps.env.timers.clearTimeout(this.#timer);
    const { log } = this.#deps.env;
    log.info('subscription.over', { partner: this.partner.name, reason });
    this.#init.onEnded(this);
  }

  async #send(state: string, parts: readonly OutgoingPart[]): Promise<SipResponse> {
    const { settings, protection, env } = this.#deps;
    const { source } = this.#init.uas;
    this.#cseq += 1;
    const request = buildRequest({
      method: 'NOTIFY',
      cseq: this.#cseq,
      callId: this.#callId,
      from: this.#local,
      to: this.#remote,
      remoteTarget: this.#remoteTarget,
      routeSet: this.#routeSet,
    });
    request.headers.set('Contact', ownContact(settings, 'outer', wayOf(source), 'caller'));
    request.headers.set('Event', this.#event);
    request.headers.set('Subscription-State', state);
    setParts(request, parts, env.random);
    await protection?.authenticate(this.partner, request, settings.outer.identity);
    const peer = peerTarget('outer', source, this.partner, this.#deps);
    const hosts = peerHosts('outer', this.partner, this.#deps);
    const target = nextHop(peer, hosts, this.#routeSet, this.#remoteTarget);
    const outlet = outletTo(this.#deps, this.partner);
    try {
      return await new Promise((resolve, reject) => {
        const transaction = outlet.request(request, target);
        transaction.onFinal = resolve;
        transaction.onError = reject;
      });
    } catch (error) {
      this.#over('NOTIFY met no answer');
      throw toSegyError(error);
    }
  }
}

export function subscriptionKey({ name }: PartnerConfig, callId: string, local: string): string {
  return `${name} ${callId} ${tagOf(local)}`;
}

/** Where its NOTIFYs go. @throws SegyError SEGY_E_SIP_SYNTAX without one (RFC 6665 clause 3.1.1) */
function requiredContact(request: SipRequest): string {
  const uri = contactUri(request);
  if (uri === null) throw new SegyError('SEGY_E_SIP_SYNTAX', 'a SUBSCRIBE without a Contact');
  return uri;
}

function eventId(event: string): string | undefined {
  return /;\s*id\s*=\s*([^;\s]+)/i.exec(event)?.[1];
}

/** One part as it is, several as multipart/mixed, none as no body. */
export function setParts(
  request: SipRequest,
  parts: readonly OutgoingPart[],
  random: EdgeDependencies['env']['random'],
): void {
  const [only, ...more] = parts;
  if (only === undefined) return;
  if (more.length === 0) {
    request.headers.set('Content-Type', only.headers.get('Content-Type') ?? '');
    request.body = only.body;
    return;
  }
  const { contentType, body } = makeMultipart(parts, random);
  request.headers.set('MIME-Version', '1.0');
  request.headers.set('Content-Type', contentType);
  request.body = body;
}
