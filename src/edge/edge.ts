/**
 * The edge: between both SIP endpoints and the PBX link from start to stop, and the calls until they
 * have ended. What comes in goes through dispatch.ts.
 */
import { SegyError, toSegyError } from '../base/errors.js';
import type { PartnerConfig } from '../config/index.js';
import { Attempts } from './calls/attempts.js';
import type { Call } from './calls/call.js';
import { CallRegistry } from './calls/call-registry.js';
import { callView, countSetup, type CallView } from './calls/call-view.js';
import { Composer } from './calls/compose.js';
import { Gate } from './calls/gate.js';
import { identifiersOf } from './calls/mc-invite.js';
import { endRecordedDialogs, hangUpOrphans } from './calls/restart.js';
import { RetryKeys } from './calls/retry-keys.js';
import type { EdgeContext } from './calls/context.js';
import type { EdgeDependencies } from './dependencies.js';
import { Dispatch } from './dispatch.js';
import { GroupStanding } from './groups/group-standing.js';
import { Refusals } from './messages/refusal.js';

type LiveDependencies = Omit<EdgeDependencies, 'partners'> & {
  partners: readonly PartnerConfig[];
};

export class Edge {
  /** the partners change with a reload */
  readonly #deps: LiveDependencies;
  readonly #registry = new CallRegistry();
  readonly #refusals: Refusals;
  readonly #context: EdgeContext;
  readonly #gate: Gate;
  readonly #standing: GroupStanding;
  readonly #dispatch: Dispatch;
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
    this.#context = {
      deps,
      refusals: this.#refusals,
      registry: this.#registry,
      composer: new Composer(this.#registry),
      retryKeys: new RetryKeys(deps.env.timers, deps.settings.limits.retryMs),
      attempts: new Attempts(deps.env.timers, deps.env.random, deps.settings.limits.retryMs),
      onEnded: (call) => this.#ended(call),
    };
    this.#gate = new Gate(deps, this.#registry);
    this.#standing = new GroupStanding(deps);
    this.#dispatch = new Dispatch(this.#context, this.#gate, this.#standing, () => this.#draining);
  }

  /** Takes over both endpoints and the PBX link, and ends what an earlier run left. */
  async start(): Promise<void> {
    const { outer, inner, pbx, env } = this.#deps;
    for (const side of ['outer', 'inner'] as const) {
      const endpoint = side === 'outer' ? outer : inner;
      endpoint.onAdmission = (source) => this.#dispatch.admit(side, source);
      endpoint.onRequest = (uas) => this.#dispatch.request(side, uas);
      endpoint.onAck = (request, source) => this.#dispatch.ack(side, request, source);
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
    countSetup(env, call.callerSide, call.outcome);
    const about = { session: call.id, partner: call.partner.name };
    const dialog = call.dialogKey;
    env.log.info('call.ended', { ...about, outcome: kind, code, dialog });
    if (call.byes.owed && this.#owed < this.#deps.settings.limits.calls) {
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
