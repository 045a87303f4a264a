/** Where a message came from and where one goes to. */

export type SipProtocol = 'udp' | 'tcp' | 'tls';

export interface SipSource {
  readonly protocol: SipProtocol;
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** name of the listener that took it; absent for a connection of our own */
  readonly listener?: string;
  /** the stream connection it came over; absent for UDP */
  readonly connectionId?: string;
  /** the peer's certificate, where TLS and one was given */
  readonly tls?: TlsPeer;
}

export interface TlsPeer {
  /** was a certificate given, and did its chain verify? */
  readonly authorized: boolean;
  /** such as `DNS:a.example`, `URI:sip:a.example`, `IP Address:192.0.2.1` */
  readonly subjectAltNames: readonly string[];
  /** common name */
  readonly subject?: string;
}

export interface SipTarget {
  readonly protocol: SipProtocol;
  /** address or host name */
  readonly address: string;
  readonly port: number;
  /** name a TLS peer's certificate must carry; the address when absent */
  readonly serverName?: string;
  /** names of the listeners from whose addresses it may be reached; absent: any */
  readonly via?: readonly string[];
  /** a connection to use as long as it lives, for instance that of a SipSource */
  readonly connectionId?: string;
  /** UDP targets: may a large request go over TCP (RFC 3261 clause 18.1.1)? Default true */
  readonly largeOverTcp?: boolean;
}

/** A way to one peer that messages can be sent along. */
export interface Outlet {
  /** no retransmission needed */
  readonly reliable: boolean;
  /** Never throws. `onFailure` is called at most once and never before `send` has returned. */
  send(octets: Uint8Array, onFailure: (error: Error) => void): void;
  /**
   * Did the last sending go over this connection, and was it made for that sending (`new`) or open
   * before (`old`)? Absent for UDP.
   */
  uses?(connectionId: string): 'new' | 'old' | undefined;
}
