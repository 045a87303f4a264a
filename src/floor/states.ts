/** What each state of a participant does; the table stands in participant.ts. */
import type { FloorMessage } from './message.js';
import { isHigher, type ParticipantDraft } from './participant-draft.js';
import { floorMessageTypeOf } from './codec.js';
import { hasBit, isShared, sameTalkers } from './hearing.js';
import type { FloorState, FloorTimer } from './participant-types.js';
import {
  ask,
  askAgain,
  forgetTalkers,
  giveBack,
  noteIdle,
  noteTaken,
  noteTalkerReleased,
  ownReason,
  reasonOf,
  rest,
  takeFloor,
} from './transitions.js';
import type { FloorLevel } from './vocabulary.js';

export interface StateHandlers {
  readonly keyOn: (draft: ParticipantDraft, level: FloorLevel) => void;
  readonly keyOff: (draft: ParticipantDraft) => void;
  /** the level of the call or of the key became higher */
  readonly raise: (draft: ParticipantDraft, level: FloorLevel) => void;
  readonly message: (draft: ParticipantDraft, message: FloorMessage) => void;
  /** T103 is the same in every state and does not come here */
  readonly timer: (draft: ParticipantDraft, timer: Exclude<FloorTimer, 'T103'>) => void;
  readonly askPosition: (draft: ParticipantDraft) => void;
}

const nothing = (): void => undefined;

/** Taken, Idle and Release Multi Talker where they change nothing but what is heard. */
function hear(draft: ParticipantDraft, message: FloorMessage): void {
  if (message.type === 'taken') noteTaken(draft, message);
  else if (message.type === 'idle') noteIdle(draft, message);
  else if (message.type === 'releaseMultiTalker') noteTalkerReleased(draft, message);
}

/** True for a Floor Queue Position Info that says “not queued”. */
function isUnqueued(draft: ParticipantDraft, message: FloorMessage): boolean {
  return message.queueInfo?.position === draft.options.codePoints.notQueued;
}

function tellQueued(draft: ParticipantDraft, message: FloorMessage): void {
  const { position, priority } = message.queueInfo ?? { position: null, priority: null };
  const unknown = position === draft.options.codePoints.positionUnknown;
  draft.tell({ event: 'queued', position: unknown ? null : position, priority });
}

function deny(draft: ParticipantDraft, cause: ReturnType<typeof ownReason>): void {
  draft.tell({ event: 'denied', ...cause });
  rest(draft);
}

function lose(draft: ParticipantDraft, cause: ReturnType<typeof ownReason>): void {
  draft.tell({ event: 'revoked', ...cause });
  rest(draft);
}

/** Floor Revoke: speech stops, then the floor is given back. */
function revoke(draft: ParticipantDraft, message: FloorMessage): void {
  draft.state.answered = true;
  draft.tell({ event: 'revoked', ...reasonOf(message) });
  giveBack(draft);
}

function letGo(draft: ParticipantDraft, reason: string): void {
  draft.tell({ event: 'released', reason });
  giveBack(draft);
}

/** What may answer a request, at once or from the queue; all else is only heard. */
function hearAnswer(draft: ParticipantDraft, message: FloorMessage): void {
  if (message.type === 'granted') takeFloor(draft, message);
  else if (message.type === 'deny') deny(draft, reasonOf(message));
  else if (message.type === 'revoke') revoke(draft, message);
  else hear(draft, message);
}

const hasNoPermission: StateHandlers = {
  keyOn: ask,
  keyOff: nothing,
  raise: nothing,
  askPosition: nothing,
  timer: nothing,
  message: (draft, message) => {
    switch (message.type) {
      case 'granted':
      case 'revoke':
        draft.drop('unexpected');
        draft.state.answered = true;
        giveBack(draft);
        break;
      case 'queuePositionInfo':
        draft.drop('unexpected');
        if (!isUnqueued(draft, message)) giveBack(draft);
        break;
      case 'deny':
        draft.drop('unexpected');
        break;
      default:
        hear(draft, message);
    }
  },
};

const pendingRequest: StateHandlers = {
  keyOn: (draft, level) => {
    if (isHigher(level, draft.state.level)) pendingRequest.raise(draft, level);
  },
  keyOff: (draft) => letGo(draft, 'key-off'),
  raise: (draft, level) => {
    draft.state.level = level;
    askAgain(draft);
  },
  askPosition: nothing,
  timer: (draft, timer) => {
    if (timer !== 'T101') return;
    if (draft.state.attempts >= draft.options.timing.c101) {
      deny(draft, ownReason('no-answer'));
      return;
    }
    draft.state.attempts++;
    draft.request();
  },
  message: (draft, message) => {
    switch (message.type) {
      case 'queuePositionInfo':
        if (isUnqueued(draft, message)) {
          draft.drop('unexpected');
          break;
        }
        if (!draft.options.queueing) {
          draft.tell({ event: 'denied', ...ownReason('queueing-not-negotiated') });
          giveBack(draft);
          break;
        }
        draft.stop('T101');
        draft.state.floor = 'queued';
        draft.state.attempts = 0;
        tellQueued(draft, message);
        break;
      default:
        hearAnswer(draft, message);
    }
  },
};

const queued: StateHandlers = {
  keyOn: (draft, level) => {
    if (isHigher(level, draft.state.level)) queued.raise(draft, level);
    else draft.state.speech = 'hold';
  },
  keyOff: (draft) => {
    if (draft.options.unkeyedInQueue === 'stays') draft.state.speech = 'closed';
    else letGo(draft, 'key-off');
  },
  raise: (draft, level) => {
    draft.state.level = level;
    askAgain(draft);
  },
  askPosition: (draft) => {
    draft.state.attempts = 1;
    draft.askPosition();
  },
  timer: (draft, timer) => {
    if (timer !== 'T104') return;
    if (draft.state.attempts < draft.options.timing.c104) {
      draft.state.attempts++;
      draft.askPosition();
      return;
    }
    draft.tell({ event: 'denied', ...ownReason('no-answer') });
    giveBack(draft);
  },
  message: (draft, message) => {
    switch (message.type) {
      case 'queuePositionInfo':
        draft.stop('T104');
        if (isUnqueued(draft, message)) deny(draft, ownReason('no-longer-queued'));
        else tellQueued(draft, message);
        break;
      case 'idle':
        noteIdle(draft, message);
        deny(draft, ownReason('no-longer-queued'));
        break;
      default:
        hearAnswer(draft, message);
    }
  },
};

const hasPermission: StateHandlers = {
  keyOn: (draft) => {
    draft.stop('T132');
    draft.state.speech = 'open';
  },
  keyOff: (draft) => letGo(draft, 'key-off'),
  raise: nothing,
  askPosition: nothing,
  timer: (draft, timer) => {
    if (timer === 'T132') letGo(draft, 'not-keyed');
    else if (timer === 'talk-limit') letGo(draft, 'time-limit');
  },
  message: (draft, message) => {
    switch (message.type) {
      case 'revoke':
        revoke(draft, message);
        break;
      case 'deny':
        lose(draft, reasonOf(message));
        break;
      case 'taken':
        takenFromUs(draft, message);
        break;
      case 'idle':
        idleAtUs(draft, message);
        break;
      case 'releaseMultiTalker':
        if (message.userId !== undefined && message.userId === draft.options.userId) {
          lose(draft, ownReason('other'));
        }
        noteTalkerReleased(draft, message);
        break;
      case 'queuePositionInfo':
        draft.drop('unexpected');
        break;
      default:
    }
  },
};

/** Floor Taken at one who has the floor: shared with another, lost to another, or news of ourselves. */
function takenFromUs(draft: ParticipantDraft, message: FloorMessage): void {
  const { state } = draft;
  const before = state.talkers;
  if (!noteTaken(draft, message)) return;
  if (hasBit(message, 'multiTalker')) {
    state.shared = 'multi-talker';
  } else if (hasBit(message, 'dualFloor')) {
    if (state.shared !== 'overriding') state.shared = 'overridden';
  } else if (state.shared !== 'overriding' || !sameTalkers(before, state.talkers)) {
    lose(draft, ownReason('taken'));
  }
}

/** Floor Idle at one who has the floor: the other of a dual floor ended, or nobody has it any more. */
function idleAtUs(draft: ParticipantDraft, message: FloorMessage): void {
  const { shared } = draft.state;
  const otherEnded =
    shared === 'overriding' || (shared === 'overridden' && hasBit(message, 'dualFloor'));
  if (otherEnded) {
    draft.state.shared = 'no';
    forgetTalkers(draft);
    return;
  }
  noteIdle(draft, message);
  lose(draft, ownReason('idle'));
}

const pendingRelease: StateHandlers = {
  keyOn: (draft, level) => {
    draft.state.keyedAgain = true;
    draft.state.level = level;
    draft.state.speech = 'hold';
  },
  keyOff: (draft) => {
    draft.state.keyedAgain = false;
    draft.state.speech = 'closed';
  },
  raise: (draft, level) => {
    if (draft.state.keyedAgain) draft.state.level = level;
  },
  askPosition: nothing,
  timer: (draft, timer) => {
    if (timer !== 'T100') return;
    if (draft.state.attempts >= draft.options.timing.c100) {
      rest(draft);
      return;
    }
    draft.state.attempts++;
    draft.release();
  },
  message: (draft, message) => {
    switch (message.type) {
      case 'idle':
        noteIdle(draft, message);
        if (!hasBit(message, 'dualFloor') && isCurrent(draft)) rest(draft);
        break;
      case 'taken':
        if (noteTaken(draft, message) && !isShared(message) && isCurrent(draft)) rest(draft);
        break;
      case 'deny':
        if (isCurrent(draft)) rest(draft);
        break;
      case 'granted':
      case 'revoke':
        draft.state.answered = true;
        break;
      case 'ack':
        if (acknowledgesRelease(message)) rest(draft);
        break;
      case 'releaseMultiTalker':
        noteTalkerReleased(draft, message);
        if (message.userId !== undefined && message.userId === draft.options.userId) rest(draft);
        break;
      default:
    }
  },
};

/**
 * False while a message may be older than our Floor Release: the answer to a request may still be under
 * way, and a grant that comes after a new request would be taken for that one's.
 */
function isCurrent({ state }: ParticipantDraft): boolean {
  return state.answered || state.attempts > 1;
}

function acknowledgesRelease(message: FloorMessage): boolean {
  return (
    message.acknowledged !== undefined && floorMessageTypeOf(message.acknowledged) === 'release'
  );
}

const startStop: StateHandlers = {
  keyOn: nothing,
  keyOff: nothing,
  raise: nothing,
  askPosition: nothing,
  timer: nothing,
  message: nothing,
};

export const STATES: Readonly<Record<FloorState, StateHandlers>> = {
  'start-stop': startStop,
  'has-no-permission': hasNoPermission,
  'pending-request': pendingRequest,
  queued,
  'has-permission': hasPermission,
  'pending-release': pendingRelease,
};
