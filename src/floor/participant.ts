/**
 * A floor participant: the side of one who asks for the floor, TS 24.380 6.2.4, one for each leg of a
 * call. A value and one function; time passes only by the timers that it asks for.
 *
 * States, and what moves between them. *Gate*: what happens to the radio's speech. Where a cell is empty
 * the input changes nothing. `R:` a message that came, `S:` one that is sent.
 *
 * | state (gate) | key on | key off | R: Granted | R: Deny | R: Queue Position Info | R: Revoke | R: Taken | R: Idle | timers |
 * |---|---|---|---|---|---|---|---|---|---|
 * | start-stop (closed) | remembered | forgotten | kept until the set-up | kept | kept | kept | kept | kept | |
 * | has-no-permission (closed) | S: Request, T101 → pending-request; refused here when requests are not permitted and it is no emergency | | S: Release, T100 → pending-release | | S: Release, T100 → pending-release | S: Release, T100 → pending-release | heard | not heard | |
 * | pending-request (hold) | higher level: S: Request | S: Release, T100 → pending-release | → has-permission | → has-no-permission | → queued | S: Release, T100 → pending-release | heard | not heard | T101: S: Request, at C101 → has-no-permission |
 * | queued (hold while keyed) | higher level: S: Request → pending-request | leaves: S: Release → pending-release; or stays | → has-permission | → has-no-permission | place told; “not queued” → has-no-permission | S: Release, T100 → pending-release | heard | → has-no-permission | T104: S: Queue Position Request, at C104 S: Release → pending-release |
 * | has-permission (open; hold until keyed) | opens, stops T132 | S: Release, T100 → pending-release | | → has-no-permission | | S: Release, T100 → pending-release | dual floor, multi-talker: heard too; another's: → has-no-permission | dual floor: the other ended; else → has-no-permission | T132, talk-limit: S: Release → pending-release |
 * | pending-release (closed; hold when keyed again) | remembered | forgotten | | → has-no-permission | | | → has-no-permission | → has-no-permission | T100: S: Release, at C100 → has-no-permission |
 *
 * Reaching has-no-permission with a key press remembered sends a Request at once. A Floor Ack of a Floor
 * Release ends pending-release. Before T100 fired, Idle, Taken and Deny end it only when a Granted or
 * Revoke came since the last Request: they may be older than the Release. Any message that asks for it is acknowledged, except before the set-up
 * and after the end. The end of the call leads from every state to start-stop, for good.
 *
 * T132 runs in has-permission here, in `U: queued` in the specification; the messages are the same.
 */
import { EARLY_MESSAGES } from './defaults.js';
import { hearingOf } from './hearing.js';
import type { FloorMessage } from './message.js';
import { isHigher, ParticipantDraft } from './participant-draft.js';
import type {
  FloorInput,
  FloorTimer,
  ParticipantOptions,
  ParticipantStep,
} from './participant-types.js';
import { STATES } from './states.js';
import { ask, forgetTalkers, takeFloor, tellIdle } from './transitions.js';
import type { FloorLevel, FloorMessageType } from './vocabulary.js';

type Result = ReturnType<ParticipantStep>;

/** Messages that only participants send. */
const FROM_PARTICIPANTS: ReadonlySet<FloorMessageType> = new Set([
  'request',
  'release',
  'queuePositionRequest',
]);

/** Does one input. @see ParticipantStep */
export const participantStep: ParticipantStep = (options, state, input) => {
  const draft = new ParticipantDraft(options, state);
  if (input.kind === 'call-set-up' && state.floor === 'start-stop' && !state.ended) {
    setUp(draft, input.implicitRequest, input.granted);
    return withEarly(options, draft.finish());
  }
  act(draft, input);
  return draft.finish();
};

function act(draft: ParticipantDraft, input: FloorInput): void {
  switch (input.kind) {
    case 'call-set-up':
      break;
    case 'call-ended':
      end(draft);
      break;
    case 'key-on':
      key(draft, input.level ?? draft.state.callLevel);
      break;
    case 'key-off':
      if (!draft.state.keyed) break;
      draft.state.keyed = false;
      STATES[draft.state.floor].keyOff(draft);
      break;
    case 'level':
      draft.state.callLevel = input.level;
      raise(draft, input.level);
      break;
    case 'message':
      receive(draft, input.message, input.index);
      break;
    case 're-keyed':
      draft.state.last = null;
      break;
    case 'media':
      media(draft);
      break;
    case 'ask-queue-position':
      STATES[draft.state.floor].askPosition(draft);
      break;
    case 'timer':
      fire(draft, input.timer);
  }
}

function setUp(draft: ParticipantDraft, implicitRequest: boolean, granted: boolean): void {
  const { state, options } = draft;
  state.floor = 'has-no-permission';
  state.level = state.callLevel;
  if (implicitRequest && granted) {
    takeFloor(draft, null);
  } else if (implicitRequest) {
    state.floor = 'pending-request';
    state.attempts = 1;
    state.answered = false;
    state.speech = 'hold';
    draft.start('T101', options.timing.t101);
  } else if (state.keyed) {
    ask(draft, state.callLevel);
  }
}

/** Messages that overtook the set-up, in their order. */
function withEarly(options: ParticipantOptions, result: Result): Result {
  const { early } = result.state;
  let all: Result = { ...result, state: { ...result.state, early: [] } };
  for (const message of early) {
    const next = participantStep(options, all.state, { kind: 'message', message });
    all = { state: next.state, actions: [...all.actions, ...next.actions] };
  }
  return all;
}

function end(draft: ParticipantDraft): void {
  const { state } = draft;
  if (state.ended) return;
  if (state.floor === 'has-permission') draft.tell({ event: 'released', reason: 'call-ended' });
  draft.stop(...state.running);
  forgetTalkers(draft);
  state.floor = 'start-stop';
  state.ended = true;
  state.keyed = false;
  state.keyedAgain = false;
  state.shared = 'no';
  state.attempts = 0;
  state.speech = 'closed';
  state.early = [];
}

function key(draft: ParticipantDraft, level: FloorLevel): void {
  const { state } = draft;
  if (state.ended) return;
  if (state.keyed) {
    raise(draft, level);
    return;
  }
  state.keyed = true;
  STATES[state.floor].keyOn(draft, level);
}

function raise(draft: ParticipantDraft, level: FloorLevel): void {
  const { state } = draft;
  if (state.keyed && isHigher(level, state.level)) STATES[state.floor].raise(draft, level);
}

function receive(draft: ParticipantDraft, message: FloorMessage, index?: number): void {
  const { state } = draft;
  if (FROM_PARTICIPANTS.has(message.type)) {
    draft.drop('wrong-direction');
    return;
  }
  if (index !== undefined) {
    if (state.last?.ssrc === message.ssrc && index <= state.last.index) {
      draft.drop('late');
      return;
    }
    state.last = { ssrc: message.ssrc, index };
  }
  if (state.floor === 'start-stop') {
    if (state.ended || state.early.length >= EARLY_MESSAGES) draft.drop('no-call');
    else state.early = [...state.early, message];
    return;
  }
  if (message.ackRequired && message.type !== 'ack') draft.acknowledge(message);
  STATES[state.floor].message(draft, message);
}

function media(draft: ParticipantDraft): void {
  const { state, options } = draft;
  if (!hearingOf(options, state).open) return;
  state.silent = false;
  draft.start('T103', options.timing.t103);
}

function fire(draft: ParticipantDraft, timer: FloorTimer): void {
  if (!draft.fire(timer)) return;
  if (timer === 'T103') {
    draft.state.silent = true;
    tellIdle(draft, 'silence');
  } else {
    STATES[draft.state.floor].timer(draft, timer);
  }
}
