/** Operational log on winston. The security grammar for fail2ban is one of its formats. */
export { createLog } from './winston-log.js';
export type { LogFormat, LogLevel, LogOptions } from './winston-log.js';
