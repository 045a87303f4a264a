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
  parts: 32,
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
