/** Bounds of the console. Its users are few, and still anybody on the host may knock. */
export interface ConsoleLimits {
  readonly connections: number;
  /** time for a request to arrive whole, in milliseconds */
  readonly receiveMs: number;
  /** all headers of a request, in octets */
  readonly headerOctets: number;
  /** the body of a log-in, in octets */
  readonly bodyOctets: number;
  readonly sessions: number;
  /** event streams of one session, and of all */
  readonly streamsOfSession: number;
  readonly streams: number;
  /** least time between two events of a stream, in milliseconds */
  readonly tickMs: number;
  /** octets that wait for a slow reader before it is told no more until it has read them */
  readonly backlogOctets: number;
  /** a reader that is behind for so long is cut off, in milliseconds */
  readonly stalledMs: number;
  /** a stream without news shows by an empty line that it lives, in milliseconds */
  readonly heartbeatMs: number;
  /** log-ins that may come at once, and one more every so many milliseconds */
  readonly logInBurst: number;
  readonly logInEveryMs: number;
  /** a one-time token is good for so long, in milliseconds; so many at a time */
  readonly oneTimeMs: number;
  readonly oneTimeTokens: number;
}

export const DEFAULT_CONSOLE_LIMITS: ConsoleLimits = {
  connections: 48,
  receiveMs: 5000,
  headerOctets: 8192,
  bodyOctets: 1024,
  sessions: 16,
  streamsOfSession: 4,
  streams: 16,
  tickMs: 500,
  backlogOctets: 1024 * 1024,
  stalledMs: 20_000,
  heartbeatMs: 15_000,
  logInBurst: 8,
  logInEveryMs: 5000,
  oneTimeMs: 300_000,
  oneTimeTokens: 16,
};
