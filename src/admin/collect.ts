/** What is read from the views only when somebody asks for the metrics. */
import type { GatewayViews } from './ports.js';
import { daysLeft } from './status.js';

type Labels = Readonly<Record<string, string>>;
export type GaugeSeries = readonly (readonly [Labels, number])[];

/** Gauges by name, each whole: a series that is not among them is there no more. */
export function collectGauges(views: GatewayViews): Readonly<Record<string, GaugeSeries>> {
  const now = views.now();
  const calls = views.edge.calls();
  const { audit, store } = views.health();
  const kinds = ['private', 'group'] as const;
  return {
    segy_calls_now: kinds.flatMap((type) =>
      (['armed', 'unarmed'] as const).map((media): readonly [Labels, number] => [
        { type, media },
        calls.filter((call) => call.type === type && call.armed === (media === 'armed')).length,
      ]),
    ),
    segy_calls_clear: [[{}, calls.filter(({ clear, armed }) => clear && armed).length]],
    segy_expiry_days: views.expiries().flatMap((view): GaugeSeries => {
      const days = daysLeft(view, now);
      return days === null ? [] : [[{ kind: view.kind, owner: view.owner, name: view.name }, days]];
    }),
    segy_event_loop_lag_seconds: views
      .lags()
      .map(({ thread, worker, lagMs }) => [{ thread, worker: String(worker) }, lagMs / 1000]),
    segy_healthy: [
      [{ part: 'audit' }, audit === null ? 1 : 0],
      [{ part: 'store' }, store === null ? 1 : 0],
    ],
    segy_uptime_seconds: [[{}, Math.floor((now - views.startedAt) / 1000)]],
    segy_info: [[{ version: views.version }, 1]],
  };
}
