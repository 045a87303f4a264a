/**
 * What comes back to the INVITE that opens a call: provisional responses of every fork, the 2xx that
 * counts and later ones, refusals. The way of the INVITE itself is in failover.ts.
 *
 * Until `release` a 2xx and every response with SDP is held: the media session is not armed, and no
 * side may believe that it can be heard.
 */
import { SegyError } from '../../base/errors.js';
import {
  parseCSeq,
  tagOf,
  type SipRequest,
  type SipResponse,
  type SipSource,
  type SipTarget,
} from '../../sip/index.js';
import { passRedirect, sdpOf, setSdp } from '../messages/bodies.js';
import type { Call } from './call.js';
import type { Composer } from './compose.js';
import { pbxTarget } from '../partners/next-hop.js';
import { ownHostPort } from '../messages/contact.js';
import type { Side } from '../dependencies.js';
import { routeSetOf } from '../messages/dialog.js';
import { keepRecord } from './dialog-record.js';
import { Failover } from './failover.js';
import { calleeDialog, callerDialog } from './fork-dialogs.js';
import type { Negotiation } from './negotiation.js';
import { Pair } from './pair.js';
import { capRetryAfter, passedStatus } from './passed-status.js';
import { Referrals } from './referrals.js';
import { redirectContacts } from './redirect.js';
import { domainParameterOf } from './route-out.js';
import { translateAnswer, translateCapabilities } from './translate.js';

export interface InviteRelayInit {
  readonly call: Call;
  readonly composer: Composer;
  readonly negotiation: Negotiation;
  /** address of the caller, for requests to it */
  readonly source: SipSource;
  /** true where the media is armed before the INVITE leaves */
  readonly released: boolean;
  /** called before a refusal after which the caller may send the same INVITE again */
  readonly onRetryLater?: () => void;
}

/** Dialogs of forks that answer, in those that may be early: each is owed an ACK and a BYE. */
const ANSWERS = 2;

/** After these the caller tries again with the same message: an extension less, a longer interval. */
const RETRIED: ReadonlySet<number> = new Set([420, 422]);

export class InviteRelay {
  readonly #call: Call;
  readonly #composer: Composer;
  readonly #negotiation: Negotiation;
  readonly #source: InviteRelayInit['source'];
  readonly #held: SipResponse[] = [];
  readonly #cseq: number;
  readonly #onRetryLater: (() => void) | undefined;
  readonly #failover: Failover;
  #released: boolean;

  constructor(init: InviteRelayInit) {
    this.#call = init.call;
    this.#composer = init.composer;
    this.#negotiation = init.negotiation;
    this.#source = init.source;
    this.#released = init.released;
    this.#onRetryLater = init.onRetryLater;
    this.#cseq = parseCSeq(init.call.invite.headers.get('CSeq') ?? '').number;
    this.#failover = new Failover(init.call, this.#cseq, {
      take: (response) => this.#queue(response),
      fail: (error) => this.#fail(error),
    });
  }

  /** Sends `request` to the first of `targets` that can be reached. */
  start(request: SipRequest, targets: readonly SipTarget[]): void {
    this.#call.move('sent');
    this.#failover.start(request, targets);
  }

  get released(): boolean {
    return this.#released;
  }

  /** The media is armed: what was held goes on, in its order. */
  release(): void {
    this.#released = true;
    for (const response of this.#held.splice(0)) this.#queue(response);
  }

  /** The callee's transaction is over without a final response. */
  #fail(error: SegyError): void {
    const call = this.#call;
    if (call.state === 'calling') {
      call.refuse(error, call.calleeSide === 'inner' ? 503 : error.sipStatus);
    }
    call.refused();
  }

  #queue(response: SipResponse): void {
    this.#call.enqueue(() => this.#take(response));
  }

  /** A 2xx that cannot be passed on is owed an ACK and a BYE all the same. */
  async #take(response: SipResponse): Promise<void> {
    try {
      await this.#handle(response);
    } catch (error) {
      const accepts = response.status >= 200 && response.status < 300;
      if (accepts && this.#call.state === 'calling') this.#answered(response);
      throw error;
    }
  }

  async #handle(response: SipResponse): Promise<void> {
    const call = this.#call;
    if (response.status === 100) return;
    if (response.status >= 300) {
      this.#refuse(response);
      return;
    }
    if (!call.isLive() || call.state === 'accepted' || call.state === 'confirmed') {
      if (response.status >= 200) this.#late(response);
      return;
    }
    if (response.status < 200 && !this.#hasRoomFor(response)) {
      call.deps.env.log.warn('call.forks.exceeded', { session: call.id, status: response.status });
      return;
    }
    const sdp = sdpOf(response);
    if (!this.#released && (sdp !== null || response.status >= 200)) this.#hold(response);
    else if (response.status < 200) await this.#provisional(response, sdp);
    else await this.#accept(response, sdp);
  }

  #hold(response: SipResponse): void {
    const { answered } = this.#call;
    if (response.status >= 200 && answered !== null && this.#pairOf(response) !== answered) {
      this.#late(response);
      return;
    }
    const tag = tagOf(response.headers.get('To') ?? '');
    const repeats = this.#held.some(
      (held) =>
        held.status === response.status &&
        held.headers.get('RSeq') === response.headers.get('RSeq') &&
        tagOf(held.headers.get('To') ?? '') === tag,
    );
    if (!repeats) this.#held.push(response);
    if (response.status >= 200 && answered === null) this.#answered(response);
  }

  /** From here on a hang-up owes the callee an ACK and a BYE. */
  #answered(response: SipResponse): Pair {
    const pair = this.#pairOf(response);
    pair.on(this.#call.calleeSide).routeSet = routeSetOf(response, true);
    pair.on(this.#call.calleeSide).refreshTarget(response);
    if (pair.invite !== null) pair.invite.state = 'answered';
    this.#call.answered = pair;
    this.#call.move('answer');
    return pair;
  }

  async #provisional(response: SipResponse, sdp: Uint8Array | null): Promise<void> {
    const call = this.#call;
    const pair = this.#pairOf(response);
    const rseq = response.headers.get('RSeq');
    if (rseq !== undefined && pair.lastReliable?.rseq === rseq) {
      call.respond(pair.lastReliable.response);
      return;
    }
    const passed = this.#composer.passResponse(
      call,
      response,
      call.invite,
      pair.on(call.callerSide),
    );
    if (sdp !== null) setSdp(passed, await this.#answer(pair, sdp, rseq !== undefined));
    if (!call.isLive()) return;
    if (rseq !== undefined) pair.lastReliable = { rseq, response: passed };
    call.respond(passed);
  }

  async #accept(response: SipResponse, sdp: Uint8Array | null): Promise<void> {
    const call = this.#call;
    const held = call.answered;
    if (held !== null && this.#pairOf(response) !== held) {
      this.#late(response);
      return;
    }
    const pair = this.#answered(response);
    const passed = this.#composer.passResponse(
      call,
      response,
      call.invite,
      pair.on(call.callerSide),
    );
    if (sdp !== null) setSdp(passed, await this.#answer(pair, sdp, true));
    else if (pair.negotiation.offerer !== null) {
      throw new SegyError('SEGY_E_MEDIA', 'the offer was never answered');
    }
    if (call.calleeSide === 'outer') await call.media?.selectLeg(legOf(pair, call.calleeSide));
    if (!call.isLive()) return;
    await keepRecord(call);
    await call.media?.floor?.callUp();
    if (!call.isLive()) return;
    call.move('pass');
    call.respond(passed);
    const { env } = call.deps;
    const { caller, callee } = call.names;
    env.metrics.count('segy_calls_connected_total', { partner: call.partner.name });
    env.log.info('call.connected', {
      session: call.id,
      partner: call.partner.name,
      caller,
      callee,
    });
  }

  #answer(pair: Pair, sdp: Uint8Array, final: boolean): Promise<string> {
    const call = this.#call;
    const leg = call.calleeSide === 'outer' ? { leg: legOf(pair, 'outer') } : {};
    return translateAnswer(call, pair.negotiation, call.calleeSide, sdp, { ...leg, final });
  }

  /** A 2xx of another fork, or after the caller left. */
  #late(response: SipResponse): void {
    const call = this.#call;
    const pair = this.#pairOf(response);
    const exchange = pair.invite;
    if (pair === call.answered && call.isLive()) return;
    if (exchange?.state !== 'pending') return;
    exchange.state = 'answered';
    pair.on(call.calleeSide).refreshTarget(response);
    call.move('answer');
    call.byes.hangUp(pair, call.calleeSide);
  }

  /** A final refusal; of a redirection only what the caller can follow. */
  #refuse(response: SipResponse): void {
    const call = this.#call;
    if (call.state === 'calling') {
      if (RETRIED.has(response.status)) this.#onRetryLater?.();
      const { settings, clients } = call.deps;
      const dialog = callerDialog(call, this.#source, null);
      const here = ownHostPort(settings, 'inner', pbxTarget(settings));
      const partner = call.callerSide === 'inner' ? domainParameterOf(call.invite.uri) : '';
      const contacts =
        response.status < 400
          ? redirectContacts(response, call.calleeSide, clients, here + partner)
          : [];
      const status = passedStatus(response.status, call.calleeSide, contacts.length > 0);
      const passed = this.#composer.passResponse(call, response, call.invite, dialog, status);
      if (status !== response.status) capRetryAfter(passed, settings.limits.retryAfterSeconds);
      if (contacts.length > 0) passed.headers.set('Contact', contacts);
      const isRedirect =
        status === 488 && call.calleeSide === 'inner' && passRedirect(response, passed);
      const sdp = status === 488 && !isRedirect ? sdpOf(response) : null;
      if (sdp !== null) {
        setSdp(passed, translateCapabilities(this.#negotiation, call.calleeSide, sdp));
      }
      call.respond(passed);
      const { log } = call.deps.env;
      log.info('call.refused', { session: call.id, status: response.status, by: call.calleeSide });
      if (contacts.length > 0 && call.callerSide === 'inner') call.releaseChannel();
    }
    call.refused(response.status);
  }

  /** A provisional response may belong to a fork that is known, or to one more within the limit. */
  #hasRoomFor(response: SipResponse): boolean {
    const { pairs, deps } = this.#call;
    return this.#knownPair(response) !== undefined || pairs.length < deps.settings.limits.forks;
  }

  #knownPair(response: SipResponse): Pair | undefined {
    const call = this.#call;
    const tag = tagOf(response.headers.get('To') ?? '') ?? '';
    return call.pairs.find((pair) => pair.on(call.calleeSide).remoteTag === tag);
  }

  #pairOf(response: SipResponse): Pair {
    const call = this.#call;
    const known = this.#knownPair(response);
    if (known !== undefined) return known;
    if (call.pairs.length >= ANSWERS * call.deps.settings.limits.forks) {
      throw new SegyError('SEGY_E_BUSY', 'the INVITE forked into too many dialogs');
    }
    const { sent } = this.#failover;
    if (sent === null) throw new SegyError('SEGY_E_INTERNAL', 'a response came to no INVITE');
    const callee = calleeDialog(call, sent.request, sent.target, response);
    const caller = callerDialog(call, this.#source, call.pairs.length === 0 ? call.localTag : null);
    const dialogs = {
      outer: call.calleeSide === 'outer' ? callee : caller,
      inner: call.calleeSide === 'inner' ? callee : caller,
    };
    const exchange = { from: call.callerSide, cseq: this.#cseq, state: 'pending' as const };
    const referrals = new Referrals(call.deps.env.clock);
    const pair = new Pair(dialogs, this.#negotiation.fork(), referrals, exchange);
    call.pairs.push(pair);
    return pair;
  }
}

function legOf(pair: Pair, side: Side): string {
  return pair.on(side).remoteTag;
}
