/** Settings of what the operator sees and is told: command socket, metrics, alarms, security log. */
import { z } from 'zod';
import { filePath, loopbackAddress, port } from './values.js';

/** Where `segy` commands reach the running gateway. */
export const adminSchema = z
  .strictObject({
    /** path of the unix socket; default: `segy.sock` in the state folder */
    socket: filePath.optional(),
  })
  .prefault({});

const loopback = loopbackAddress('put a proxy with access control before it');

/** Prometheus text; nothing listens unless it is set. */
export const metricsSchema = z
  .strictObject({
    listen: z
      .strictObject({
        address: loopback.default('127.0.0.1'),
        port: port.default(9464),
      })
      .optional(),
  })
  .prefault({});

export const alarmsSchema = z
  .strictObject({
    /** days before its end at which a KMS or TLS certificate is an alarm, and warned of */
    certificateDays: z.number().positive().max(3650).default(30),
    /** days before its end at which the last key of a group is an alarm */
    keyDays: z.number().positive().max(3650).default(2),
    /** told by POST of a JSON object each */
    webhook: z
      .strictObject({
        url: z.url({ protocol: /^https?$/ }),
        /** file whose text is sent as a bearer token */
        tokenFile: filePath.optional(),
        /** authorities that may sign an https server, PEM; default: the system's */
        caFile: filePath.optional(),
        /** name of this gateway in each message; default: its security domain */
        gateway: z.string().min(1).max(255).optional(),
      })
      .refine(({ url, tokenFile }) => tokenFile === undefined || url.startsWith('https:'), {
        message: 'a token is sent over https only',
        path: ['tokenFile'],
      })
      .optional(),
  })
  .prefault({});

/** Security events in the fixed grammar of docs/monitoring.md. */
export const securityLogSchema = z
  .strictObject({
    /** file that they are appended to; default: they go where the log goes */
    file: filePath.optional(),
  })
  .prefault({});

/** Last lines of the log that are kept in memory for `segy trace`. */
export const traceSchema = z
  .strictObject({ lines: z.number().int().min(0).max(200_000).default(20_000) })
  .prefault({});
