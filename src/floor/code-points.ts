/**
 * What the text of TS 24.380 that is at hand leaves open, in one table. A partner's settings override
 * single entries; docs/conformance.md lists them.
 */
export interface FloorCodePoints {
  /** spare octets between the number and the SSRCs of a List of SSRCs: 2 as dissectors read it, or 1 */
  readonly ssrcListSpare: 1 | 2;
  /** Queue Position Info of one who is not queued */
  readonly notQueued: number;
  /** Queue Position Info of one whose place is not told */
  readonly positionUnknown: number;
  /** a Floor Ack names the subtype with its acknowledgement bit, or the message type alone */
  readonly ackNamesAckBit: boolean;
  /** field identifiers of MCPC (TS 24.380 8.3.3) */
  readonly mediaStreams: number;
  readonly sessionIdentity: number;
  readonly warningText: number;
  readonly groupIdentity: number;
  readonly answerState: number;
  readonly invitingUser: number;
  readonly reasonCode: number;
  readonly pckMessage: number;
}

export const DEFAULT_FLOOR_CODE_POINTS: FloorCodePoints = {
  ssrcListSpare: 2,
  notQueued: 254,
  positionUnknown: 255,
  ackNamesAckBit: false,
  mediaStreams: 0,
  sessionIdentity: 1,
  warningText: 2,
  groupIdentity: 3,
  answerState: 4,
  invitingUser: 5,
  reasonCode: 6,
  pckMessage: 192,
};

/** What is let pass on receipt that the text does not allow; each a habit of some product. */
export interface FloorTolerances {
  /** field identifiers 102..116 of early Release 13 stand for 0..13 */
  readonly earlyFieldIds: boolean;
  /** a text whose length counts zero octets at its end */
  readonly trailingZeros: boolean;
  /** words of zeros between fields or after the last */
  readonly zeroWords: boolean;
}

export const ALL_FLOOR_TOLERANCES: FloorTolerances = {
  earlyFieldIds: true,
  trailingZeros: true,
  zeroWords: true,
};

export const NO_FLOOR_TOLERANCES: FloorTolerances = {
  earlyFieldIds: false,
  trailingZeros: false,
  zeroWords: false,
};

/** How messages are read and written for one partner. */
export interface FloorCodecSettings {
  readonly codePoints: FloorCodePoints;
  readonly tolerances: FloorTolerances;
  readonly limits: FloorLimits;
}

export interface FloorLimits {
  /** octets of a datagram without its SRTCP trailer */
  readonly datagram: number;
  /** messages in one datagram */
  readonly messages: number;
  /** fields in one message, and items in one list */
  readonly fields: number;
}

export const DEFAULT_FLOOR_LIMITS: FloorLimits = { datagram: 4096, messages: 8, fields: 32 };

export const DEFAULT_FLOOR_CODEC: FloorCodecSettings = {
  codePoints: DEFAULT_FLOOR_CODE_POINTS,
  tolerances: ALL_FLOOR_TOLERANCES,
  limits: DEFAULT_FLOOR_LIMITS,
};
