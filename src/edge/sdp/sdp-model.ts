/**
 * What the edge keeps of a session description. It never edits SDP text: it reads one side's
 * description into this model and writes a new one for the other side from it, so that whatever is
 * not in the model (addresses, origin, ICE, keys, tool and host names) cannot pass.
 */

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** One m= line as far as a declined copy of it needs. */
export interface SectionShape {
  readonly media: string;
  readonly profile: string;
  readonly formats: readonly string[];
}

/** The one audio stream that is carried. */
export interface AudioDescription {
  /** place among the m= lines of the description it was read from */
  readonly index: number;
  /** IP literal where its sender wants RTP; null while it is on hold the old way (0.0.0.0) */
  readonly address: string | null;
  /** 0: the stream is declined or removed */
  readonly port: number;
  readonly rtcpPort: number;
  readonly profile: string;
  readonly formats: readonly string[];
  /** i= text, for speech `speech` */
  readonly information: string | null;
  /** b= values that say how much audio there is (AS, TIAS) */
  readonly bandwidths: readonly string[];
  /** attributes that say what the audio is, without `a=` */
  readonly attributes: readonly string[];
  readonly direction: Direction;
}

/** What a floor line negotiates (TS 24.380 clause 14). */
export interface FloorParameters {
  /** mc_queueing: requests may be queued */
  readonly queueing: boolean;
  /** mc_priority: the highest Floor Priority that may be asked for, 1..255 */
  readonly priority: number | null;
  /** mc_granted: in an offer it may be, in an answer it is granted */
  readonly granted: boolean;
  /** mc_implicit_request: the INVITE is a floor request */
  readonly implicitRequest: boolean;
}

/** A floor line, `m=application P udp MCPTT`. */
export interface FloorDescription {
  /** place among the m= lines */
  readonly index: number;
  /** as c= has it; checked before it is used */
  readonly address: string;
  /** 0: declined or removed */
  readonly port: number;
  readonly parameters: FloorParameters;
}

export interface SessionModel {
  readonly sections: readonly SectionShape[];
  readonly audio: AudioDescription | null;
  readonly floor: FloorDescription | null;
  /** octets of the I_MESSAGE in a=key-mgmt:mikey; the media level wins (RFC 4567 clause 3) */
  readonly keyMessage: Uint8Array | null;
  /** true when a=crypto or a DTLS fingerprint was there: keys this gateway does not take */
  readonly otherKeying: boolean;
}

/** RFC 3264 clause 6.1: what a direction lets its own side do. */
export function sends(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

export function receives(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}
