/** What the operator sees of the running gateway and is told: views, command socket, metrics, alarms. */
import { readFileSync } from 'node:fs';
import type { PartnerView } from '../base/partner-view.js';
import {
  AlarmBoard,
  AlarmWatch,
  collectGauges,
  MetricsServer,
  viewCommands,
  Webhook,
} from '../admin/index.js';
import type { AdminCommands, GatewayViews, MediaViewPort, TraceSources } from '../admin/index.js';
import { showAudit } from '../audit/index.js';
import type { AuditLine } from '../audit/index.js';
import type { Environment } from '../base/environment.js';
import { beat, LagBoard } from '../base/loop-lag.js';
import type { Edge, PbxPort } from '../edge/index.js';
import { printableFields } from '../log/index.js';
import type { RecentLines } from '../log/index.js';
import type { MetricRegistry } from '../metrics/index.js';
import { openAdmin } from './compose-admin.js';
import type { AdminParts } from './compose-admin.js';
import { openConsole } from './compose-console.js';
import { expiriesOf } from './expiries.js';
import { auditFolder, requireDomain } from './state.js';
import { VERSION } from './version.js';

/** The gateway's environment: its metrics can be read back. */
export interface GatewayEnvironment extends Environment {
  readonly metrics: MetricRegistry;
  /** the last lines of its log */
  readonly recent: RecentLines;
}

/** What is there before any other part: others raise alarms and tell their lag. */
export interface Watchers {
  readonly board: AlarmBoard;
  readonly lags: LagBoard;
  readonly startedAt: number;
}

export function startWatchers(env: GatewayEnvironment): Watchers {
  const lags = new LagBoard();
  beat(lags.cell('main', 0));
  const board = new AlarmBoard(env);
  board.start();
  return { board, lags, startedAt: env.clock.now() };
}

export interface OperationsParts extends Omit<AdminParts, 'env' | 'more'> {
  readonly env: GatewayEnvironment;
  readonly watchers: Watchers;
  readonly edge: Edge;
  readonly media: MediaViewPort;
  readonly pbx: PbxPort;
  readonly partners: () => readonly PartnerView[];
  /** commands beside those that work on the state and those that show */
  readonly commands: AdminCommands;
}

/**
 * @param closers gets what ends each part
 * @throws SegyError SEGY_E_IO when a socket cannot be made, SEGY_E_CONFIG
 */
export async function openOperations(
  parts: OperationsParts,
  closers: (() => Promise<void> | void)[],
): Promise<GatewayViews> {
  const { env, watchers } = parts;
  const config = parts.config.current;
  const views = viewsOf(parts);
  const { board } = watchers;
  const watch = new AlarmWatch(views, board, env, config.alarms);
  watch.start();
  closers.push(() => watch.stop());
  startWebhook(parts, closers);
  const looks = viewCommands(views, traceSources(parts));
  const consoleCommands = await openConsole({ config, env, state: parts.state, views }, closers);
  const more = { ...looks, ...consoleCommands, ...parts.commands };
  const admin = await openAdmin({ ...parts, more });
  closers.push(() => admin.close());
  if (config.metrics.listen !== undefined) {
    const server = await MetricsServer.open({
      ...config.metrics.listen,
      expose: () => exposition(env.metrics, views),
    });
    closers.push(() => server.close());
  }
  return views;
}

/** The metrics as they are now, with what is read from the views alone. */
function exposition(metrics: MetricRegistry, views: GatewayViews): string {
  for (const [name, series] of Object.entries(collectGauges(views))) {
    metrics.replaceGauge(name, series);
  }
  return metrics.expose();
}

function viewsOf(parts: OperationsParts): GatewayViews {
  const { config, env, watchers, state, edge, media, pbx, ring, partners } = parts;
  const now = (): number => env.clock.now();
  return {
    version: VERSION,
    startedAt: watchers.startedAt,
    state: () => (edge.draining ? 'draining' : 'running'),
    now,
    edge,
    media,
    partners,
    pbx: () => ({ type: config.current.pbx.type, linked: pbx.linked }),
    expiries: expiriesOf({ config: () => config.current, state, ring, now }),
    health: () => ({ audit: state.audit.fault, store: state.store.fault }),
    alarms: () => watchers.board.view(),
    lags: () => watchers.lags.view(),
    metric: (name, labels) => env.metrics.value(name, labels),
  };
}

function traceSources({ config, env }: OperationsParts): TraceSources {
  return {
    lines: (names) =>
      env.recent.about(names).map((line) => ({ ...line, fields: printableFields(line.fields) })),
    audit: async (names, since) => {
      const found: AuditLine[] = [];
      for await (const line of showAudit(auditFolder(config.current.stateDir), { since })) {
        const values = [line.dialog, line.message].filter((value) => value !== undefined);
        if (values.some((value) => names.has(value))) found.push(line);
      }
      return found;
    },
    config: () => config.current,
  };
}

function startWebhook(
  { config, env, state, watchers }: OperationsParts,
  closers: (() => void)[],
): void {
  const { webhook } = config.current.alarms;
  if (webhook === undefined) return;
  const { url, tokenFile, caFile, gateway } = webhook;
  const sender = new Webhook(
    {
      url,
      gateway: gateway ?? requireDomain(state).certificate.kmsUri,
      ...(tokenFile !== undefined && { token: readFileSync(tokenFile, 'utf8').trim() }),
      ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }),
    },
    env,
  );
  watchers.board.onNews((news) => sender.tell(news));
  closers.push(() => sender.stop());
}
