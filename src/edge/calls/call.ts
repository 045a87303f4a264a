/**
 * One private call: its state, its forks, its media and its PBX channel, and every way it can end.
 * What passes through it is the business of invite-relay.ts and in-dialog.ts, its BYEs are in byes.ts.
 */
import { toHex } from '../../base/bytes.js';
import type { TimerHandle } from '../../base/environment.js';
import { SegyError, toSegyError } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import type { FloorLevel } from '../../media/index.js';
import type { ClientTransaction, ServerTransaction, SipResponse } from '../../sip/index.js';
import { Byes } from './byes.js';
import type { CallMedia } from './call-media.js';
import {
  isLive,
  nextCallState,
  type CallEvent,
  type CallOutcome,
  type CallState,
} from './call-state.js';
import { otherSide, type CallDependencies, type Side } from '../dependencies.js';
import type { OuterInterface } from '../interfaces.js';
import type { Pair } from './pair.js';
import type { PbxChannel } from '../ports/pbx-port.js';
import type { Refusals } from '../messages/refusal.js';

/** A transaction that passes through the call and is answered by us when the call ends first. */
export interface OpenRelay {
  /** answers the sender with `status` and forgets the rest */
  giveUp(status: number): void;
}

export interface CallInit {
  readonly id: string;
  readonly callerSide: Side;
  readonly partner: PartnerConfig;
  readonly uas: ServerTransaction;
  readonly outerInterface: OuterInterface | undefined;
  readonly deps: CallDependencies;
  readonly refusals: Refusals;
  readonly onEnded: (call: Call) => void;
}

export class Call {
  readonly id: string;
  /** in milliseconds since 1970 */
  readonly startedAt: number;
  readonly callerSide: Side;
  readonly calleeSide: Side;
  readonly partner: PartnerConfig;
  readonly deps: CallDependencies;
  readonly refusals: Refusals;
  /** aborted as soon as nobody waits for the call any more */
  readonly stop = new AbortController();
  readonly pairs: Pair[] = [];
  readonly relays = new Set<OpenRelay>();
  readonly byes = new Byes(this, () => this.#settle());
  /** our tag towards the caller in the first fork */
  readonly localTag: string;
  /** our tag towards the callee in every fork */
  readonly calleeTag: string;
  /** MC service IDs, for variables and the log */
  names: { readonly caller: string; readonly callee: string } = { caller: '', callee: '' };
  /** MC group ID of a group call; null for a private one */
  group: string | null = null;
  /** how urgent it is, as mcptt-info or the dialplan says */
  level: FloorLevel = 'normal';
  /** names the dialog with the MC side for the replay and audit records, the same through retries */
  dialogKey = '';
  /** Call-ID on the callee's side; empty until it is chosen */
  calleeCallId = '';
  /** the outer interface that it lives on */
  readonly outerInterface: OuterInterface | undefined;
  media: CallMedia | null = null;
  channel: PbxChannel | null = null;
  /** INVITE transaction with the callee */
  uac: ClientTransaction | null = null;
  /** who was heard last in a group call: MC service ID, or GUK-ID in hex */
  talker: string | null = null;
  /** when the 2xx was passed, in milliseconds since 1970 */
  connectedAt: number | null = null;
  outcome: CallOutcome = { kind: 'cancelled', code: '-' };
  /** the pair whose 2xx counts */
  answered: Pair | null = null;
  readonly #uas: ServerTransaction;
  readonly #onEnded: (call: Call) => void;
  readonly #timers = new Set<TimerHandle>();
  #state: CallState = 'checking';
  #uasDone = false;
  #over = false;
  #queue: Promise<void> = Promise.resolve();

  constructor(init: CallInit) {
    this.id = init.id;
    this.callerSide = init.callerSide;
    this.calleeSide = otherSide(init.callerSide);
    this.partner = init.partner;
    this.deps = init.deps;
    this.refusals = init.refusals;
    this.startedAt = init.deps.env.clock.now();
    this.#uas = init.uas;
    this.outerInterface = init.outerInterface;
    this.#onEnded = init.onEnded;
    this.localTag = init.uas.localTag;
    this.calleeTag = toHex(init.deps.env.random(8));
    init.uas.onCancel = () => this.cancelled();
    init.uas.onAckTimeout = () => this.#ackMissing();
  }

  get state(): CallState {
    return this.#state;
  }

  /** True until it is being ended. */
  isLive(): boolean {
    return isLive(this.#state);
  }

  /** Call-ID on the caller's side. */
  get callerCallId(): string {
    return this.#uas.request.headers.get('Call-ID') ?? '';
  }

  /** The INVITE that opened the call. */
  get invite(): ServerTransaction['request'] {
    return this.#uas.request;
  }

  move(event: CallEvent): void {
    this.#state = nextCallState(this.#state, event);
    if (this.#state !== 'accepted' || this.connectedAt !== null) return;
    this.connectedAt = this.deps.env.clock.now();
    this.outcome = { kind: 'connected', code: '-' };
    if (this.media?.isClear === true) {
      const { caller, callee } = this.names;
      this.deps.alarms?.raise(
        'clear-call',
        this.id,
        `${caller} to ${callee}, ${this.partner.name}`,
      );
    }
  }

  /**
   * Runs `work` after everything queued before it, so that messages of one call are handled one at
   * a time although media and keys take time. An error ends the call.
   */
  enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work).catch((error: unknown) => this.abort(toSegyError(error)));
  }

  /** Runs `work` once after `ms` unless the call has ended. */
  later(ms: number, work: () => void): void {
    const { timers } = this.deps.env;
    const handle = timers.setTimeout(() => {
      this.#timers.delete(handle);
      work();
    }, ms);
    this.#timers.add(handle);
  }

  /** A response to the caller's INVITE; after a final one nothing more is sent. */
  respond(response: SipResponse): void {
    if (this.#uasDone) return;
    if (response.status >= 200) this.#uasDone = true;
    this.#uas.respond(response);
  }

  findPair(side: Side, localTag: string, remoteTag: string): Pair | undefined {
    return this.pairs.find((pair) => pair.matches(side, localTag, remoteTag));
  }

  /** Takes the PBX channel that carries the call; the call does not outlive it. */
  attach(channel: PbxChannel): void {
    this.channel = channel;
    channel.onGone = () => this.channelGone();
    if (channel.gone) this.channelGone();
  }

  /** Lets the channel go, on which the PBX may follow a redirection by another call. */
  releaseChannel(): void {
    if (this.channel === null) return;
    delete this.channel.onGone;
    this.channel.release();
    this.channel = null;
  }

  /** The security contexts die at once; the SIP leg of the PBX may say itself how the call ended. */
  channelGone(): void {
    this.media?.close();
    if (this.#state === 'ended') return;
    const gone = new SegyError('SEGY_E_PBX_NO_CHANNEL', 'the PBX channel ended');
    this.later(this.deps.settings.limits.channelGoneMs, () => this.abort(gone));
  }

  /** The caller's CANCEL matched: its INVITE gets 487, the callee's is cancelled or ended. */
  cancelled(): void {
    if (this.#uasDone) return;
    this.respond(this.refusals.plain(this.invite, 487));
    const held = this.#state === 'answered' ? this.answered : null;
    this.move('cancel');
    this.#leave(held);
    this.#settle();
  }

  /** Tells how long the INVITE was worked on before it was sent on, in milliseconds. */
  noteSetup(): void {
    const { clock, metrics } = this.deps.env;
    metrics.gauge('segy_call_setup_ms', clock.now() - this.startedAt, { side: this.callerSide });
  }

  /**
   * Ends the call from our side, whatever its state. Before the 2xx was passed the caller gets the
   * refusal of `error`, after it a BYE.
   */
  abort(error: SegyError, status?: number): void {
    const before = this.#state;
    if (!isLive(before)) return;
    this.refuse(error, status);
    this.move('abort');
    this.#leave(before === 'answered' ? this.answered : null);
    if ((before === 'accepted' || before === 'confirmed') && this.answered !== null) {
      this.byes.hangUp(this.answered, this.calleeSide);
      this.#endCaller(this.answered, before);
    }
    this.#settle();
  }

  /** Tells the caller the refusal of `error`, unless it has its final response, and notes it. */
  refuse(error: SegyError, status?: number): void {
    if (!this.#uasDone) {
      this.outcome = { kind: 'refused', code: error.code };
      this.respond(
        this.refusals.response(this.invite, this.callerSide, error, this.partner, status),
      );
    }
    const { address } = this.#uas.source;
    const about = { session: this.id, partner: this.partner.name };
    this.refusals.note(this.callerSide, address, error, this.#state, about);
  }

  /**
   * The callee's final refusal was passed to the caller, or its transaction ended without one: there
   * is nothing to cancel and the call is over.
   */
  refused(status?: number): void {
    if (status !== undefined) this.outcome = { kind: 'rejected', code: String(status) };
    this.move('refuse');
    this.#leave(null);
    this.#settle();
  }

  /** One side hung up in `pair`: the other is told. */
  hungUp(pair: Pair, side: Side): void {
    if (!this.isLive()) return;
    if (pair !== this.answered) {
      if (side === this.callerSide) this.cancelled();
      return;
    }
    const before = this.#state;
    if (before === 'answered') {
      this.abort(new SegyError('SEGY_E_CANCELLED', 'the called side hung up'), 480);
      return;
    }
    this.move('bye');
    this.#leave(null);
    if (side === this.callerSide) this.byes.hangUp(pair, this.calleeSide);
    else this.#endCaller(pair, before);
    this.#settle();
  }

  /** The ACK of the caller came for the pair's 2xx. @returns false when it had to wait for a BYE */
  acked(): boolean {
    this.move('ack');
    return !this.byes.acked();
  }

  /** Everything that stops as soon as the call is no longer live. */
  #leave(held: Pair | null): void {
    this.stop.abort();
    this.media?.close();
    for (const relay of [...this.relays]) relay.giveUp(487);
    this.relays.clear();
    if (held !== null) this.byes.hangUp(held, this.calleeSide);
    else if (this.#state === 'cancelling') this.uac?.cancel();
  }

  /** RFC 3261 clause 15: no BYE to a caller before it acknowledged our 2xx. */
  #endCaller(pair: Pair, before: CallState): void {
    if (before === 'accepted') this.byes.sendOnAck(pair.on(this.callerSide));
    else this.byes.hangUp(pair, this.callerSide);
  }

  #ackMissing(): void {
    if (this.byes.acked()) return;
    this.abort(new SegyError('SEGY_E_TIMEOUT', 'the ACK never came'));
  }

  /** Forgets the call with whatever it still waits for: the gateway stops. */
  drop(): void {
    this.media?.close();
    this.#state = 'ended';
    this.#settle();
  }

  /** Moves to ended when the last BYE is answered. */
  #settle(): void {
    if (this.#state === 'ending' && !this.byes.pending) this.move('done');
    if (this.#state !== 'ended' || this.#over) return;
    this.#over = true;
    for (const handle of this.#timers) this.deps.env.timers.clearTimeout(handle);
    this.#timers.clear();
    if (this.channel !== null) delete this.channel.onGone;
    this.#onEnded(this);
  }
}
