/**
 * States of one call through the edge, seen from both sides at once, and the one function that
 * moves between them. "Passed" means sent on to the other side.
 *
 * | state      | meaning                                         | event → next state |
 * |------------|-------------------------------------------------|--------------------|
 * | checking   | INVITE came; policy, key and media are worked on | sent → calling; refuse, cancel, abort → ended |
 * | calling    | INVITE passed, no final response yet            | answer → answered; refuse → ended; cancel, abort → cancelling |
 * | cancelling | CANCEL sent, the callee's final response awaited | answer → ending; refuse, done → ended |
 * | answered   | a 2xx came and is held until the media is armed | pass → accepted; cancel, abort, bye → ending |
 * | accepted   | the 2xx was passed, the caller's ACK is awaited | ack → confirmed; bye, abort → ending |
 * | confirmed  | the ACK was passed: a call                      | bye, abort → ending |
 * | ending     | BYE passed or sent, responses awaited           | done → ended |
 * | ended      | nothing is left but the memory of the identifiers | |
 *
 * An event that a state does not name changes nothing: SIP repeats itself, and a BYE may meet a BYE.
 */
export type CallState =
  | 'checking'
  | 'calling'
  | 'cancelling'
  | 'answered'
  | 'accepted'
  | 'confirmed'
  | 'ending'
  | 'ended';

/** How a call was set up, or why it was not. */
export interface CallOutcome {
  readonly kind: 'connected' | 'refused' | 'rejected' | 'cancelled';
  /** our code of a refusal, the SIP status of a rejection by the called side, else `-` */
  readonly code: string;
}

export type CallEvent =
  /** the INVITE went to the callee's side */
  | 'sent'
  /** the first 2xx came from the callee */
  | 'answer'
  /** that 2xx went to the caller */
  | 'pass'
  /** the caller's ACK went to the callee */
  | 'ack'
  /** a final refusal went to the caller, the callee's or our own */
  | 'refuse'
  /** the caller gave up */
  | 'cancel'
  /** one side hung up */
  | 'bye'
  /** the edge ends the call: channel gone, limit passed, ACK never came */
  | 'abort'
  /** the last transaction of the call is over */
  | 'done';

const TABLE: Readonly<Record<CallState, Readonly<Partial<Record<CallEvent, CallState>>>>> = {
  checking: { sent: 'calling', refuse: 'ended', cancel: 'ended', abort: 'ended' },
  calling: { answer: 'answered', refuse: 'ended', cancel: 'cancelling', abort: 'cancelling' },
  cancelling: { answer: 'ending', refuse: 'ended', done: 'ended' },
  answered: { pass: 'accepted', cancel: 'ending', abort: 'ending', bye: 'ending' },
  accepted: { ack: 'confirmed', bye: 'ending', abort: 'ending' },
  confirmed: { bye: 'ending', abort: 'ending' },
  ending: { done: 'ended' },
  ended: {},
};

/** The state after `event`; the same state when the event means nothing in it. */
export function nextCallState(state: CallState, event: CallEvent): CallState {
  return TABLE[state][event] ?? state;
}

/** True while media of the call may flow once it is armed. */
export function isLive(state: CallState): boolean {
  return state !== 'cancelling' && state !== 'ending' && state !== 'ended';
}
