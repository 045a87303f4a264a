/**
 * Floor control, 3GPP TS 24.380: the messages, and the state of one who takes part.
 *
 * Contract: bytes and inputs in, values and actions out. No sockets, no clock, no timers, no keys:
 * a message arrives here after SRTCP took its protection off, and leaves before it puts it on.
 */
export {
  ALL_FLOOR_TOLERANCES,
  DEFAULT_FLOOR_CODE_POINTS,
  DEFAULT_FLOOR_CODEC,
  DEFAULT_FLOOR_LIMITS,
  NO_FLOOR_TOLERANCES,
  type FloorCodecSettings,
  type FloorCodePoints,
  type FloorLimits,
  type FloorTolerances,
} from './code-points.js';
export {
  ACK_CAPABLE,
  FLOOR_INDICATOR,
  FLOOR_MESSAGE_TYPES,
  FLOOR_SOURCE,
  type FloorLevel,
  type FloorMessageType,
} from './vocabulary.js';
export { writeFloorMessage } from './codec.js';
export { readFloorDatagram, type FloorDatagram } from './datagram.js';
export { DEFAULT_PARTICIPANT, INITIAL_PARTICIPANT } from './defaults.js';
export { participantStep } from './participant.js';
export { FloorParticipant, type OuterAction } from './participant-runner.js';
export { HeldSpeech, type HeldSpeechOptions } from './held-speech.js';
export { levelMeter, SILENCE_DBOV, type LevelMeter, type MeteredCodec } from './level.js';
export { TalkDetector, type TalkDetectorOptions, type TalkKey } from './talk-detector.js';
export { splitProtected, type FloorReadFailure } from './framing.js';
export {
  PRE_ESTABLISHED_REASON,
  refusePreEstablished,
  SESSION_TYPE,
  writePreEstablished,
  type PreEstablishedMessage,
} from './pre-established.js';
export type {
  FloorFields,
  FloorLocation,
  FloorMessage,
  QueueInfo,
  RawFloorField,
  RejectCause,
  TrackInfo,
} from './message.js';
export type {
  FloorAction,
  FloorDropReason,
  FloorEvent,
  FloorInput,
  FloorState,
  FloorTimer,
  FloorTiming,
  HearingGate,
  ParticipantOptions,
  ParticipantState,
  ParticipantStep,
  SpeechGate,
  Talker,
} from './participant-types.js';
