/**
 * Words and numbers of floor control, 3GPP TS 24.380 clause 8. What the specification's text leaves
 * open to us is in code-points.ts instead.
 */

/** Message types of the application name MCPT: the low four bits of the RTCP subtype (8.2.2). */
export const FLOOR_MESSAGE_TYPES = {
  request: 0,
  granted: 1,
  taken: 2,
  deny: 3,
  release: 4,
  idle: 5,
  revoke: 6,
  queuePositionRequest: 8,
  queuePositionInfo: 9,
  ack: 10,
  unicastMediaFlowControl: 11,
  queuedFloorRequests: 14,
  releaseMultiTalker: 15,
} as const;

export type FloorMessageType = keyof typeof FLOOR_MESSAGE_TYPES;

/** Bit of the subtype by which the sender asks for a Floor Ack. */
export const ACK_REQUIRED = 0x10;

/** Types whose sender may ask for a Floor Ack; in the others the bit is zero. */
export const ACK_CAPABLE: ReadonlySet<FloorMessageType> = new Set([
  'granted',
  'taken',
  'deny',
  'release',
  'idle',
  'queuePositionInfo',
  'unicastMediaFlowControl',
  'queuedFloorRequests',
]);

/** Bits of the Floor Indicator field (8.2.3.15). */
export const FLOOR_INDICATOR = {
  normalCall: 0x8000,
  broadcastGroup: 0x4000,
  systemCall: 0x2000,
  emergencyCall: 0x1000,
  imminentPerilCall: 0x0800,
  queueingSupported: 0x0400,
  dualFloor: 0x0200,
  temporaryGroup: 0x0100,
  multiTalker: 0x0080,
} as const;

/** Who sent a message, in the Source field (8.2.3.12). */
export const FLOOR_SOURCE = {
  participant: 0,
  participatingFunction: 1,
  controllingFunction: 2,
  nonControllingFunction: 3,
} as const;

/** Causes in a Floor Deny, as stable words for events and channel variables. */
export const DENY_CAUSES = {
  1: 'another-client-has-permission',
  2: 'server-error',
  3: 'only-one-participant',
  4: 'retry-after',
  5: 'receive-only',
  6: 'no-resources',
  7: 'queue-full',
  255: 'other',
} as const;

/** Causes in a Floor Revoke: another table under the same field. */
export const REVOKE_CAUSES = {
  1: 'only-one-client',
  2: 'burst-too-long',
  3: 'no-permission-to-send',
  4: 'pre-empted',
  6: 'no-resources',
  255: 'other',
} as const;

/** How urgent the talker's need is: mcptt-info's indications, and what they do to the floor. */
export type FloorLevel = 'normal' | 'imminent-peril' | 'emergency';
