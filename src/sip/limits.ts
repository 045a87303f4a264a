/** Upper bounds of everything that comes from the network. All have defaults; all can be set. */

export interface SipLimits {
  /** a whole message, octets */
  readonly messageOctets: number;
  /** start line and header section together, octets */
  readonly headOctets: number;
  /** one header field after unfolding, octets */
  readonly headerOctets: number;
  /** header fields in a message */
  readonly headerCount: number;
  /** the body, octets */
  readonly bodyOctets: number;
}

export const DEFAULT_SIP_LIMITS: SipLimits = {
  messageOctets: 262_144,
  headOctets: 49_152,
  headerOctets: 8_192,
  headerCount: 200,
  bodyOctets: 229_376,
};

export interface BodyLimits {
  /** the whole body, octets */
  readonly octets: number;
  /** multipart levels: 1 is a flat multipart body */
  readonly depth: number;
  /** parts of all levels together */
  readonly parts: number;
  /** header fields of one part */
  readonly headerCount: number;
  /** header section of one part, octets */
  readonly headOctets: number;
}

export const DEFAULT_BODY_LIMITS: BodyLimits = {
  octets: 229_376,
  depth: 4,
  // 64 group keys in one body, and what stands beside them
  parts: 72,
  headerCount: 32,
  headOctets: 8_192,
};

export interface SdpLimits {
  /** the whole description, octets */
  readonly octets: number;
  readonly lines: number;
  /** one line, octets; key-mgmt lines carry a whole I_MESSAGE */
  readonly lineOctets: number;
  /** media sections */
  readonly media: number;
}

export const DEFAULT_SDP_LIMITS: SdpLimits = {
  octets: 131_072,
  lines: 1_000,
  lineOctets: 65_536,
  media: 32,
};

/** Limits of sockets and transactions; times in milliseconds. */
export interface SipEndpointLimits extends SipLimits {
  /** requests above this go over TCP where the UDP target allows it, octets (RFC 3261 clause 18.1.1) */
  readonly udpRequestOctets: number;
  /** incoming stream connections of a listener */
  readonly connections: number;
  /** incoming stream connections from one address */
  readonly connectionsPerAddress: number;
  /** octets waiting to be sent on one connection or UDP socket; beyond, the connection is closed */
  readonly sendQueueOctets: number;
  /** a stream connection without traffic is closed */
  readonly idleMs: number;
  /** an incoming connection whose first message is not complete by then is closed */
  readonly firstMessageMs: number;
  /** a message that has begun on a stream must be complete by then */
  readonly messageMs: number;
  /** a connection that we open stands by then, its TLS handshake included */
  readonly connectMs: number;
  /** our connections send a CRLF ping when nothing was sent for so long; 0 for none (RFC 5626) */
  readonly pingMs: number;
  /** server transactions alive; beyond, 503 */
  readonly serverTransactions: number;
  /** client transactions alive; beyond, SEGY_E_BUSY */
  readonly clientTransactions: number;
}

export const DEFAULT_ENDPOINT_LIMITS: SipEndpointLimits = {
  ...DEFAULT_SIP_LIMITS,
  udpRequestOctets: 1_300,
  connections: 512,
  connectionsPerAddress: 64,
  sendQueueOctets: 1_048_576,
  idleMs: 900_000,
  firstMessageMs: 30_000,
  messageMs: 10_000,
  connectMs: 5_000,
  pingMs: 60_000,
  serverTransactions: 20_000,
  clientTransactions: 20_000,
};
