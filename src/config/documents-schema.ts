/** Who may change group documents over HTTPS; the members of a group may read its own. */
import { z } from 'zod';
import { mcServiceId } from './values.js';

export const documentAccessSchema = z
  .strictObject({
    /** users that may read every document, put and delete: MC service IDs, verbatim */
    administrators: z.array(mcServiceId).max(1000).default([]),
    /** largest document that is taken, in octets */
    maxOctets: z.number().int().min(4096).max(4_194_304).default(1_048_576),
  })
  .prefault({});

export type DocumentAccessConfig = z.output<typeof documentAccessSchema>;
