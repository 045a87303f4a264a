/**
 * What the running gateway does for `segy` commands: a table of named commands that src/cli
 * composes. The server knows none of them.
 */

/** What a command gets beside its body. */
export interface AdminRequest {
  /** aborted when the caller goes away, the time is over, or the gateway stops */
  readonly signal: AbortSignal;
  /** Sends one JSON value ahead of the result; resolves when the caller can take more. */
  readonly event: (value: unknown) => Promise<void>;
}

export interface AdminCommand {
  /** changes something: it is logged */
  readonly changes: boolean;
  /** in milliseconds; the server's own when absent, no end for a command that reports for as long as it is heard */
  readonly timeoutMs?: number | null;
  /**
   * @param body the JSON value of the request; the command checks it
   * @returns a JSON value
   * @throws SegyError whose code and message the caller gets
   */
  run(body: unknown, request: AdminRequest): Promise<unknown>;
}

/** By name, words joined with `/`: `user/add`. */
export type AdminCommands = Readonly<Record<string, AdminCommand>>;
