/** Times of RFC 3261 table 4, in milliseconds. */
export interface SipTiming {
  /** round-trip estimate */
  readonly t1: number;
  /** longest interval between retransmissions of non-INVITE requests and of INVITE responses */
  readonly t2: number;
  /** how long a message may stay in the network */
  readonly t4: number;
  /** an INVITE without a response for so long is answered 100 (RFC 3261 clause 17.2.1) */
  readonly trying: number;
  /** an INVITE that has rung for so long on the client side is given up; the TU's timer C is shorter */
  readonly proceeding: number;
}

export const DEFAULT_TIMING: SipTiming = {
  t1: 500,
  t2: 4_000,
  t4: 5_000,
  trying: 200,
  proceeding: 900_000,
};
