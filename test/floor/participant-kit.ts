/** Drives a participant through inputs written as short words, and writes its actions the same way. */
import { isDeepStrictEqual } from 'node:util';
import {
  DEFAULT_PARTICIPANT,
  FLOOR_INDICATOR,
  type FloorAction,
  type FloorInput,
  type FloorMessage,
  INITIAL_PARTICIPANT,
  type ParticipantOptions,
  type ParticipantState,
  participantStep,
} from '../../src/floor/index.js';
import { ALICE, RADIO, sample } from './samples.js';

export const OPTIONS: ParticipantOptions = {
  ...DEFAULT_PARTICIPANT,
  ssrc: 7,
  userId: RADIO,
  maxPriority: 5,
};

export const BOB = 'sip:bob@mc-a.example.org';

const message = (fields: Partial<FloorMessage> & Pick<FloorMessage, 'type'>): FloorInput => ({
  kind: 'message',
  message: sample({ ssrc: 99, ...fields }),
});

const ack = { ackRequired: true };
const { dualFloor, multiTalker, emergencyCall } = FLOOR_INDICATOR;

/** Every input of the tables, by name. */
export const INPUTS = {
  'set up': { kind: 'call-set-up', implicitRequest: false, granted: false },
  'set up, implicit': { kind: 'call-set-up', implicitRequest: true, granted: false },
  'set up, granted': { kind: 'call-set-up', implicitRequest: true, granted: true },
  end: { kind: 'call-ended' },
  'key on': { kind: 'key-on' },
  'key on, emergency': { kind: 'key-on', level: 'emergency' },
  'key off': { kind: 'key-off' },
  'call in peril': { kind: 'level', level: 'imminent-peril' },
  'call normal': { kind: 'level', level: 'normal' },
  media: { kind: 'media' },
  'ask position': { kind: 'ask-queue-position' },
  T100: { kind: 'timer', timer: 'T100' },
  T101: { kind: 'timer', timer: 'T101' },
  T103: { kind: 'timer', timer: 'T103' },
  T104: { kind: 'timer', timer: 'T104' },
  T132: { kind: 'timer', timer: 'T132' },
  limit: { kind: 'timer', timer: 'talk-limit' },
  're-keyed': { kind: 're-keyed' },
  granted: message({ type: 'granted', duration: 30 }),
  'granted!': message({ type: 'granted', ...ack }),
  'granted, dual': message({ type: 'granted', indicator: dualFloor }),
  'granted, multi': message({ type: 'granted', indicator: multiTalker }),
  taken: message({ type: 'taken', grantedParty: ALICE, permissionToRequest: true }),
  'taken!': message({ type: 'taken', grantedParty: ALICE, ...ack }),
  'taken, bob': message({ type: 'taken', grantedParty: BOB, mediaSsrc: 5 }),
  'taken, hidden': message({ type: 'taken' }),
  'taken, us': message({ type: 'taken', grantedParty: RADIO }),
  'taken, not permitted': message({
    type: 'taken',
    grantedParty: ALICE,
    permissionToRequest: false,
  }),
  'taken, dual': message({ type: 'taken', grantedParty: BOB, indicator: dualFloor }),
  'taken, multi': message({
    type: 'taken',
    grantedUsers: [ALICE, RADIO, BOB],
    mediaSsrcs: [1, 2, 3],
    indicator: multiTalker,
  }),
  'taken, emergency': message({ type: 'taken', grantedParty: ALICE, indicator: emergencyCall }),
  idle: message({ type: 'idle' }),
  'idle!': message({ type: 'idle', ...ack }),
  'idle, dual': message({ type: 'idle', indicator: dualFloor }),
  deny: message({ type: 'deny', rejectCause: { cause: 1, phrase: 'busy' } }),
  'deny!': message({ type: 'deny', ...ack }),
  revoke: message({ type: 'revoke', rejectCause: { cause: 4 } }),
  'revoke, new cause': message({ type: 'revoke', rejectCause: { cause: 7 } }),
  queued: message({ type: 'queuePositionInfo', queueInfo: { position: 2, priority: 3 } }),
  'queued!': message({ type: 'queuePositionInfo', ...ack }),
  'queued, unknown place': message({
    type: 'queuePositionInfo',
    queueInfo: { position: 255, priority: 3 },
  }),
  'not queued': message({ type: 'queuePositionInfo', queueInfo: { position: 254, priority: 0 } }),
  'ack of release': message({ type: 'ack', acknowledged: 4 }),
  'ack of request': message({ type: 'ack', acknowledged: 0 }),
  'ack!': message({ type: 'ack', ...ack }),
  'released, alice': message({ type: 'releaseMultiTalker', userId: ALICE }),
  'released, bob': message({ type: 'releaseMultiTalker', userId: BOB }),
  'released, us': message({ type: 'releaseMultiTalker', userId: RADIO }),
  'flow control!': message({ type: 'unicastMediaFlowControl', ...ack }),
  'queued requests!': message({ type: 'queuedFloorRequests', ...ack }),
  'request from MC': message({ type: 'request' }),
  'release from MC': message({ type: 'release' }),
  'position request from MC': message({ type: 'queuePositionRequest' }),
} as const satisfies Record<string, FloorInput>;

export type InputName = keyof typeof INPUTS;

function nameOf(userId: string | null): string {
  return userId === null ? 'somebody' : userId.replace(/^sip:|@.*$/g, '');
}

/** One action in a few words. */
export function brief(action: FloorAction): string {
  switch (action.kind) {
    case 'send':
      return `S: ${action.message.type}${action.message.ackRequired ? '!' : ''}`;
    case 'start-timer':
      return `start ${action.timer}`;
    case 'stop-timer':
      return `stop ${action.timer}`;
    case 'speech':
      return `speech ${action.gate}`;
    case 'hearing':
      return action.gate.open ? `hear ${action.gate.ssrcs?.join() ?? 'all'}` : 'hear nothing';
    case 'talkers':
      return `talkers ${action.talkers.map(({ userId }) => nameOf(userId)).join() || 'none'}`;
    case 'may-request':
      return action.allowed ? 'may request' : 'may not request';
    case 'dropped':
      return `drop ${action.reason}`;
    case 'tell':
      switch (action.what.event) {
        case 'granted':
          return `tell granted${action.what.awaitsKey ? ', awaits key' : ''}`;
        case 'queued':
          return `tell queued ${action.what.position}`;
        case 'taken':
          return `tell taken ${action.what.level}`;
        default:
          return `tell ${action.what.event} ${action.what.reason}`;
      }
  }
}

export interface Driven {
  readonly state: ParticipantState;
  /** of the last input */
  readonly actions: readonly FloorAction[];
}

export function drive(
  inputs: readonly (InputName | FloorInput)[],
  options: ParticipantOptions = OPTIONS,
): Driven {
  let driven: Driven = { state: INITIAL_PARTICIPANT, actions: [] };
  for (const input of inputs) {
    driven = participantStep(
      options,
      driven.state,
      typeof input === 'string' ? INPUTS[input] : input,
    );
  }
  return driven;
}

/** The states of the table, and the inputs that lead to each. */
export const PATHS = {
  'start-stop': [],
  'has-no-permission': ['set up'],
  'has-no-permission, another talks': ['set up', 'taken'],
  'has-no-permission, requests not permitted': ['set up', 'taken, not permitted'],
  'pending-request': ['set up', 'key on'],
  'pending-request, last sending': ['set up', 'key on', 'T101', 'T101'],
  'pending-request, not keyed': ['set up, implicit'],
  queued: ['set up', 'key on', 'queued'],
  'queued, asked for the place': ['set up', 'key on', 'queued', 'ask position'],
  'queued, asked for the last time': [
    ...(['set up', 'key on', 'queued', 'ask position', 'T104', 'T104'] as const),
  ],
  'has-permission': ['set up', 'key on', 'granted'],
  'has-permission, overriding': ['set up', 'taken', 'key on', 'granted, dual'],
  'has-permission, overridden': ['set up', 'key on', 'granted', 'taken, dual'],
  'has-permission, one of several': ['set up', 'taken, multi', 'key on', 'granted, multi'],
  'has-permission, not keyed': ['set up, granted'],
  'pending-release': ['set up', 'key on', 'granted', 'key off'],
  'pending-release, last sending': ['set up', 'key on', 'granted', 'key off', 'T100', 'T100'],
  'pending-release, keyed again': ['set up', 'key on', 'granted', 'key off', 'key on'],
  'pending-release, request unanswered': ['set up', 'key on', 'key off'],
  'pending-release, request unanswered, sent again': ['set up', 'key on', 'key off', 'T100'],
  ended: ['set up', 'end'],
} as const satisfies Record<string, readonly InputName[]>;

/** What one input does in one state, as the table has it; null where it does nothing at all. */
export function transition(path: readonly InputName[], input: InputName): string | null {
  const before = drive(path);
  const after = drive([...path, input]);
  const actions = after.actions.map(brief).join('; ');
  if (actions === '' && isDeepStrictEqual(before.state, after.state)) return null;
  return `${after.state.floor}: ${actions === '' ? 'noted' : actions}`;
}
