/**
 * A floor control message (TS 24.380 8.2): one RTCP APP packet of the name MCPT, read into fields.
 */
import type { FloorMessageType } from './vocabulary.js';

/** A field that is not understood here, or the repetition of one that is. */
export interface RawFloorField {
  /** 0..255; the length takes two octets from 192 on */
  readonly id: number;
  readonly value: Uint8Array;
}

export interface RejectCause {
  /** 16 bits; see DENY_CAUSES and REVOKE_CAUSES */
  readonly cause: number;
  /** text for people, UTF-8 */
  readonly phrase?: string;
}

export interface QueueInfo {
  /** 8 bits; 254 and 255 have meanings of their own in the code points */
  readonly position: number;
  /** 8 bits */
  readonly priority: number;
}

export interface TrackInfo {
  /** 8 bits: 0 or 1 */
  readonly queueingCapability: number;
  readonly participantType: string;
  /** 32 bits each, one for every floor control interface on the way */
  readonly references: readonly number[];
}

/** TS 24.380 8.2.3.21: where the talker is. */
export type FloorLocation =
  | { readonly kind: 'notProvided' }
  /** `plmn`: MCC and MNC in 3 octets; `cell`: 28 bits */
  | { readonly kind: 'ecgi'; readonly plmn: Uint8Array; readonly cell: number }
  | { readonly kind: 'trackingArea'; readonly plmn: Uint8Array; readonly code: number }
  | { readonly kind: 'plmn'; readonly plmn: Uint8Array }
  | { readonly kind: 'mbmsServiceArea'; readonly area: number }
  | { readonly kind: 'mbsfnArea'; readonly area: number }
  /** 24 bits each, coded as in TS 23.032 6.1 */
  | { readonly kind: 'coordinates'; readonly latitude: number; readonly longitude: number }
  | { readonly kind: 'other'; readonly type: number; readonly value: Uint8Array };

/** The fields a floor message can carry; a field that is absent was not there. */
export interface FloorFields {
  /** Floor Priority, 0..255 */
  readonly priority?: number;
  /** Duration, seconds, 16 bits */
  readonly duration?: number;
  readonly rejectCause?: RejectCause;
  readonly queueInfo?: QueueInfo;
  /** Granted Party's Identity: the MCPTT ID of the talker */
  readonly grantedParty?: string;
  /** Permission to Request the Floor */
  readonly permissionToRequest?: boolean;
  /** User ID: MCPTT ID of whom the message speaks for */
  readonly userId?: string;
  /** Queue Size, 16 bits */
  readonly queueSize?: number;
  /** Message Sequence-Number, 16 bits */
  readonly sequenceNumber?: number;
  readonly queuedUserId?: string;
  /** Source, 16 bits; see FLOOR_SOURCE */
  readonly source?: number;
  readonly trackInfo?: TrackInfo;
  /** Message Type that a Floor Ack acknowledges: the five bits of its subtype */
  readonly acknowledged?: number;
  /** Floor Indicator, bits of FLOOR_INDICATOR */
  readonly indicator?: number;
  /** SSRC of the granted or queued participant's speech */
  readonly mediaSsrc?: number;
  /** List of Granted Users, MCPTT IDs */
  readonly grantedUsers?: readonly string[];
  /** List of SSRCs, in the order of the granted users */
  readonly mediaSsrcs?: readonly number[];
  readonly functionalAlias?: string;
  readonly functionalAliases?: readonly string[];
  readonly location?: FloorLocation;
  readonly locations?: readonly FloorLocation[];
  /** Queued Floor Requests Purpose, 16 bits */
  readonly queuedPurpose?: number;
  /** List of Queued Users, kept as octets */
  readonly queuedUsers?: Uint8Array;
  /** Response State, 16 bits */
  readonly responseState?: number;
  /** Media Flow Control Indicator, 16 bits */
  readonly mediaFlowControl?: number;
}

export interface FloorMessage extends FloorFields {
  readonly type: FloorMessageType;
  /** the sender asks for a Floor Ack */
  readonly ackRequired: boolean;
  /** SSRC of the sender of the message, not of speech */
  readonly ssrc: number;
  /** fields that are skipped, in their order; written again after the others */
  readonly others: readonly RawFloorField[];
}
