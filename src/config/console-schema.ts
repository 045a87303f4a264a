/** Settings of the console, the page that shows the running gateway. */
import { z } from 'zod';
import { filePath, loopbackAddress, port } from './values.js';

const loopback = loopbackAddress('reach the console through a tunnel, as docs/console.md shows');

/** Nothing listens unless `listen` is set. */
export const consoleSchema = z
  .strictObject({
    listen: z
      .strictObject({
        address: loopback.default('127.0.0.1'),
        port: port.default(9465),
      })
      .optional(),
    /** file with a token of 32 to 256 characters, mode 0600; without it only `segy console token` lets in */
    tokenFile: filePath.optional(),
    /** a session ends when nobody touched its page for so long */
    idleMinutes: z.number().positive().max(1440).default(30),
    /** and in any case after so long */
    sessionHours: z.number().positive().max(168).default(12),
  })
  .prefault({});
