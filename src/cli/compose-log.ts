/** The log of the running gateway, with what listens to it. */
import type { Clock, Log } from '../base/environment.js';
import type { SegyConfig } from '../config/index.js';
import { appendTo, createLog, RecentLines, securityLog, tapLog } from '../log/index.js';
import type { LogLine } from '../log/index.js';
import type { MetricRegistry } from '../metrics/index.js';

/** Failures that are counted by the line that tells of them. */
const FAILURES: Readonly<Partial<Record<string, string>>> = {
  'audit.write.failed': 'segy_audit_failures_total',
  'store.write.failed': 'segy_store_failures_total',
};

export interface GatewayLog {
  readonly log: Log;
  /** the last lines, for `segy trace` */
  readonly recent: RecentLines;
}

export function makeLog(config: SegyConfig, clock: Clock, metrics: MetricRegistry): GatewayLog {
  const { logLevel, logFormat, securityLog: security, trace } = config;
  const recent = new RecentLines(trace.lines, () => clock.now());
  const count = ({ event }: LogLine): void => {
    const metric = FAILURES[event];
    if (metric !== undefined) metrics.count(metric);
  };
  const listeners = [recent.take, count];
  // Among JSON lines a line of another grammar has no place: there it needs a file of its own.
  const write = security.file === undefined ? toStandardOutput : appendTo(security.file);
  if (security.file !== undefined || logFormat === 'text') {
    listeners.push(securityLog({ clock, metrics, write }));
  }
  return { log: tapLog(createLog({ level: logLevel, format: logFormat }), listeners), recent };
}

function toStandardOutput(line: string): Promise<void> {
  process.stdout.write(line);
  return Promise.resolve();
}
