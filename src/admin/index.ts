/**
 * What an operator sees of the running gateway and tells it: commands over a unix socket. Knows
 * the other parts by read-only views alone.
 */
export { adminCall } from './client.js';
export type { AdminCommand, AdminCommands, AdminRequest } from './command.js';
export { DEFAULT_ADMIN_LIMITS } from './limits.js';
export type { AdminLimits } from './limits.js';
export { AdminServer } from './server.js';
export type { AdminServerOptions } from './server.js';
export { defaultSocketPath } from './socket-path.js';
