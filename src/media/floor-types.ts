/** What the rest of the program says to the floor control of one media session, and hears from it. */
import type {
  FloorCodecSettings,
  FloorDropReason,
  FloorEvent,
  FloorLevel,
  FloorReadFailure,
  MeteredCodec,
  ParticipantOptions,
} from '../floor/index.js';
import type { SrtpKeyMaterial, UnprotectFailure } from '../srtp/index.js';

/** SRTCP keys of floor control (TS 33.180 clause 9.4). */
export interface FloorKeys {
  readonly send: SrtpKeyMaterial;
  readonly receive: readonly SrtpKeyMaterial[];
}

export interface FloorAddress {
  /** IP literal */
  readonly address: string;
  readonly port: number;
}

/** How the radio's key is seen in the RTP that comes from the PBX. */
export interface FloorKeying {
  /** `commands`: not there at all, but by `FloorCommand` */
  readonly source: 'commands' | 'level' | 'events';
  /** digits that key, which telephone-events of theirs do not carry on */
  readonly on: string;
  readonly off: string;
  /** the PBX reports the digits of `commands` and passes them on all the same */
  readonly swallowDigits: boolean;
  /** of `level`: dB below full scale, and milliseconds */
  readonly thresholdDb: number;
  readonly attackMs: number;
  readonly hangMs: number;
  /** what each RTP payload type stands for */
  readonly codecs: Readonly<Record<number, MeteredCodec>>;
}

export interface FloorSetup {
  /** null only where policy lets floor control be clear */
  readonly keys: FloorKeys | null;
  /** the partner's end; nothing is taken from another address */
  readonly remote: FloorAddress;
  /** the SSRC is drawn here */
  readonly participant: Omit<ParticipantOptions, 'ssrc'>;
  /** how messages are read and written */
  readonly codec: FloorCodecSettings;
  readonly keying: FloorKeying;
  /** speech from the PBX that waits for a grant, in milliseconds */
  readonly holdBackMs: number;
  /** speech from the MC side that waits for its Floor Taken, in milliseconds */
  readonly listenBackMs: number;
  /** floor messages that are opened in a second */
  readonly messagesPerSecond: number;
  /** who gets the partner's messages in clear; null for nobody */
  readonly forwardTo: FloorAddress | null;
}

export type FloorCommand =
  /** the call is answered; both as the answer had them */
  | { readonly type: 'set-up'; readonly implicitRequest: boolean; readonly granted: boolean }
  | { readonly type: 'key'; readonly on: boolean }
  | { readonly type: 'level'; readonly level: FloorLevel }
  | { readonly type: 'ask-queue-position' }
  /** digits to the PBX, as telephone-events */
  | { readonly type: 'dial'; readonly digits: string };

/** Why a floor message was not acted upon: on the line, in its form, or by the participant. */
export type FloorDrop =
  | UnprotectFailure
  | FloorReadFailure
  | FloorDropReason
  /** from another address than the partner's */
  | 'source'
  /** another sender than the floor server of the call */
  | 'ssrc'
  /** more in a second than are opened */
  | 'rate';

/** What the radio side is told; `pending`: a request is under way. */
export type FloorNews = FloorEvent | { readonly event: 'pending' };

export interface FloorStats {
  readonly received: number;
  readonly sent: number;
  /** reasons that never happened are absent */
  readonly dropped: Readonly<Partial<Record<FloorDrop, number>>>;
}

export type { FloorLevel };
