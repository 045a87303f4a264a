/**
 * What every line of the log passes before it is written: lines of a call get its session and both its
 * Call-IDs, and whoever listens gets every line, also those below the level that is written.
 */
import type { Log, LogFields } from '../base/environment.js';

export type LogLevelName = keyof Log;

export interface LogLine {
  readonly level: LogLevelName;
  readonly event: string;
  readonly fields: LogFields;
}

interface CallNames {
  readonly session: string;
  readonly outerCallId: string;
  readonly innerCallId: string;
}

/** The event with which a call says its names: `session`, `outerCallId`, `innerCallId`. */
const OPENED = 'call.opened';
/** Calls whose names are remembered, ended ones too: what is late still belongs to them. */
const DEFAULT_CALLS = 4096;

/** `log` with the names of calls in their lines, and `listeners` told of each line. */
export function tapLog(
  log: Log,
  listeners: readonly ((line: LogLine) => void)[],
  maxCalls = DEFAULT_CALLS,
): Log {
  const calls = new Map<string, CallNames>();
  const remember = (names: CallNames): void => {
    for (const key of [names.session, names.outerCallId, names.innerCallId]) {
      calls.delete(key);
      calls.set(key, names);
    }
    for (const key of calls.keys()) {
      if (calls.size <= 3 * maxCalls) break;
      calls.delete(key);
    }
  };
  const write =
    (level: LogLevelName) =>
    (event: string, given: LogFields = {}) => {
      const opened = event === OPENED ? namesIn(given) : undefined;
      if (opened) remember(opened);
      const key = given.session ?? given.callId;
      const names = opened ?? (typeof key === 'string' ? calls.get(key) : undefined);
      const fields = names === undefined ? given : { ...names, ...given };
      for (const listen of listeners) listen({ level, event, fields });
      log[level](event, fields);
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function namesIn({ session, outerCallId, innerCallId }: LogFields): CallNames | undefined {
  if (
    typeof session !== 'string' ||
    typeof outerCallId !== 'string' ||
    typeof innerCallId !== 'string'
  ) {
    return undefined;
  }
  return { session, outerCallId, innerCallId };
}
