/** Everything known of one call, for whoever has to find out what happened to it. */
import { arch, platform, release } from 'node:os';
import { SegyError } from '../base/errors.js';
import type { GatewayViews } from './ports.js';
import { callReport, statusReport } from './status.js';
import type { CallReport, StatusReport } from './status.js';

/** Audit records are searched from so long before the first line of the call. */
const AUDIT_MARGIN_MS = 60_000;

export interface TraceLine {
  /** milliseconds since 1970 */
  readonly at: number;
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface TraceSources {
  /** lines of the log in which a field has one of the values, as they may be shown */
  lines(names: ReadonlySet<string>): readonly TraceLine[];
  /** audit records in which a field has, or begins with, one of the values */
  audit(names: ReadonlySet<string>, since: Date): Promise<readonly unknown[]>;
  config(): unknown;
}

export interface TraceReport {
  /** session, Call-IDs and dialog by which the rest was found */
  readonly names: readonly string[];
  readonly at: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly call: CallReport | null;
  readonly lines: readonly TraceLine[];
  readonly audit: readonly unknown[];
  readonly status: StatusReport;
  readonly config: unknown;
}

/**
 * @param id a session, or a Call-ID of either side
 * @throws SegyError SEGY_E_NOT_FOUND when nothing is known of it
 */
export async function traceReport(
  views: GatewayViews,
  sources: TraceSources,
  id: string,
): Promise<TraceReport> {
  const call = await callReport(views, id).catch(() => null);
  const given = new Set([id, ...(call === null ? [] : [call.session])]);
  const names = new Set([
    ...given,
    ...sources.lines(given).flatMap(({ fields }) => namesIn(fields)),
  ]);
  for (const name of call === null ? [] : [call.dialog, ...call.legs.map((leg) => leg.callId)]) {
    if (name !== '') names.add(name);
  }
  const lines = sources.lines(names);
  if (call === null && lines.length === 0) {
    throw new SegyError('SEGY_E_NOT_FOUND', `nothing is known of ${id}`);
  }
  const first = Math.min(call?.startedAt ?? Infinity, lines[0]?.at ?? Infinity);
  return {
    names: [...names],
    at: new Date(views.now()).toISOString(),
    versions: {
      segy: views.version,
      node: process.version,
      openssl: process.versions.openssl,
      system: `${platform()} ${release()} ${arch()}`,
    },
    call,
    lines,
    audit: await sources.audit(names, new Date(first - AUDIT_MARGIN_MS)),
    status: await statusReport(views),
    config: sources.config(),
  };
}

/** Names of the call that a line tells beside those it was found by. */
function namesIn(fields: Readonly<Record<string, unknown>>): string[] {
  const { session, outerCallId, innerCallId, dialog } = fields;
  return [session, outerCallId, innerCallId, dialog].filter(
    (name): name is string => typeof name === 'string' && name !== '',
  );
}
