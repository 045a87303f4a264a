/**
 * A page on loopback that shows the running gateway to whoever logs in: calls and who talks, partners
 * and their trust, the key calendar, alarms, the end of the audit log. It only reads, through views that
 * src/cli hands in, and knows no key octet.
 */
export { DEFAULT_CONSOLE_LIMITS, type ConsoleLimits } from './limits.js';
export { ConsoleServer, type ConsoleServerOptions } from './server.js';
export { LoginTokens, MIN_TOKEN, type LoginTokensOptions } from './login-tokens.js';
export { readPanels } from './panels.js';
export type { AuditView, ConsoleViews, PeriodView, TrustView } from './ports.js';
