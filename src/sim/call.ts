/**
 * One call of a simulated party: an INVITE dialog of RFC 3261, as the user agent that made it or the
 * one that takes it.
 *
 * | state    | caller                          | callee                         |
 * |----------|---------------------------------|--------------------------------|
 * | inviting | INVITE sent                     | INVITE received                |
 * | ringing  | 18x received                    | 180 sent                       |
 * | up       | 2xx received, ACK sent          | 2xx sent                       |
 * | ended    | refused, cancelled, BYE, failed | the same                       |
 */
import { SegyError, toSegyError } from '../base/errors.js';
import { parseNameAddr, SipHeaders, tagOf } from '../sip/index.js';
import type {
  ClientTransaction,
  ServerTransaction,
  SipRequest,
  SipResponse,
} from '../sip/index.js';
import type { CallMedia, SipBody } from './call-media.js';
import type {
  CallEnd,
  CallHost,
  CallState,
  CallTimes,
  DialogStart,
  HeaderList,
  Invitation,
} from './call-model.js';

const SESSION_EXPIRES_S = 1800;

export class SimCall<M extends CallMedia = CallMedia> {
  state: CallState = 'inviting';
  readonly times: CallTimes;
  /** resolves true when the call is up, false when it ended before */
  readonly up: Promise<boolean>;
  readonly ended: Promise<CallEnd>;
  /** in-dialog requests received, by method */
  readonly received: string[] = [];
  /** takes in-dialog requests of methods that a call is not made of; without it they get 405 */
  onOther?: (transaction: ServerTransaction) => void;
  #remoteTag: string | undefined;
  #remoteTarget: string;
  #cseq = 1;
  #client: ClientTransaction | undefined;
  #server: ServerTransaction | undefined;
  #cancelled = false;
  #resolveUp!: (up: boolean) => void;
  #resolveEnded!: (end: CallEnd) => void;

  constructor(
    readonly agent: CallHost,
    readonly dialog: DialogStart,
    readonly media: M,
    /** INVITE of the caller where we are the callee */
    readonly invite?: SipRequest,
  ) {
    this.times = { invited: agent.env.clock.now() };
    this.#remoteTarget = dialog.remoteUri;
    this.up = new Promise((resolve) => (this.#resolveUp = resolve));
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
  }

  // Caller

  /**
   * Sends the INVITE. Resolves when it is sent, not when it is answered.
   * @throws SegyError when no offer can be made or nothing can be sent; the call has ended then
   */
  async start(invitation: Invitation): Promise<void> {
    try {
      await this.#invite(invitation);
    } catch (error) {
      this.#end({ by: 'failed', error: toSegyError(error) });
      throw error;
    }
  }

  async #invite(invitation: Invitation): Promise<void> {
    this.#remoteTarget = invitation.requestUri;
    const body = await this.media.offer();
    const request = this.#request('INVITE', body);
    for (const [name, value] of invitation.headers) request.headers.add(name, value);
    this.times.invited = this.agent.env.clock.now();
    const client = this.agent.send(request, this.dialog.target);
    this.#client = client;
    client.onProvisional = (response) => void this.#onProvisional(response);
    client.onFinal = (response) => void this.#onFinal(response, request);
    client.onError = (error) => this.#end({ by: 'failed', error });
  }

  /** Ends a call that is not answered yet; a 2xx that crosses the CANCEL is acknowledged and ended. */
  cancel(): void {
    this.#cancelled = true;
    this.#client?.cancel();
  }

  async #onProvisional(response: SipResponse): Promise<void> {
    if (response.status > 100 && this.state === 'inviting') {
      this.state = 'ringing';
      this.times.ringing = this.agent.env.clock.now();
    }
    if (response.body.length === 0 || this.state !== 'ringing') return;
    try {
      await this.media.takeAnswer(bodyOf(response));
      this.media.start();
    } catch {
      // an early answer binds nobody; the final one decides
    }
  }

  async #onFinal(response: SipResponse, request: SipRequest): Promise<void> {
    if (response.status >= 300) {
      const warning = response.headers.get('Warning');
      this.#end({
        by: this.#cancelled && response.status === 487 ? 'cancelled' : 'refused',
        status: response.status,
        headers: response.headers,
        ...(warning === undefined ? {} : { warning }),
      });
      return;
    }
    this.#acknowledge(response, request);
    if (this.state === 'up' || this.state === 'ended') return;
    this.times.answered = this.agent.env.clock.now();
    try {
      await this.media.takeAnswer(bodyOf(response));
    } catch (error) {
      this.#sendBye();
      this.#end({ by: 'failed', error: toSegyError(error) });
      return;
    }
    this.#goUp();
    if (this.#cancelled) this.bye();
  }

  #acknowledge(response: SipResponse, request: SipRequest): void {
    this.#remoteTag = tagOf(response.headers.get('To') ?? '');
    const contact = response.headers.get('Contact');
    if (contact !== undefined) this.#remoteTarget = parseNameAddr(contact).uri;
    const ack = this.#request(
      'ACK',
      undefined,
      Number.parseInt(request.headers.get('CSeq') ?? '1', 10),
    );
    this.agent.sendAck(ack, this.dialog.target);
  }

  // Callee

  /** Takes over an INVITE that the agent received. */
  take(transaction: ServerTransaction, request: SipRequest): void {
    this.#server = transaction;
    this.#learnPeer(request);
    transaction.onCancel = () => {
      this.#respond(487, 'Request Terminated');
      this.#end({ by: 'cancelled' });
    };
    transaction.onAckTimeout = () =>
      this.#end({ by: 'failed', error: new SegyError('SEGY_E_TIMEOUT', 'no ACK came') });
  }

  ring(): void {
    this.state = 'ringing';
    this.times.ringing = this.agent.env.clock.now();
    this.#respond(180, 'Ringing');
  }

  /** 183 with our answer: early media both ways. @throws SegyError when the offer is refused */
  async progress(): Promise<void> {
    if (!this.invite) return;
    this.state = 'ringing';
    const body = await this.media.answer(bodyOf(this.invite));
    if (this.hasEnded()) return;
    this.#respond(183, 'Session Progress', body);
    this.media.start();
  }

  /** Answers with 200, or refuses with the status of the SegyError that the media side throws. */
  async answer(): Promise<void> {
    if (!this.invite || this.state === 'ended' || this.state === 'up') return;
    let body: SipBody;
    try {
      body = await this.media.answer(bodyOf(this.invite));
    } catch (error) {
      const refusal = toSegyError(error);
      this.refuse(refusal.sipStatus, refusal);
      return;
    }
    if (this.hasEnded()) return;
    this.#respond(200, 'OK', body);
    this.times.answered = this.agent.env.clock.now();
    this.#goUp();
  }

  refuse(status: number, error?: SegyError): void {
    this.#respond(status, error ? error.code : 'Refused');
    this.#end({ by: 'refused', status, ...(error ? { error } : {}) });
  }

  /** Sends the caller elsewhere (RFC 3261 clause 8.3). */
  redirect(contact: string): void {
    this.#respond(302, 'Moved Temporarily', undefined, [['Contact', `<${contact}>`]]);
    this.#end({ by: 'refused', status: 302 });
  }

  // In the dialog

  /** tag of the peer; undefined before it has answered */
  get remoteTag(): string | undefined {
    return this.#remoteTag;
  }

  hasEnded(): boolean {
    return this.state === 'ended';
  }

  /** Re-INVITE with a fresh offer of the media side. @returns the final status */
  async reinvite(headers: HeaderList = []): Promise<number> {
    const request = this.#request('INVITE', await this.media.offer());
    for (const [name, value] of headers) request.headers.add(name, value);
    const response = await this.#transact(request);
    if (response.status < 300) {
      this.#acknowledge(response, request);
      await this.media.takeAnswer(bodyOf(response));
    }
    return response.status;
  }

  /** Session refresh (RFC 4028) by an UPDATE without a body. @returns the final status */
  async refresh(): Promise<number> {
    const request = this.#request('UPDATE');
    request.headers.set('Session-Expires', `${SESSION_EXPIRES_S};refresher=uac`);
    return (await this.#transact(request)).status;
  }

  /** A request of another method. @returns its final response */
  ask(method: string, headers: HeaderList, body?: SipBody): Promise<SipResponse> {
    const request = this.#request(method, body);
    for (const [name, value] of headers) request.headers.add(name, value);
    return this.#transact(request);
  }

  bye(): void {
    if (this.state !== 'up') return;
    this.#sendBye();
    this.#end({ by: 'us' });
  }

  /** Takes a request in the dialog. */
  async takeRequest(transaction: ServerTransaction): Promise<void> {
    const { request } = transaction;
    this.received.push(request.method);
    this.#learnPeer(request);
    switch (request.method) {
      case 'BYE':
        this.agent.respond(transaction, 200, 'OK', this.dialog.localTag);
        this.#end({ by: 'peer' });
        return;
      case 'INVITE':
      case 'UPDATE':
        await this.#takeOffer(transaction);
        return;
      case 'INFO':
      case 'OPTIONS':
        this.agent.respond(transaction, 200, 'OK', this.dialog.localTag);
        return;
      default:
        if (this.onOther) this.onOther(transaction);
        else this.agent.respond(transaction, 405, 'Method Not Allowed', this.dialog.localTag);
    }
  }

  async #takeOffer(transaction: ServerTransaction): Promise<void> {
    try {
      const body = transaction.request.body.length > 0 ? bodyOf(transaction.request) : undefined;
      const answer = body && (await this.media.answer(body));
      this.agent.respond(
        transaction,
        200,
        'OK',
        this.dialog.localTag,
        answer,
        this.#sessionHeaders(transaction.request),
      );
    } catch (error) {
      const refusal = toSegyError(error);
      this.agent.respond(transaction, refusal.sipStatus, refusal.code, this.dialog.localTag);
    }
  }

  #goUp(): void {
    this.state = 'up';
    this.media.start();
    this.#resolveUp(true);
  }

  #end(end: CallEnd): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.times.ended = this.agent.env.clock.now();
    this.media.close();
    this.agent.forget(this.dialog.callId);
    this.#resolveUp(false);
    this.#resolveEnded(end);
  }

  #sendBye(): void {
    this.agent.sendLast(this.#request('BYE'), this.dialog.target);
  }

  #learnPeer(request: SipRequest): void {
    this.#remoteTag ??= tagOf(request.headers.get('From') ?? '');
    const contact = request.headers.get('Contact');
    if (contact !== undefined) this.#remoteTarget = parseNameAddr(contact).uri;
  }

  #respond(status: number, reason: string, body?: SipBody, more: HeaderList = []): void {
    if (!this.#server || !this.invite) return;
    this.agent.respond(this.#server, status, reason, this.dialog.localTag, body, [
      ...this.#sessionHeaders(this.invite),
      ...more,
    ]);
  }

  /** A session timer is granted as asked, with the peer as refresher, to who can do it. */
  #sessionHeaders(request: SipRequest): HeaderList {
    const asked = request.headers.get('Session-Expires');
    if (asked === undefined) return [];
    const seconds = asked.split(';')[0] ?? '';
    return [
      ['Session-Expires', `${seconds};refresher=uac`],
      ['Require', 'timer'],
    ];
  }

  #request(method: string, body?: SipBody, cseq?: number): SipRequest {
    const { dialog } = this;
    const headers = new SipHeaders();
    headers.set('From', `<${dialog.localUri}>;tag=${dialog.localTag}`);
    headers.set(
      'To',
      `<${dialog.remoteUri}>${this.#remoteTag === undefined ? '' : `;tag=${this.#remoteTag}`}`,
    );
    headers.set('Call-ID', dialog.callId);
    headers.set('CSeq', `${cseq ?? this.#cseq} ${method}`);
    if (cseq === undefined) this.#cseq += 1;
    headers.set('Max-Forwards', '70');
    headers.set('Contact', this.agent.contact());
    headers.set('Supported', 'timer');
    if (body) headers.set('Content-Type', body.type);
    return {
      kind: 'request',
      method,
      uri: this.#remoteTarget,
      headers,
      body: body?.bytes ?? new Uint8Array(0),
    };
  }

  #transact(request: SipRequest): Promise<SipResponse> {
    return new Promise((resolve, reject) => {
      const client = this.agent.send(request, this.dialog.target);
      client.onFinal = resolve;
      client.onError = reject;
    });
  }
}

function bodyOf(message: SipRequest | SipResponse): SipBody {
  return { type: message.headers.get('Content-Type') ?? '', bytes: message.body };
}
