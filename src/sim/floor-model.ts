/** What a simulated floor control server is told, and the words it uses. */
import { FLOOR_INDICATOR, type FloorLevel, type FloorMessage } from '../floor/index.js';

export interface FloorServerOptions {
  /** SSRC of its messages */
  readonly ssrc: number;
  /** places in the queue; 0: nobody is queued */
  readonly queueLimit: number;
  /** Duration of a grant in seconds; 0: the field is left out */
  readonly duration: number;
  /** grants ask for a Floor Ack, T20 repeats them until it comes */
  readonly ackGrants: boolean;
  /** an emergency, or imminent peril before a normal call, takes the floor away */
  readonly preempts: boolean;
  /** an emergency talks beside the talker instead */
  readonly dualFloor: boolean;
  /**
   * milliseconds: T1 silence of the talker, T2 length of a talk burst, T3 grace behind it, T7 between
   * Floor Idles, T8 between Floor Revokes, T20 between Floor Granteds
   */
  readonly t1: number;
  readonly t2: number;
  readonly t3: number;
  readonly t7: number;
  readonly t8: number;
  readonly t20: number;
  /** sendings of a Floor Idle, Floor Revoke, Floor Granted */
  readonly c7: number;
  readonly c8: number;
  readonly c20: number;
}

export const DEFAULT_FLOOR_SERVER: FloorServerOptions = {
  ssrc: 0x0f10_0a00,
  queueLimit: 4,
  duration: 30,
  ackGrants: false,
  preempts: true,
  dualFloor: false,
  t1: 4000,
  t2: 30_000,
  t3: 3000,
  t7: 1000,
  t8: 1000,
  t20: 1000,
  c7: 1,
  c8: 3,
  c20: 3,
};

export interface FloorServerParticipant {
  /** MCPTT ID, also its name here */
  readonly userId: string;
  /** mc_queueing was negotiated with it */
  readonly queueing: boolean;
  /** may only listen */
  readonly receiveOnly?: boolean;
  /** SSRC of its speech, told to the others */
  readonly mediaSsrc?: number;
  readonly send: (message: FloorMessage) => void;
}

/** What a script makes of a request. */
export type FloorVerdict =
  | 'by-the-rules'
  | 'grant'
  | 'queue'
  | 'ignore'
  | { readonly deny: number; readonly phrase?: string };

export type FloorScript = (request: {
  readonly userId: string;
  readonly level: FloorLevel;
  readonly priority: number;
}) => FloorVerdict;

export const RANK: Readonly<Record<FloorLevel, number>> = {
  normal: 0,
  'imminent-peril': 1,
  emergency: 2,
};

/** Urgency of a request, by its Floor Indicator. */
export function levelOf(message: FloorMessage): FloorLevel {
  const indicator = message.indicator ?? 0;
  if ((indicator & FLOOR_INDICATOR.emergencyCall) !== 0) return 'emergency';
  return (indicator & FLOOR_INDICATOR.imminentPerilCall) !== 0 ? 'imminent-peril' : 'normal';
}
