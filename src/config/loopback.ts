/** Addresses that only this host reaches. */
import { isIP } from 'node:net';
import { z } from 'zod';

/** @param otherwise what the operator can do instead, for the finding */
export function loopbackAddress(otherwise: string) {
  return z
    .string()
    .refine((text) => isIP(text) > 0 && (text.startsWith('127.') || text === '::1'), {
      message: `not a loopback address: ${otherwise}`,
    });
}
