/** Settings of what the operator sees and is told: the command socket. */
import { z } from 'zod';

/** Where `segy` commands reach the running gateway. */
export const adminSchema = z
  .strictObject({
    /** path of the unix socket; default: `segy.sock` in the state folder */
    socket: z.string().min(1).optional(),
  })
  .prefault({});
