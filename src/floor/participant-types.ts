/**
 * What goes into a floor participant and what comes out: inputs, actions, states, options.
 */
import type { FloorCodePoints } from './code-points.js';
import type { FloorMessage } from './message.js';
import type { FloorLevel } from './vocabulary.js';

/** States of TS 24.380 6.2.4, without the prefix `U:`. */
export type FloorState =
  | 'start-stop'
  | 'has-no-permission'
  | 'pending-request'
  | 'queued'
  | 'has-permission'
  | 'pending-release';

/**
 * T100 Floor Release, T101 Floor Request, T103 end of RTP media, T104 Floor Queue Position Request,
 * T132 granted and not keyed; `talk-limit` ends a grant that has a Duration.
 */
export type FloorTimer = 'T100' | 'T101' | 'T103' | 'T104' | 'T132' | 'talk-limit';

export type FloorInput =
  | {
      /** the session is there: the SDP answer was sent or received */
      readonly kind: 'call-set-up';
      /** mc_implicit_request stands in the answer: the INVITE was a floor request of ours */
      readonly implicitRequest: boolean;
      /** mc_granted stands in the answer: and it was granted */
      readonly granted: boolean;
    }
  | { readonly kind: 'call-ended' }
  /** the radio keys; `level` where the key itself says how urgent, otherwise that of the call */
  | { readonly kind: 'key-on'; readonly level?: FloorLevel }
  | { readonly kind: 'key-off' }
  /** the call became an emergency, or ceased to be one */
  | { readonly kind: 'level'; readonly level: FloorLevel }
  | {
      readonly kind: 'message';
      readonly message: FloorMessage;
      /** SRTCP index it came under (31 bits): what is older than the last one of its SSRC is dropped */
      readonly index?: number;
    }
  /** new SRTCP keys: indexes start again */
  | { readonly kind: 're-keyed' }
  /** speech came from the MC side; once in a while is enough, it restarts T103 */
  | { readonly kind: 'media' }
  /** somebody wants to know the place in the queue */
  | { readonly kind: 'ask-queue-position' }
  | { readonly kind: 'timer'; readonly timer: FloorTimer };

/**
 * What happens to speech from the radio: `open` it is sent, `hold` it waits in a HeldSpeech, `closed`
 * it is dropped and counted.
 */
export type SpeechGate = 'open' | 'hold' | 'closed';

/** What happens to speech from the MC side. */
export interface HearingGate {
  readonly open: boolean;
  /** only these SSRCs, where the floor server named them and the options say so; null: any */
  readonly ssrcs: readonly number[] | null;
}

/** One who has the floor on the MC side. */
export interface Talker {
  /** MCPTT ID; null where the server keeps it to itself */
  readonly userId: string | null;
  readonly functionalAlias: string | null;
  readonly ssrc: number | null;
}

/** What the radio side is told. `reason` is a stable word. */
export type FloorEvent =
  /** seconds; `awaitsKey`: nobody keys, and the grant is given back when T132 ends */
  | { readonly event: 'granted'; readonly duration: number | null; readonly awaitsKey: boolean }
  | {
      readonly event: 'denied';
      readonly reason: string;
      readonly cause: number | null;
      readonly phrase: string | null;
    }
  /** `position` is null where the server does not tell */
  | { readonly event: 'queued'; readonly position: number | null; readonly priority: number | null }
  | {
      readonly event: 'revoked';
      readonly reason: string;
      readonly cause: number | null;
      readonly phrase: string | null;
    }
  /** the floor was given back: `key-off`, `time-limit`, `not-keyed`, `call-ended` */
  | { readonly event: 'released'; readonly reason: string }
  | { readonly event: 'taken'; readonly talkers: readonly Talker[]; readonly level: FloorLevel }
  | { readonly event: 'idle'; readonly reason: string };

export type FloorAction =
  | { readonly kind: 'send'; readonly message: FloorMessage }
  /** starts or restarts */
  | { readonly kind: 'start-timer'; readonly timer: FloorTimer; readonly ms: number }
  | { readonly kind: 'stop-timer'; readonly timer: FloorTimer }
  | { readonly kind: 'speech'; readonly gate: SpeechGate }
  | { readonly kind: 'hearing'; readonly gate: HearingGate }
  /** who is heard now; empty when nobody is */
  | { readonly kind: 'talkers'; readonly talkers: readonly Talker[] }
  /** whether a key press would be sent as a request at all */
  | { readonly kind: 'may-request'; readonly allowed: boolean }
  | { readonly kind: 'tell'; readonly what: FloorEvent }
  /** a message was not acted upon; for counters */
  | { readonly kind: 'dropped'; readonly reason: FloorDropReason };

export type FloorDropReason =
  /** older than a message that was acted upon */
  | 'late'
  /** the call has no floor control (any more) */
  | 'no-call'
  /** a message that only participants send */
  | 'wrong-direction'
  /** nothing this state asked for */
  | 'unexpected';

export interface FloorTiming {
  /** milliseconds */
  readonly t100: number;
  readonly t101: number;
  readonly t103: number;
  readonly t104: number;
  readonly t132: number;
  /** how many times a Floor Release, Request, Queue Position Request is sent before giving up */
  readonly c100: number;
  readonly c101: number;
  readonly c104: number;
}

export interface ParticipantOptions {
  /** SSRC of our floor messages */
  readonly ssrc: number;
  /** MCPTT ID for the User ID field of what is sent; null: the field is left out */
  readonly userId: string | null;
  /** for the Functional Alias field of a Floor Request */
  readonly functionalAlias: string | null;
  /** mc_queueing was negotiated */
  readonly queueing: boolean;
  /** mc_priority that was negotiated: no request asks for more; null: the field is left out */
  readonly maxPriority: number | null;
  /** Floor Priority of a request at each level */
  readonly priorities: Readonly<Record<FloorLevel, number>>;
  /** in the queue, an unkeyed radio stays (T132 waits for it at the grant) or leaves */
  readonly unkeyedInQueue: 'stays' | 'leaves';
  /** ask for a Floor Ack of our Floor Release */
  readonly releaseWantsAck: boolean;
  /** let through only the SSRCs that a Floor Taken names, where it names any */
  readonly bindSsrc: boolean;
  /** seconds of one talk burst that the gateway itself allows; null: only what the grant says */
  readonly talkLimit: number | null;
  readonly timing: FloorTiming;
  readonly codePoints: Pick<FloorCodePoints, 'ackNamesAckBit' | 'notQueued' | 'positionUnknown'>;
}

/** One participant, at rest between two inputs. A value: a step makes a new one. */
export interface ParticipantState {
  readonly floor: FloorState;
  /** the call is over: nothing makes it live again */
  readonly ended: boolean;
  readonly keyed: boolean;
  /** keyed again while a release was under way: a request follows it */
  readonly keyedAgain: boolean;
  /** urgency of the call */
  readonly callLevel: FloorLevel;
  /** urgency of the request that is under way or granted */
  readonly level: FloorLevel;
  /** how the floor is shared while we have it: we override a talker, one overrides us, or both talk */
  readonly shared: 'no' | 'overriding' | 'overridden' | 'multi-talker';
  /** the server gave us the floor, or took it, since the last request: no older answer is under way */
  readonly answered: boolean;
  /** sendings of the message that a running T100, T101 or T104 repeats */
  readonly attempts: number;
  /** timers that run: one that fires and is not here came too late */
  readonly running: readonly FloorTimer[];
  readonly speech: SpeechGate;
  readonly hearing: HearingGate;
  /** who has the floor on the MC side; nobody is heard when it is empty */
  readonly talkers: readonly Talker[];
  /** T103 ended and no speech came since */
  readonly silent: boolean;
  readonly mayRequest: boolean;
  /** SSRC and SRTCP index of the last message that was acted upon; null before the first */
  readonly last: { readonly ssrc: number; readonly index: number } | null;
  /** messages that came before the call was set up; at most EARLY_MESSAGES */
  readonly early: readonly FloorMessage[];
}

/**
 * The one transition function: everything a participant does follows from what it is told.
 * Actions are in the order in which they are to be done.
 */
export type ParticipantStep = (
  options: ParticipantOptions,
  state: ParticipantState,
  input: FloorInput,
) => { readonly state: ParticipantState; readonly actions: readonly FloorAction[] };
