/** A participant that keeps its state and its timers; what else is to be done is handed out. */
import type { Timers } from '../base/environment.js';
import { NamedTimers } from '../base/named-timers.js';
import { INITIAL_PARTICIPANT } from './defaults.js';
import { participantStep } from './participant.js';
import type {
  FloorAction,
  FloorInput,
  FloorTimer,
  ParticipantOptions,
  ParticipantState,
} from './participant-types.js';

/** An action that is not a timer's. */
export type OuterAction = Exclude<FloorAction, { readonly kind: 'start-timer' | 'stop-timer' }>;

export class FloorParticipant {
  #options: ParticipantOptions;
  readonly #timers: NamedTimers<FloorTimer>;
  readonly #perform: (action: OuterAction) => void;
  #current: ParticipantState = INITIAL_PARTICIPANT;
  readonly #waiting: FloorInput[] = [];
  #busy = false;

  /** @param perform does one action; an input that it causes is taken after the present one */
  constructor(options: ParticipantOptions, timers: Timers, perform: (action: OuterAction) => void) {
    this.#options = options;
    this.#timers = new NamedTimers(timers, (timer) => this.input({ kind: 'timer', timer }));
    this.#perform = perform;
  }

  get state(): ParticipantState {
    return this.#current;
  }

  /** Other options from the next input on; the state stays. */
  reconfigure(options: ParticipantOptions): void {
    this.#options = options;
  }

  input(input: FloorInput): void {
    this.#waiting.push(input);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) this.#step(next);
    } finally {
      this.#busy = false;
    }
  }

  #step(input: FloorInput): void {
    const { state, actions } = participantStep(this.#options, this.#current, input);
    this.#current = state;
    for (const action of actions) {
      if (action.kind === 'start-timer') this.#timers.start(action.timer, action.ms);
      else if (action.kind === 'stop-timer') this.#timers.stop(action.timer);
      else this.#perform(action);
    }
  }
}
