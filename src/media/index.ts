/**
 * Media: RTP end points between the MC side (outer, SRTP) and the PBX side (inner, clear), in worker
 * threads with sockets of their own.
 *
 * Contract: a session forwards nothing until it is armed and nothing after `disarm`, `close` or the
 * end of its worker. Nothing that did not authenticate is forwarded, changes where media is sent, or
 * leaves state behind. No (master key, SSRC, index) is used for sending twice: indexes only grow, and
 * SSRCs come from a `SendingMemory`. Key octets live in the worker and are wiped with the session.
 */
export { createMediaEngine } from './engine.js';
export {
  DEFAULT_MEDIA_LIMITS,
  type MediaEngineOptions,
  type MediaLimits,
  type PortRange,
} from './options.js';
export { createSendingMemory, type SendingMemory } from './sending-memory.js';
export type {
  FloorAddress,
  FloorCommand,
  FloorDrop,
  FloorKeying,
  FloorKeys,
  FloorLevel,
  FloorNews,
  FloorSetup,
  FloorStats,
} from './floor-types.js';
export type {
  AllocateRequest,
  ArmRequest,
  DirectionStats,
  DropReason,
  EngineStats,
  GroupChange,
  GroupKey,
  LocalMediaAddress,
  MediaAddress,
  MediaDirection,
  MediaEngine,
  MediaEvent,
  MediaSession,
  MediaSide,
  MediaStats,
  ReceiveProtection,
  RekeyRequest,
  SendProtection,
  SessionTotals,
} from './types.js';
