/** A key shared with a partner by configuration: an SPK (TS 33.180 clause 5.5), or a CSK (clause 5.4). */
import { z } from 'zod';
import { filePath, octet } from './values.js';

const instant = z
  .string()
  .refine(
    (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(text) && !Number.isNaN(Date.parse(text)),
    'not a UTC time such as 2026-01-31T00:00:00Z',
  );

/**
 * @param kind what messages call it
 * @param tag purpose tag, the first digit of its identifier
 */
export function sharedKeySchema(kind: string, tag: number) {
  return z
    .strictObject({
      /** its identifier: 8 hexadecimal digits, the purpose tag first */
      id: z
        .string()
        .regex(
          new RegExp(`^${tag}[0-9a-fA-F]{7}$`),
          `eight hexadecimal digits that begin with ${tag}, quoted`,
        ),
      /** file with the key in hexadecimal digits */
      keyFile: filePath,
      /** RAND for SRTCP keys, 16 to 255 octets in hexadecimal */
      rand: z.string().regex(/^([0-9a-fA-F]{2}){16,255}$/, 'not 16 or more octets in hexadecimal'),
      /** CS ID of the SRTCP session: 6 for MCPTT, 8 for MCVideo */
      csId: octet.default(6),
      validFrom: instant,
      validTo: instant,
      /** from when on we send with it; default `validFrom` */
      sendFrom: instant.optional(),
    })
    .refine(({ validFrom, validTo }) => Date.parse(validFrom) < Date.parse(validTo), {
      path: ['validTo'],
      message: `the ${kind} ends before it begins`,
    });
}
