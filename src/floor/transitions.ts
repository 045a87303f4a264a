/** Moves that several states of a participant share. */
import { DENY_CAUSES, type FloorLevel, REVOKE_CAUSES } from './vocabulary.js';
import {
  hasBit,
  levelOf,
  sameTalkers,
  talkersAfterIdle,
  talkersAfterRelease,
  talkersAfterTaken,
} from './hearing.js';
import type { FloorMessage } from './message.js';
import type { ParticipantDraft } from './participant-draft.js';

const MS = 1000;

interface Cause {
  readonly reason: string;
  readonly cause: number | null;
  readonly phrase: string | null;
}

/** A reason of the gateway's own, which no message gave. */
export function ownReason(reason: string): Cause {
  return { reason, cause: null, phrase: null };
}

/** The reason in a Floor Deny or Floor Revoke, each by its own table. */
export function reasonOf(message: FloorMessage): Cause {
  const { rejectCause } = message;
  if (!rejectCause) return ownReason('other');
  const words: Readonly<Record<number, string>> =
    message.type === 'revoke' ? REVOKE_CAUSES : DENY_CAUSES;
  const { cause, phrase } = rejectCause;
  return { reason: words[cause] ?? `cause-${cause}`, cause, phrase: phrase ?? null };
}

/** A key press where nothing is under way: a request, or a refusal where the server wants none. */
export function ask(draft: ParticipantDraft, level: FloorLevel): void {
  const { state } = draft;
  state.level = level;
  if (!state.mayRequest && level !== 'emergency') {
    draft.tell({ event: 'denied', ...ownReason('not-permitted') });
    return;
  }
  askAgain(draft);
}

/** The first of the sendings that T101 repeats. */
export function askAgain(draft: ParticipantDraft): void {
  const { state } = draft;
  state.floor = 'pending-request';
  state.attempts = 1;
  state.answered = false;
  state.speech = 'hold';
  draft.stop('T104', 'T132');
  draft.request();
}

/** The floor is ours: speech goes out, or waits until somebody keys. */
export function takeFloor(draft: ParticipantDraft, message: FloorMessage | null): void {
  const { state, options } = draft;
  draft.stop('T101', 'T104', 'T132');
  state.floor = 'has-permission';
  state.answered = true;
  state.attempts = 0;
  state.shared = 'no';
  if (message && hasBit(message, 'dualFloor')) state.shared = 'overriding';
  if (message && hasBit(message, 'multiTalker')) state.shared = 'multi-talker';
  if (state.shared === 'no') forgetTalkers(draft);
  const granted = message?.duration ?? null;
  const limits = [granted, options.talkLimit].filter((limit) => limit !== null && limit > 0);
  if (limits.length > 0) draft.start('talk-limit', MS * Math.min(...limits.map(Number)));
  state.speech = state.keyed ? 'open' : 'hold';
  if (!state.keyed) draft.start('T132', options.timing.t132);
  draft.tell({ event: 'granted', duration: granted, awaitsKey: !state.keyed });
}

/** Gives the floor, a request or a place in the queue back. */
export function giveBack(draft: ParticipantDraft): void {
  const { state } = draft;
  draft.stop('T101', 'T104', 'T132', 'talk-limit');
  draft.release();
  state.floor = 'pending-release';
  state.attempts = 1;
  state.shared = 'no';
  state.keyedAgain = false;
  state.speech = 'closed';
}

/** Back to rest. A key press during the release asks now. */
export function rest(draft: ParticipantDraft): void {
  const { state } = draft;
  draft.stop('T100', 'T101', 'T104', 'T132', 'talk-limit');
  state.floor = 'has-no-permission';
  state.attempts = 0;
  state.shared = 'no';
  state.speech = 'closed';
  if (!state.keyedAgain) return;
  state.keyedAgain = false;
  ask(draft, state.level);
}

export function forgetTalkers(draft: ParticipantDraft): void {
  draft.stop('T103');
  draft.state.talkers = [];
  draft.state.silent = false;
}

/** News for a radio that listens; one that has the floor hears of itself alone. */
export function tellIdle(draft: ParticipantDraft, reason: string): void {
  if (draft.state.floor !== 'has-permission') draft.tell({ event: 'idle', reason });
}

/** Floor Taken: who talks, and whether a request is welcome. True when it names anyone but us. */
export function noteTaken(draft: ParticipantDraft, message: FloorMessage): boolean {
  const { state, options } = draft;
  const talkers = talkersAfterTaken(state.talkers, message, options.userId);
  state.mayRequest = message.permissionToRequest ?? state.mayRequest;
  if (talkers.length === 0) {
    if (state.floor !== 'has-permission') forgetTalkers(draft);
    return false;
  }
  if (state.silent || !sameTalkers(talkers, state.talkers)) {
    draft.tell({ event: 'taken', talkers, level: levelOf(message) });
  }
  state.talkers = talkers;
  state.silent = false;
  draft.start('T103', options.timing.t103);
  return true;
}

/** Floor Idle: nobody talks, or the overriding talker no longer. */
export function noteIdle(draft: ParticipantDraft, message: FloorMessage): void {
  const { state } = draft;
  const talkers = talkersAfterIdle(state.talkers, message);
  state.mayRequest = message.permissionToRequest ?? true;
  if (talkers.length > 0) {
    state.talkers = talkers;
    return;
  }
  if (state.talkers.length > 0 || state.floor === 'pending-release') tellIdle(draft, 'idle');
  forgetTalkers(draft);
}

/** Floor Release Multi Talker: one of several talkers ended. */
export function noteTalkerReleased(draft: ParticipantDraft, message: FloorMessage): void {
  const { state } = draft;
  const talkers = talkersAfterRelease(state.talkers, message);
  if (talkers.length > 0) {
    state.talkers = talkers;
  } else if (state.talkers.length > 0) {
    tellIdle(draft, 'idle');
    forgetTalkers(draft);
  }
}
