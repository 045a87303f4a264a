/**
 * What the rest of the program sees of the media engine.
 */
import type { SrtpKeyMaterial, SrtpSuite } from '../srtp/index.js';
import type {
  FloorAddress,
  FloorCommand,
  FloorNews,
  FloorSetup,
  FloorStats,
} from './floor-types.js';

/** `outer` is towards the MC system, `inner` towards the PBX. */
export type MediaSide = 'outer' | 'inner';

/** An address that SDP signalled. `rtcpPort` is the RTP port plus one where SDP says nothing. */
export interface MediaAddress {
  /** IPv4 or IPv6 literal */
  readonly address: string;
  readonly port: number;
  readonly rtcpPort?: number;
}

/** Where a session's own sockets are bound; the edge writes these into SDP. */
export interface LocalMediaAddress {
  readonly address: string;
  /** even */
  readonly rtpPort: number;
  /** the RTP port plus one */
  readonly rtcpPort: number;
}

export type ReceiveProtection =
  | { readonly keys: readonly SrtpKeyMaterial[] }
  /** a group call: whoever talks under one of these keys */
  | { readonly group: readonly GroupKey[] }
  /** only for a partner whose policy is `allow-clear` */
  | { readonly clear: true };

/** A GMK as the media of a group call needs it (TS 33.180 7.4.2). */
export interface GroupKey {
  /** GMK-ID, 4 octets */
  readonly gmkId: Uint8Array;
  /** packets under a key that is not usable are dropped and counted by this state */
  readonly state: 'usable' | 'revoked' | 'expired';
  /** 16 octets; none unless usable */
  readonly gmk: Uint8Array;
  /** RANDs that it came with, 4 at most; a talker's first packets try each */
  readonly rands: readonly Uint8Array[];
  /** GUK-IDs of our own users: packets that name one are a reflection */
  readonly own: readonly Uint8Array[];
  /** GUK-IDs of members that are known, as numbers: their first packets are tried before others' */
  readonly members?: Uint32Array;
  readonly suite: SrtpSuite;
  readonly rocRate: number;
  /** crypto session of the traffic type */
  readonly csId: number;
}

/** New keys of a group call; what is absent stays as it is. */
export interface GroupChange {
  readonly keys?: readonly GroupKey[];
  /** takes over with the next packet; null: nothing is sent until there is one again */
  readonly send?: { readonly key: SrtpKeyMaterial; readonly ssrc?: number } | null;
}

export type SendProtection =
  | {
      readonly key: SrtpKeyMaterial;
      /** default: drawn from the sending memory; a given one must be unused under the key */
      readonly ssrc?: number;
    }
  /** nothing to send with yet, in a group call */
  | { readonly none: true }
  | { readonly clear: true };

export interface ArmRequest {
  readonly receive: ReceiveProtection;
  readonly send: SendProtection;
  /** RTP clock of each payload type, in Hz, from a=rtpmap; others have their static one or 8000 */
  readonly clockRates?: Readonly<Record<number, number>>;
}

/** New keys beside the held ones (receive), or instead of the held one (send). */
export interface RekeyRequest {
  readonly receive?: { readonly keys: readonly SrtpKeyMaterial[] };
  readonly send?: { readonly key: SrtpKeyMaterial; readonly ssrc?: number };
}

export interface MediaDirection {
  readonly toInner: boolean;
  readonly toOuter: boolean;
}

export interface AllocateRequest {
  /** names the session in logs and events; unique among live ones. Default: random */
  readonly id?: string;
  /** outer address of its sockets: that of the engine, or one of its `otherAddresses`; default the first */
  readonly outerAddress?: string;
  /** set the marker bit at the start of each talk spurt towards the PBX; default true (audio) */
  readonly markTalkSpurts?: boolean;
}

/** Why a packet was not forwarded. */
export type DropReason =
  | 'disarmed'
  | 'held'
  | 'source'
  | 'malformed'
  | 'unknown-mki'
  /** a GMK that is known and may not be used */
  | 'revoked'
  | 'expired'
  /** the MKI names one of our own users */
  | 'reflection'
  /** nothing to send with */
  | 'no-key'
  | 'auth'
  | 'replay'
  | 'stream-limit'
  | 'leg'
  | 'duplicate'
  | 'late'
  | 'other-source'
  | 'no-remote'
  /** the call has floor control, and whoever spoke has not got the floor */
  | 'no-floor'
  /** a telephone-event that keyed the radio */
  | 'keying'
  | 'exhausted';

export interface DirectionStats {
  /** packets and payload octets forwarded */
  readonly packets: number;
  readonly octets: number;
  /** packets not forwarded, by reason; reasons that never happened are absent */
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** of the stream received in this direction: RFC 3550 total of packets lost */
  readonly lost: number;
  /** of the stream received in this direction: RFC 3550 jitter, in milliseconds */
  readonly jitterMs: number;
}

export interface MediaStats {
  readonly id: string;
  readonly armed: boolean;
  /** packets that came from the outer side; `auth` in `dropped` are authentication failures */
  readonly toInner: DirectionStats;
  readonly toOuter: DirectionStats;
  /** where outer packets go now */
  readonly outerRemote: { readonly address: string; readonly port: number } | null;
  /** SSRCs used in sending; null while disarmed */
  readonly outerSsrc: number | null;
  readonly innerSsrc: number;
  /** milliseconds since the last authenticated outer packet; null before the first */
  readonly sinceAuthenticatedMs: number | null;
  /** live authenticated SRTP streams */
  readonly streams: number;
  /** packets that authenticated under another ROC than their sequence number let expect */
  readonly rocJumps: number;
  /** SRTCP or RTCP packets accepted on each side */
  readonly rtcpFromOuter: number;
  readonly rtcpFromInner: number;
  /** null in a session that never had floor control */
  readonly floor: FloorStats | null;
}

export type MediaEvent =
  /** the first authenticated media of the session, or of a leg */
  | { readonly type: 'media'; readonly leg: string }
  /** the stream towards the PBX has a new source; `mki` in hex tells the group talker */
  | { readonly type: 'talker'; readonly ssrc: number; readonly mki: string; readonly leg: string }
  /** the outer peer sends authenticated packets from a new address */
  | {
      readonly type: 'moved';
      readonly leg: string;
      readonly address: string;
      readonly port: number;
    }
  /** what became of the floor */
  | { readonly type: 'floor'; readonly news: FloorNews }
  /** packets dropped since the last such event, by reason; at most one event each window */
  | {
      readonly type: 'dropped';
      readonly direction: 'toInner' | 'toOuter';
      readonly counts: Readonly<Partial<Record<DropReason, number>>>;
    }
  /** the session is over without `close()`: its worker died. Nothing is forwarded any more */
  | { readonly type: 'ended'; readonly reason: 'worker' };

export interface MediaSession {
  readonly id: string;
  readonly outer: LocalMediaAddress;
  readonly inner: LocalMediaAddress;
  /** true from `close()` or the `ended` event on; every command then fails with SEGY_E_MEDIA_ENDED */
  readonly ended: boolean;
  /**
   * Lets packets through. Keys are copied; the caller's stay the caller's to wipe. Arming again
   * with keys that are held keeps their indexes and replay windows.
   * @throws SegyError SEGY_E_ARGUMENT for unusable key material; SEGY_E_MEDIA when `ssrc` was used under the key
   */
  arm(request: ArmRequest): Promise<void>;
  /** Stops forwarding, says BYE in RTCP on both sides and wipes every key. The ports stay. */
  disarm(): Promise<void>;
  /**
   * Two-phase change of keys: new receive keys are taken beside the old ones, a new send key takes
   * over with the next packet under a fresh SSRC. Never from or to clear media.
   * @throws SegyError SEGY_E_MEDIA when the session is disarmed or clear
   */
  rekey(request: RekeyRequest): Promise<void>;
  /**
   * New keys in a group call, received and sent between two packets.
   * @throws SegyError SEGY_E_MEDIA when the session is not armed for a group
   */
  changeGroup(change: GroupChange): Promise<void>;
  /**
   * Ends the change: `old` drops the receive keys that the last `rekey` did not name (the offer was
   * answered), `new` drops those that only it named (the offer was refused).
   */
  dropKeys(which: 'old' | 'new'): Promise<void>;
  /**
   * Address from SDP. Outer: where to send until authenticated packets show another address.
   * Inner: where to send, and the only address from which inner packets are taken. null: none.
   */
  setRemote(
    side: MediaSide,
    address: MediaAddress | null,
    options?: { leg?: string },
  ): Promise<void>;
  /** RTP clocks as in `ArmRequest`, instead of those of before. */
  setClockRates(clockRates: Readonly<Record<number, number>>): Promise<void>;
  /** Hold: what is not allowed in a direction is dropped; authentication and replay state go on. */
  setDirection(direction: MediaDirection): Promise<void>;
  /** The confirmed dialog: only its media is heard and only it is sent to. */
  selectLeg(leg: string): Promise<void>;
  /** An early dialog that has ended. */
  dropLeg(leg: string): Promise<void>;
  /**
   * Binds one more outer port, for floor control; the same one until `closeFloor`.
   * @throws SegyError SEGY_E_MEDIA_PORTS
   */
  openFloor(): Promise<FloorAddress>;
  /**
   * Floor control begins, or its keys, its remote end or its options change; the participant's state
   * stays. From here on there is no speech without the floor. null ends it.
   * @throws SegyError SEGY_E_MEDIA when the session is disarmed or the port is not open
   */
  setFloor(setup: FloorSetup | null): Promise<void>;
  commandFloor(command: FloorCommand): Promise<void>;
  /** Ends floor control and frees its port. */
  closeFloor(): Promise<void>;
  stats(): Promise<MediaStats>;
  /** Disarms, frees the ports and ends the session. Idempotent. */
  close(): Promise<void>;
  /** A listener that throws is logged and harms nothing. */
  on(event: 'event', listener: (event: MediaEvent) => void): void;
}

/** What a worker last told of one session, at most a second ago while packets come. */
export interface SessionTotals {
  /** packets forwarded and not forwarded */
  readonly toInner: number;
  readonly toOuter: number;
  readonly dropped: number;
  /** packets from outside that did not authenticate */
  readonly authFailures: number;
  /** of the stream from outside */
  readonly lost: number;
  readonly jitterMs: number;
  /** when packets were last forwarded in a direction, in milliseconds since 1970, to the second */
  readonly toInnerAt: number | null;
  readonly toOuterAt: number | null;
}

export interface EngineStats {
  readonly workers: number;
  readonly workerRestarts: number;
  readonly sessions: number;
  readonly freePorts: { readonly outer: number; readonly inner: number };
}

export interface MediaEngine {
  /**
   * A session with its four ports, disarmed.
   * @throws SegyError SEGY_E_ARGUMENT for an address that is not the engine's; SEGY_E_MEDIA_PORTS when a side has no free pair of ports or the session limit is reached
   */
  allocate(request?: AllocateRequest): Promise<MediaSession>;
  stats(): Promise<EngineStats>;
  /** What is known of a session without asking its worker; undefined before its first packet. */
  totals(session: string): SessionTotals | undefined;
  /** Asks the worker for all of one session. @throws SegyError SEGY_E_MEDIA_ENDED, SEGY_E_NOT_FOUND */
  sessionStats(session: string): Promise<MediaStats>;
  /** Closes every session and ends the workers. */
  close(): Promise<void>;
}
