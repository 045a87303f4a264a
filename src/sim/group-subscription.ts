/**
 * A member's subscription to the documents of its groups (RFC 5875, RFC 6665): what it is told comes
 * by NOTIFY, the keys of the groups with the first.
 *
 * | state   | event                          | next |
 * |---------|--------------------------------|------|
 * | pending | 2xx                            | active |
 * | active  | half of its time is over       | active, SUBSCRIBE again |
 * | active  | `end`                          | ended, SUBSCRIBE with Expires 0 |
 * | any     | NOTIFY says `terminated`, or a SUBSCRIBE is refused | ended |
 */
import { toHex, utf8 } from '../base/bytes.js';
import type { Environment, TimerHandle } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { makeMultipart, parseNameAddr, SipHeaders, tagOf } from '../sip/index.js';
import type { ClientTransaction, SipRequest, SipResponse, SipTarget } from '../sip/index.js';
import { escapeXml } from '../xml/index.js';
import { MCPTT_INFO_TYPE, writeSubscriberInfo } from './mcptt-info.js';

const EVENT = 'xcap-diff';
const ACCEPT = 'application/xcap-diff+xml, application/mikey, multipart/mixed';
const DOCUMENT_PATH = 'org.openmobilealliance.groups/global/byGroupID/';
const SECONDS = 600;
const LAST_MS = 1000;

/** What a subscription needs of the user agent it belongs to. */
export interface SubscriptionHost {
  readonly env: Environment;
  contact(): string;
  send(request: SipRequest, target: SipTarget): ClientTransaction;
}

export interface SubscriptionOptions {
  readonly target: SipTarget;
  /** where SUBSCRIBE goes: the public identity of the GMS */
  readonly requestUri: string;
  /** URI of From */
  readonly from: string;
  /** MCPTT ID of the subscriber */
  readonly user: string;
  readonly groups: readonly string[];
}

export class SimSubscription {
  readonly callId: string;
  state: 'pending' | 'active' | 'ended' = 'pending';
  /** values of Subscription-State that came, in their order */
  readonly states: string[] = [];
  readonly #host: SubscriptionHost;
  readonly #options: SubscriptionOptions;
  readonly #localTag: string;
  #remoteTag: string | undefined;
  #remoteTarget: string;
  #cseq = 0;
  #timer: TimerHandle | undefined;
  #onLast: (() => void) | undefined;

  constructor(host: SubscriptionHost, options: SubscriptionOptions) {
    this.#host = host;
    this.#options = options;
    this.callId = toHex(host.env.random(12));
    this.#localTag = toHex(host.env.random(6));
    this.#remoteTarget = options.requestUri;
  }

  /** @throws SegyError SEGY_E_SIP_REFUSED, SEGY_E_SIP_TRANSPORT */
  async start(): Promise<void> {
    await this.#subscribe(SECONDS);
  }

  /** @throws SegyError as `start` */
  refresh(): Promise<void> {
    return this.#subscribe(SECONDS);
  }

  /** Ends it, and waits a moment for the last NOTIFY. @throws SegyError as `start` */
  async end(): Promise<void> {
    if (this.state === 'ended') return;
    const { timers } = this.#host.env;
    const last = new Promise<void>((resolve) => {
      this.#onLast = resolve;
    });
    await this.#subscribe(0);
    const late = timers.setTimeout(() => this.#onLast?.(), LAST_MS);
    await last;
    timers.clearTimeout(late);
    this.#over();
  }

  /** Notes a NOTIFY of its dialog, which may come before the answer to SUBSCRIBE. */
  notified({ headers }: SipRequest): void {
    const state = headers.get('Subscription-State') ?? '';
    this.states.push(state);
    this.#learn(headers, headers.get('From') ?? '');
    if (!state.startsWith('terminated')) return;
    this.#over();
    this.#onLast?.();
  }

  async #subscribe(seconds: number): Promise<void> {
    const { timers } = this.#host.env;
    if (this.#timer !== undefined) timers.clearTimeout(this.#timer);
    const response = await this.#ask(this.#request(seconds));
    if (response.status >= 300) {
      this.#over();
      const code = /SEGY_E_\w+/.exec(response.headers.get('Warning') ?? '')?.[0] ?? '';
      throw new SegyError('SEGY_E_SIP_REFUSED', `SUBSCRIBE met ${response.status} ${code}`.trim());
    }
    this.#learn(response.headers, response.headers.get('To') ?? '');
    if (seconds === 0 || this.state === 'ended') return;
    this.state = 'active';
    const granted = Number(response.headers.get('Expires') ?? seconds);
    this.#timer = timers.setTimeout(
      () => void this.refresh().catch(() => this.#over()),
      500 * granted,
    );
  }

  #learn(headers: SipHeaders, remote: string): void {
    this.#remoteTag ??= tagOf(remote);
    const contact = headers.get('Contact');
    if (contact !== undefined) this.#remoteTarget = parseNameAddr(contact).uri;
  }

  #over(): void {
    this.state = 'ended';
    if (this.#timer !== undefined) this.#host.env.timers.clearTimeout(this.#timer);
  }

  #request(seconds: number): SipRequest {
    const { requestUri, from, user, groups } = this.#options;
    const entries = groups
      .map((group) => `<entry uri="${escapeXml(DOCUMENT_PATH + encodeURI(group))}"/>`)
      .join('');
    const list = `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>${entries}</list></resource-lists>`;
    const part = (type: string, text: string) => ({
      headers: new SipHeaders([['Content-Type', type]]),
      body: utf8(text),
    });
    const { contentType, body } = makeMultipart(
      [
        part('application/resource-lists+xml', list),
        part(MCPTT_INFO_TYPE, writeSubscriberInfo(user)),
      ],
      this.#host.env.random,
    );
    this.#cseq += 1;
    const tag = this.#remoteTag === undefined ? '' : `;tag=${this.#remoteTag}`;
    return {
      kind: 'request',
      method: 'SUBSCRIBE',
      uri: this.#remoteTarget,
      headers: new SipHeaders([
        ['From', `<${from}>;tag=${this.#localTag}`],
        ['To', `<${requestUri}>${tag}`],
        ['Call-ID', this.callId],
        ['CSeq', `${this.#cseq} SUBSCRIBE`],
        ['Max-Forwards', '70'],
        ['Contact', this.#host.contact()],
        ['Event', EVENT],
        ['Accept', ACCEPT],
        ['Expires', String(seconds)],
        ['Content-Type', contentType],
      ]),
      body,
    };
  }

  #ask(request: SipRequest): Promise<SipResponse> {
    return new Promise((resolve, reject) => {
      const client = this.#host.send(request, this.#options.target);
      client.onFinal = resolve;
      client.onError = reject;
    });
  }
}
