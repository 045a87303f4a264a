/** A participant as TS 24.380 11.1 has it where nobody configures it. */
import { DEFAULT_FLOOR_CODE_POINTS } from './code-points.js';
import type { FloorTiming, ParticipantOptions, ParticipantState } from './participant-types.js';

/** Messages that are kept until the call is set up. */
export const EARLY_MESSAGES = 4;

const DEFAULT_FLOOR_TIMING: FloorTiming = {
  t100: 1000,
  t101: 1000,
  t103: 4000,
  t104: 1000,
  t132: 2000,
  c100: 3,
  c101: 3,
  c104: 3,
};

/** All but the SSRC, which belongs to the session. */
export const DEFAULT_PARTICIPANT: Omit<ParticipantOptions, 'ssrc'> = {
  userId: null,
  functionalAlias: null,
  queueing: true,
  maxPriority: null,
  priorities: { normal: 1, 'imminent-peril': 200, emergency: 255 },
  unkeyedInQueue: 'leaves',
  releaseWantsAck: false,
  bindSsrc: false,
  talkLimit: null,
  timing: DEFAULT_FLOOR_TIMING,
  codePoints: DEFAULT_FLOOR_CODE_POINTS,
};

export const INITIAL_PARTICIPANT: ParticipantState = {
  floor: 'start-stop',
  ended: false,
  keyed: false,
  keyedAgain: false,
  callLevel: 'normal',
  level: 'normal',
  shared: 'no',
  answered: false,
  attempts: 0,
  running: [],
  speech: 'closed',
  hearing: { open: false, ssrcs: null },
  talkers: [],
  silent: false,
  mayRequest: true,
  last: null,
  early: [],
};
