/**
 * What an operator sees of the running gateway and tells it: commands over a unix socket. Knows
 * the other parts by read-only views alone.
 */
export { adminCall } from './client.js';
export type { AdminCommand, AdminCommands, AdminRequest } from './command.js';
export type { AdminLimits } from './limits.js';
export { AdminServer } from './server.js';
export type { AdminServerOptions } from './server.js';
export { defaultSocketPath } from './socket-path.js';
export type {
  AlarmView,
  CallsPort,
  ExpiryView,
  GatewayViews,
  HealthView,
  MediaViewPort,
  PbxView,
} from './ports.js';
export { callReports } from './status.js';
export type { CallReport, StatusReport } from './status.js';
export type { TraceLine, TraceReport, TraceSources } from './trace.js';
export { viewCommands } from './view-commands.js';
export { AlarmBoard, type AlarmNews } from './alarm-board.js';
export { AlarmWatch, type AlarmWatchOptions } from './alarm-watch.js';
export { collectGauges, type GaugeSeries } from './collect.js';
export { MetricsServer, type MetricsServerOptions } from './metrics-server.js';
export { Webhook, type WebhookOptions } from './webhook.js';
