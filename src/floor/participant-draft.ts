/**
 * One step of a participant in the making: the state as it changes, and what is to be done. Gates and
 * timers become actions only where they differ in the end, so a handler says what is, not what changed.
 */
import { hearingOf, sameTalkers } from './hearing.js';
import type { FloorFields, FloorMessage } from './message.js';
import type {
  FloorAction,
  FloorDropReason,
  FloorEvent,
  FloorTimer,
  HearingGate,
  ParticipantOptions,
  ParticipantState,
  Talker,
} from './participant-types.js';
import {
  ACK_REQUIRED,
  FLOOR_INDICATOR,
  FLOOR_MESSAGE_TYPES,
  FLOOR_SOURCE,
  type FloorLevel,
  type FloorMessageType,
} from './vocabulary.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const LEVEL_BIT: Readonly<Record<FloorLevel, number>> = {
  normal: FLOOR_INDICATOR.normalCall,
  'imminent-peril': FLOOR_INDICATOR.imminentPerilCall,
  emergency: FLOOR_INDICATOR.emergencyCall,
};

const RANK: Readonly<Record<FloorLevel, number>> = { normal: 0, 'imminent-peril': 1, emergency: 2 };

export function isHigher(level: FloorLevel, than: FloorLevel): boolean {
  return RANK[level] > RANK[than];
}

export class ParticipantDraft {
  readonly options: ParticipantOptions;
  readonly state: Mutable<ParticipantState>;
  readonly #before: ParticipantState;
  readonly #done: FloorAction[] = [];
  readonly #started = new Map<FloorTimer, number>();
  readonly #told: FloorEvent[] = [];
  #fired: FloorTimer | null = null;

  constructor(options: ParticipantOptions, before: ParticipantState) {
    this.options = options;
    this.#before = before;
    this.state = { ...before };
  }

  isRunning(timer: FloorTimer): boolean {
    return this.state.running.includes(timer);
  }

  /** Starts or restarts. */
  start(timer: FloorTimer, ms: number): void {
    this.#started.set(timer, ms);
    if (!this.isRunning(timer)) this.state.running = [...this.state.running, timer];
  }

  stop(...timers: readonly FloorTimer[]): void {
    for (const timer of timers) this.#started.delete(timer);
    this.state.running = this.state.running.filter((running) => !timers.includes(running));
  }

  /** True where the timer did run; it runs no longer. */
  fire(timer: FloorTimer): boolean {
    if (!this.isRunning(timer)) return false;
    this.stop(timer);
    this.#fired = timer;
    return true;
  }

  tell(what: FloorEvent): void {
    this.#told.push(what);
  }

  drop(reason: FloorDropReason): void {
    this.#done.push({ kind: 'dropped', reason });
  }

  /** A Floor Request; T101 repeats it. */
  request(): void {
    const { maxPriority, priorities, functionalAlias, timing } = this.options;
    const wanted = priorities[this.state.level];
    this.#send('request', {
      ...(maxPriority === null ? {} : { priority: Math.min(wanted, maxPriority) }),
      ...(functionalAlias === null ? {} : { functionalAlias }),
      indicator: LEVEL_BIT[this.state.level],
    });
    this.start('T101', timing.t101);
  }

  /** A Floor Release; T100 repeats it. */
  release(): void {
    const dual = this.state.shared === 'overriding' || this.state.shared === 'overridden';
    const indicator = LEVEL_BIT[this.state.level] | (dual ? FLOOR_INDICATOR.dualFloor : 0);
    this.#send('release', { indicator }, this.options.releaseWantsAck);
    this.start('T100', this.options.timing.t100);
  }

  askPosition(): void {
    this.#send('queuePositionRequest', {});
    this.start('T104', this.options.timing.t104);
  }

  acknowledge(message: FloorMessage): void {
    const bit = this.options.codePoints.ackNamesAckBit ? ACK_REQUIRED : 0;
    const { trackInfo } = message;
    this.#put('ack', {
      source: FLOOR_SOURCE.participant,
      acknowledged: FLOOR_MESSAGE_TYPES[message.type] | bit,
      ...(trackInfo ? { trackInfo } : {}),
    });
  }

  #send(type: FloorMessageType, fields: FloorFields, ackRequired = false): void {
    const { userId } = this.options;
    this.#put(type, { ...(userId === null ? {} : { userId }), ...fields }, ackRequired);
  }

  #put(type: FloorMessageType, fields: FloorFields, ackRequired = false): void {
    const { ssrc } = this.options;
    this.#done.push({ kind: 'send', message: { ...fields, type, ackRequired, ssrc, others: [] } });
  }

  /** The new state, and the actions in the order in which they are to be done: gates first. */
  finish(): { readonly state: ParticipantState; readonly actions: readonly FloorAction[] } {
    const before = this.#before;
    const { state } = this;
    const gate = hearingOf(this.options, state);
    state.hearing = sameGate(gate, before.hearing) ? before.hearing : gate;
    const actions: FloorAction[] = [];
    if (state.speech !== before.speech) actions.push({ kind: 'speech', gate: state.speech });
    if (state.hearing !== before.hearing) actions.push({ kind: 'hearing', gate: state.hearing });
    for (const timer of before.running) {
      if (!this.isRunning(timer) && timer !== this.#fired)
        actions.push({ kind: 'stop-timer', timer });
    }
    actions.push(...this.#done);
    for (const [timer, ms] of this.#started) actions.push({ kind: 'start-timer', timer, ms });
    const heard = heardTalkers(state);
    if (!sameTalkers(heard, heardTalkers(before)))
      actions.push({ kind: 'talkers', talkers: heard });
    if (state.mayRequest !== before.mayRequest) {
      actions.push({ kind: 'may-request', allowed: state.mayRequest });
    }
    for (const what of this.#told) actions.push({ kind: 'tell', what });
    return { state, actions };
  }
}

function heardTalkers(
  state: Pick<ParticipantState, 'hearing' | 'silent' | 'talkers'>,
): readonly Talker[] {
  return state.hearing.open && !state.silent ? state.talkers : [];
}

function sameGate(a: HearingGate, b: HearingGate): boolean {
  return a.open === b.open && a.ssrcs?.join() === b.ssrcs?.join();
}
