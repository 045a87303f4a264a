/** A participant that keeps its state and its timers; what else is to be done is handed out. */
import type { TimerHandle, Timers } from '../base/environment.js';
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
  private current: ParticipantState = INITIAL_PARTICIPANT;
  private readonly handles = new Map<FloorTimer, TimerHandle>();
  private readonly waiting: FloorInput[] = [];
  private busy = false;

  /** @param perform does one action; an input that it causes is taken after the present one */
  constructor(
    private readonly options: ParticipantOptions,
    private readonly timers: Timers,
    private readonly perform: (action: OuterAction) => void,
  ) {}

  get state(): ParticipantState {
    return this.current;
  }

  input(input: FloorInput): void {
    this.waiting.push(input);
    if (this.busy) return;
    this.busy = true;
    try {
      for (let next = this.waiting.shift(); next; next = this.waiting.shift()) this.step(next);
    } finally {
      this.busy = false;
    }
  }

  private step(input: FloorInput): void {
    const { state, actions } = participantStep(this.options, this.current, input);
    this.current = state;
    for (const action of actions) {
      if (action.kind === 'start-timer') this.start(action.timer, action.ms);
      else if (action.kind === 'stop-timer') this.stop(action.timer);
      else this.perform(action);
    }
  }

  private start(timer: FloorTimer, ms: number): void {
    this.stop(timer);
    const fire = (): void => {
      this.handles.delete(timer);
      this.input({ kind: 'timer', timer });
    };
    this.handles.set(timer, this.timers.setTimeout(fire, ms));
  }

  private stop(timer: FloorTimer): void {
    const handle = this.handles.get(timer);
    if (handle === undefined) return;
    this.timers.clearTimeout(handle);
    this.handles.delete(timer);
  }
}
