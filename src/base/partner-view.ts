/** What an operator may see of the ways to a partner: told by the edge, shown by the administration. */

/** One way to a partner: transport, address and port. */
export interface PartnerWayView {
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly address: string;
  readonly port: number;
  readonly state: 'unknown' | 'up' | 'down';
  /** since when it is so, in milliseconds since 1970; null where nothing is known */
  readonly since: number | null;
  /** of the last probe that was answered */
  readonly roundTripMs: number | null;
  /** why it is down */
  readonly reason: string | null;
}

export interface PartnerView {
  readonly partner: string;
  /** `down`: no way is left; `unknown`: none was tried yet */
  readonly state: 'unknown' | 'up' | 'down';
  readonly ways: readonly PartnerWayView[];
}
