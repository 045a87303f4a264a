/** What the edge uses of the media engine; src/media provides it. */
import type {
  FloorAddress,
  FloorCommand,
  FloorNews,
  FloorSetup,
  GroupChange,
  GroupKey,
} from '../../media/index.js';
import type { SrtpKeyMaterial } from '../../srtp/index.js';
import type { Side } from '../dependencies.js';

/** Addresses of a session's own sockets on one side. */
export interface LocalMedia {
  readonly address: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
}

export interface ArmMedia {
  readonly receive:
    | { readonly keys: readonly SrtpKeyMaterial[] }
    | { readonly group: readonly GroupKey[] }
    | { readonly clear: true };
  readonly send:
    | { readonly key: SrtpKeyMaterial; readonly ssrc?: number }
    | { readonly none: true }
    | { readonly clear: true };
  /** RTP clock of each payload type, in Hz */
  readonly clockRates?: Readonly<Record<number, number>>;
}

/** Four ports, and what may pass between them. Keys given in are copied. */
export interface CallMediaSession {
  readonly id: string;
  readonly outer: LocalMedia;
  readonly inner: LocalMedia;
  /** Lets packets through. */
  arm(request: ArmMedia): Promise<void>;
  /** Stops forwarding and wipes every key. */
  disarm(): Promise<void>;
  /** New receive keys beside the held ones; a new send key instead of the held one. */
  rekey(request: {
    readonly receive?: { readonly keys: readonly SrtpKeyMaterial[] };
    readonly send?: { readonly key: SrtpKeyMaterial };
  }): Promise<void>;
  /** New keys of a group call. */
  changeGroup(change: GroupChange): Promise<void>;
  /** Ends a change of keys: the old ones go (answered), or the new ones (refused). */
  dropKeys(which: 'old' | 'new'): Promise<void>;
  /** Where SDP says that media goes on a side, for one early dialog where there are several. */
  setRemote(
    side: Side,
    at: { readonly address: string; readonly port: number; readonly rtcpPort?: number } | null,
    options?: { leg?: string },
  ): Promise<void>;
  /** RTP clock of each payload type from here on, in Hz. */
  setClockRates(clockRates: Readonly<Record<number, number>>): Promise<void>;
  setDirection(direction: { readonly toInner: boolean; readonly toOuter: boolean }): Promise<void>;
  /** The early dialog that became the call. */
  selectLeg(leg: string): Promise<void>;
  /** Frees the ports. */
  close(): Promise<void>;
  /** Binds the UDP port of floor control; the same one until `closeFloor`. */
  openFloor(): Promise<FloorAddress>;
  /**
   * Floor control begins, or changes: from here on there is no speech without the floor. null ends
   * it, and speech passes as it does without.
   */
  setFloor(setup: FloorSetup | null): Promise<void>;
  commandFloor(command: FloorCommand): Promise<void>;
  /** Ends floor control and gives its port back. */
  closeFloor(): Promise<void>;
  on(event: 'event', listener: (event: CallMediaEvent) => void): void;
}

/** Events of a session that the edge acts upon; it may send others. */
export type CallMediaEvent =
  /** the session is over without `close` */
  | { readonly type: 'ended' }
  /** who is heard, by the MKI in hex */
  | { readonly type: 'talker'; readonly mki: string }
  | { readonly type: 'floor'; readonly news: FloorNews }
  | { readonly type: 'media' | 'moved' | 'dropped' };

export interface MediaPort {
  /**
   * @param request `outerAddress` is that of the call's outer interface
   * @throws SegyError SEGY_E_MEDIA_PORTS
   */
  allocate(request: {
    readonly id: string;
    readonly outerAddress?: string;
  }): Promise<CallMediaSession>;
}
