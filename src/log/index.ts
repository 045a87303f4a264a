/** Operational log on winston, the security log in its own grammar, and what both have in common. */
export { RecentLines, type RecentLine } from './recent-lines.js';
export { appendTo, securityLine, securityLog } from './security-log.js';
export type { SecurityEvent, SecurityLogOptions } from './security-log.js';
export { tapLog, type LogLine } from './tap.js';
export { createLog, printableFields } from './winston-log.js';
export type { LogFormat, LogLevel, LogOptions } from './winston-log.js';
