/**
 * The edge: takes every request of both sides, decides whose it is, and keeps the calls.
 */
import { SegyError, toSegyError } from '../base/errors.js';
import type { PartnerConfig } from '../config/index.js';
import {
  parseCSeq,
  parseMaxForwards,
  tagOf,
  type ServerTransaction,
  type SipRequest,
  type SipSource,
} from '../sip/index.js';
import { bodyOf } from './messages/bodies.js';
import type { Call } from './calls/call.js';
import { Arrivals } from './calls/arrivals.js';
import { Attempts } from './calls/attempts.js';
import { CallRegistry } from './calls/call-registry.js';
import { capabilities } from './capabilities.js';
import { callView, directionOf, type CallOutcome, type CallView } from './calls/call-view.js';
import { Composer } from './calls/compose.js';
import type { EdgeContext } from './context.js';
import type { EdgeDependencies, Side } from './dependencies.js';
import { readNotices } from './messages/document-diff.js';
import { Gate } from './calls/gate.js';
import { takeKeys } from './groups/group-messages.js';
import { GroupStanding } from './groups/group-standing.js';
import { InDialog } from './calls/in-dialog.js';
import { identifiersOf } from './calls/mc-invite.js';
import { KEY_METHODS } from './messages/methods.js';
import { checkTakeover } from './messages/pass-headers.js';
import { methodsFor, methodsIn, refusalOutside } from './methods.js';
import { callFromMc } from './calls/pipeline-in.js';
import { callFromPbx } from './calls/pipeline-out.js';
import { Refusals } from './messages/refusal.js';
import { RetryKeys } from './calls/retry-keys.js';
import { endRecordedDialogs, hangUpOrphans } from './calls/restart.js';

/** Highest CSeq taken, well below the 2^31 - 1 that RFC 3261 clause 8.1.1.5 ends at. */
const MAX_PASSED_CSEQ = 0x7fff_0000;

type LiveDependencies = Omit<EdgeDependencies, 'partners'> & {
  partners: readonly PartnerConfig[];
};

export class Edge {
  /** the partners change with a reload */
  readonly #deps: LiveDependencies;
  readonly #registry = new CallRegistry();
  readonly #refusals: Refusals;
  readonly #context: EdgeContext;
  readonly #inDialog: InDialog;
  readonly #arrivals: Arrivals;
  readonly #gate: Gate;
  readonly #standing: GroupStanding;
  /** records on their way out of the store */
  readonly #removals = new Set<Promise<void>>();
  /** records left to the next start, because the partner never answered our BYE */
  #owed = 0;
  #orphansEnded = false;
  #whenEmpty: (() => void)[] = [];
  #draining = false;
  /** resolves when the dialogs of an earlier run have had their BYE, which calls do not wait for */
  recovered: Promise<void> = Promise.resolve();

  constructor(given: EdgeDependencies) {
    const deps: LiveDependencies = { ...given };
    this.#deps = deps;
    this.#refusals = new Refusals(deps);
    const composer = new Composer(this.#registry);
    this.#context = {
      deps,
      refusals: this.#refusals,
      registry: this.#registry,
      composer,
      retryKeys: new RetryKeys(deps.env.timers, deps.settings.limits.retryMs),
      attempts: new Attempts(deps.env.timers, deps.env.random, deps.settings.limits.retryMs),
      onEnded: (call) => this.#ended(call),
    };
    this.#inDialog = new InDialog(composer);
    this.#arrivals = new Arrivals(deps, this.#refusals, {
      take: (uas, partner) => this.#outside('outer', uas, partner),
      refuse: (uas, error, partner) => this.#refuse('outer', uas, error, partner),
      callOf: (request) => this.#registry.find('outer', request.headers.get('Call-ID') ?? ''),
    });
    this.#gate = new Gate(deps, this.#registry);
    this.#standing = new GroupStanding(deps);
  }

  /** Takes over both endpoints and the PBX link, and ends what an earlier run left. */
  async start(): Promise<void> {
    const { outer, inner, pbx, env } = this.#deps;
    for (const side of ['outer', 'inner'] as const) {
      const endpoint = side === 'outer' ? outer : inner;
      endpoint.onAdmission = (source) => this.#admit(side, source);
      endpoint.onRequest = (uas) => this.#request(side, uas);
      endpoint.onAck = (request, source) => this.#ack(side, request, source);
      endpoint.onProtocolError = ({ code, source, message, handshake }) => {
        if (handshake === true) {
          this.#refusals.noteHandshake(side, source.address, new SegyError(code, message));
          return;
        }
        const error = new SegyError(code, 'a message could not be read');
        this.#refusals.note(side, source.address, error, 'parse');
      };
    }
    const { groups } = this.#deps;
    if (groups !== undefined) groups.onChange = (partner, ids) => this.#keysChanged(partner, ids);
    pbx.onResync = (live) => this.#resync(live);
    await pbx.start();
    if (pbx.linked) await this.#endOrphans();
    this.recovered = endRecordedDialogs(this.#deps).catch((error: unknown) => {
      env.log.error('restart.dialogs.failed', { message: toSegyError(error).message });
    });
    this.#standing.start();
  }

  /**
   * Takes no new call from here on: INVITE and OPTIONS get 503 on both sides. Calls that are up go on.
   * Resolves when the last one has ended.
   */
  drain(): Promise<void> {
    this.#draining = true;
    return this.#emptied();
  }

  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Other partners from here on. A partner whose profile is the same object keeps its rates and
   * subscriptions; calls that are up go on under the profile with which they began.
   */
  update(partners: readonly PartnerConfig[]): void {
    this.#deps.partners = partners;
    this.#gate.update(partners);
    this.#standing.update(partners);
  }

  /** Ends every call, with BYE to both sides, waits for their answers, and ends the PBX link. */
  async stop(): Promise<void> {
    const { pbx, settings } = this.#deps;
    const withdrawn = Promise.all([this.#standing.stop(), this.#deps.notifier?.stop()]);
    for (const call of [...this.#registry]) {
      call.abort(new SegyError('SEGY_E_CANCELLED', 'the gateway is stopping'), 503);
    }
    await this.#atMost(settings.limits.stopMs, this.#emptied());
    for (const call of [...this.#registry]) call.drop();
    this.#context.retryKeys.clear();
    this.#context.attempts.clear();
    await this.#atMost(settings.limits.stopMs, withdrawn);
    await Promise.all(this.#removals);
    await pbx.stop();
  }

  /** The calls there are, for the operator. */
  calls(): CallView[] {
    return [...this.#registry].map(callView);
  }

  /** Before parsing: the source alone. */
  #admit(side: Side, source: SipSource): boolean {
    if (this.#gate.admit(side, source)) return true;
    const error = new SegyError('SEGY_E_UNKNOWN_SOURCE', 'the source may not send here');
    this.#refusals.note(side, source.address, error, 'admission');
    return false;
  }

  #request(side: Side, uas: ServerTransaction): void {
    let partner: PartnerConfig | undefined;
    try {
      partner = this.#gate.partnerOf(side, uas.source, uas.request);
      requireRoomAbove(uas.request);
      if (parseMaxForwards(uas.request.headers.get('Max-Forwards') ?? '70') === 0) {
        throw new SegyError('SEGY_E_SIP_TOO_MANY_HOPS', 'Max-Forwards is zero');
      }
      const toTag = tagOf(uas.request.headers.get('To') ?? '');
      if (toTag !== undefined)
        this.#within(side, this.#arrivals.open(uas, partner).uas, partner, toTag);
      else if (partner === undefined) this.#outside(side, uas, partner);
      else this.#arrivals.outside(uas, partner, this.#gate.takeRequest(partner));
    } catch (error) {
      this.#refuse(side, uas, toSegyError(error), partner);
    }
  }

  #countSetup(callerSide: Side, { kind, code }: CallOutcome): void {
    const labels = { direction: directionOf({ callerSide }), outcome: kind, code };
    this.#deps.env.metrics.count('segy_call_setups_total', labels);
  }

  #refuse(
    side: Side,
    uas: ServerTransaction,
    refusal: SegyError,
    partner: PartnerConfig | undefined,
  ): void {
    const { request } = uas;
    if (request.method === 'INVITE' && tagOf(request.headers.get('To') ?? '') === undefined) {
      this.#countSetup(side, { kind: 'refused', code: refusal.code });
    }
    this.#refusals.note(side, uas.source.address, refusal, request.method);
    const response = this.#refusals.response(request, side, refusal, partner);
    if (response.status === 405) {
      const call = this.#callOf(side, request, partner);
      const allowed = call ? methodsIn(call) : methodsFor(this.#deps, side, partner);
      response.headers.set('Allow', allowed.join(', '));
    }
    uas.respond(response);
  }

  /** A request of no dialog. */
  #outside(side: Side, uas: ServerTransaction, partner: PartnerConfig | undefined): void {
    const { request } = uas;
    this.#refuseLoop(side, request);
    if (this.#draining && (request.method === 'OPTIONS' || request.method === 'INVITE')) {
      throw new SegyError('SEGY_E_DRAINING', 'the gateway is ending');
    }
    if (request.method === 'OPTIONS') {
      uas.respond(capabilities(this.#deps, this.#refusals, side, uas, partner));
      return;
    }
    if (KEY_METHODS.includes(request.method) && partner && this.#deps.groups) {
      takeKeys(this.#deps, this.#refusals, uas, partner);
      return;
    }
    const { notifier } = this.#deps;
    if (request.method === 'SUBSCRIBE' && partner && notifier) {
      notifier.subscribe(uas, partner);
      return;
    }
    if (request.method !== 'INVITE') {
      throw refusalOutside(request.method, methodsFor(this.#deps, side, partner));
    }
    const map = this.#registry.mapFrom(side, partner?.name);
    checkTakeover(request, partner !== undefined, map);
    if (partner === undefined) callFromPbx(this.#context, uas);
    else callFromMc(this.#context, uas, partner);
  }

  /** RFC 3261 clause 8.2.2.2, and our own INVITE come back. */
  #refuseLoop(side: Side, request: SipRequest): void {
    const endpoint = this.#deps[side];
    const known = this.#registry.find(side, request.headers.get('Call-ID') ?? '');
    if (endpoint.isLoop(request) || known?.calleeSide === side) {
      throw new SegyError('SEGY_E_SIP_LOOP', 'the request came from this gateway');
    }
    if (known?.isLive() === true) {
      throw new SegyError('SEGY_E_SIP_LOOP', 'a call with this Call-ID is in progress');
    }
  }

  #within(
    side: Side,
    uas: ServerTransaction,
    partner: PartnerConfig | undefined,
    toTag: string,
  ): void {
    const { request } = uas;
    if (request.method === 'NOTIFY' && partner && this.#standing.knows(request, partner)) {
      if (!this.#standing.isInOrder(request)) {
        uas.respond(this.#refusals.plain(request, 500));
        return;
      }
      const notices = readNotices(bodyOf(request), partner.codePoints);
      takeKeys(this.#deps, this.#refusals, uas, partner);
      this.#standing.notified(request);
      this.#deps.documents?.changed(partner, notices);
      return;
    }
    const subscription = partner && this.#deps.notifier?.find(request, partner);
    if (request.method === 'SUBSCRIBE' && subscription !== undefined) {
      this.#deps.notifier?.refresh(uas, subscription);
      return;
    }
    const call = this.#callOf(side, request, partner);
    const pair = call?.findPair(side, toTag, tagOf(request.headers.get('From') ?? '') ?? '');
    if (call === undefined || pair === undefined || !call.isLive()) {
      uas.respond(this.#refusals.plain(request, 481));
      return;
    }
    this.#inDialog.request(call, pair, side, uas);
  }

  #ack(side: Side, request: SipRequest, source: SipSource): void {
    try {
      const partner = this.#gate.partnerOf(side, source, request);
      if (partner !== undefined) this.#deps.protection?.open(partner, request, request);
      parseCSeq(request.headers.get('CSeq') ?? '');
      const call = this.#callOf(side, request, partner);
      const toTag = tagOf(request.headers.get('To') ?? '') ?? '';
      const fromTag = tagOf(request.headers.get('From') ?? '') ?? '';
      const pair = call?.findPair(side, toTag, fromTag);
      if (call !== undefined && pair !== undefined) this.#inDialog.ack(call, pair, side, request);
    } catch (error) {
      this.#refusals.note(side, source.address, toSegyError(error), 'ACK');
    }
  }

  /** A call is touched on its outer side only by its own partner. */
  #callOf(side: Side, request: SipRequest, partner: PartnerConfig | undefined): Call | undefined {
    const call = this.#registry.find(side, request.headers.get('Call-ID') ?? '');
    return side === 'outer' && call?.partner.name !== partner?.name ? undefined : call;
  }

  /** Keys of these groups changed: calls of theirs take that in. */
  #keysChanged(partner: string, ids: readonly string[]): void {
    for (const { media } of this.#registry) {
      const group = media?.group;
      if (group?.partner === partner && ids.includes(group.group.id)) group.refresh();
    }
  }

  #emptied(): Promise<void> {
    if (this.#registry.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Resolves with `work`, or after `ms` without it. */
  #atMost(ms: number, work: Promise<unknown>): Promise<void> {
    const { timers } = this.#deps.env;
    return new Promise((resolve) => {
      const limit = timers.setTimeout(resolve, ms);
      const done = (): void => {
        timers.clearTimeout(limit);
        resolve();
      };
      work.then(done, done);
    });
  }

  /** Sessions whose channel is not among the live ones have lost their PBX leg. */
  #resync(live: ReadonlySet<string>): void {
    for (const call of [...this.#registry]) {
      if (call.channel !== null && !live.has(call.channel.id)) call.channelGone();
    }
    this.#endOrphans().catch((error: unknown) => {
      this.#deps.env.log.warn('restart.orphans.failed', { message: toSegyError(error).message });
    });
  }

  /** Once, at the first link after the start that stays long enough. */
  async #endOrphans(): Promise<void> {
    if (this.#orphansEnded) return;
    this.#orphansEnded = true;
    this.#orphansEnded = await hangUpOrphans(this.#deps);
  }

  #ended(call: Call): void {
    this.#registry.remove(call);
    if (call.callerSide === 'outer' && call.media?.wasArmed !== true) {
      this.#context.attempts.refused(call.partner.name, identifiersOf(call), call.dialogKey);
    }
    if (this.#registry.size === 0) for (const tell of this.#whenEmpty.splice(0)) tell();
    const { env, records } = this.#deps;
    env.metrics.gauge('segy_calls', this.#registry.size);
    this.#deps.alarms?.clear('clear-call', call.id);
    const { kind, code } = call.outcome;
    this.#countSetup(call.callerSide, call.outcome);
    const about = { session: call.id, partner: call.partner.name };
    const dialog = call.dialogKey;
    env.log.info('call.ended', { ...about, outcome: kind, code, dialog });
    if (call.owesBye && this.#owed < this.#deps.settings.limits.calls) {
      this.#owed += 1;
      env.log.warn('call.bye.owed', { session: call.id, partner: call.partner.name });
      return;
    }
    const removed = records.remove(call.id).catch((error: unknown) => {
      env.log.error('records.failed', { message: toSegyError(error).message });
    });
    this.#removals.add(removed);
    void removed.then(() => this.#removals.delete(removed));
  }
}

/** The gateway's own BYE to the other side needs a number above every one that was passed there. */
function requireRoomAbove(request: SipRequest): void {
  if (parseCSeq(request.headers.get('CSeq') ?? '').number > MAX_PASSED_CSEQ) {
    throw new SegyError('SEGY_E_SIP_SYNTAX', 'the CSeq leaves no room for a later request');
  }
}
