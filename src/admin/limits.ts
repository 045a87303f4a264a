/** Bounds of the command socket. Its callers are the operator's own, and still a loop can go wild. */
export interface AdminLimits {
  /** largest body of a request, in octets */
  readonly bodyOctets: number;
  /** time for a request to arrive whole, in milliseconds */
  readonly receiveMs: number;
  /** time for a command that names no other, in milliseconds */
  readonly runMs: number;
  /** commands that run at the same time */
  readonly concurrent: number;
  /** connections at the same time */
  readonly connections: number;
}

export const DEFAULT_ADMIN_LIMITS: AdminLimits = {
  bodyOctets: 32 * 1024 * 1024,
  receiveMs: 10_000,
  runMs: 60_000,
  concurrent: 16,
  connections: 64,
};
