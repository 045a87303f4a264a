/** The commands that only look. */
import { SegyError } from '../base/errors.js';
import type { AdminCommand, AdminCommands } from './command.js';
import type { GatewayViews } from './ports.js';
import { traceReport } from './trace.js';
import type { TraceSources } from './trace.js';
import { callReport, callReports, daysLeft, statusReport } from './status.js';

export function viewCommands(views: GatewayViews, sources: TraceSources): AdminCommands {
  return {
    status: look(() => statusReport(views)),
    calls: look(() => ({ calls: callReports(views) })),
    'calls/show': look((body) => callReport(views, idOf(body))),
    trace: { ...look((body) => traceReport(views, sources, idOf(body))), timeoutMs: null },
    partners: look(() => ({ partners: views.partners() })),
    alarms: look(() => ({ alarms: views.alarms() })),
    expiries: look(() => ({
      expiries: views.expiries().map((view) => ({ ...view, days: daysLeft(view, views.now()) })),
    })),
  };
}

function look(run: (body: unknown) => unknown): AdminCommand {
  return { changes: false, run: async (body) => Promise.resolve(run(body)) };
}

function idOf(body: unknown): string {
  const id = typeof body === 'object' && body !== null && 'id' in body ? body.id : undefined;
  if (typeof id !== 'string' || id === '') {
    throw new SegyError('SEGY_E_ARGUMENT', 'name the session or a Call-ID');
  }
  return id;
}
