/** Values that several sections of the configuration have: how each is written, and what it may be. */
import { isIP } from 'node:net';
import { z } from 'zod';

export const port = z.number().int().min(1).max(65535);
export const ipAddress = z.string().refine((text) => isIP(text) !== 0, 'not an IP address');
export const host = z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/, 'not a host name or address');
export const transport = z.enum(['udp', 'tcp', 'tls']);
/** by which partners name an outer listener */
export const listenerName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'letters, digits and . _ - only');

/**
 * An address that this host alone reaches, in its plain spelling.
 * @param otherwise what the operator can do instead, for the finding
 */
export function loopbackAddress(otherwise: string) {
  return z
    .string()
    .refine((text) => isIP(text) > 0 && (text.startsWith('127.') || text === '::1'), {
      message: `not a loopback address: ${otherwise}`,
    });
}

export const filePath = z.string().min(1);
export const octet = z.number().int().min(0).max(255);
/** fingerprint of a certificate */
export const sha256 = z
  .string()
  .regex(/^([0-9a-fA-F]{2}:?){32}$/, 'not a SHA-256 in hexadecimal')
  .transform((text) => text.replaceAll(':', '').toLowerCase());

export const kmsUri = z.string().min(1).max(255);
export const mcServiceId = z
  .string()
  .regex(/^(sip:|sips:|tel:)?[^\s<>"]{1,255}$/, 'not an MC service ID');
export const sipUri = z.string().regex(/^sips?:[^\s<>"]{1,255}$/, 'not a SIP URI');
/** an identifier without blanks, such as a client ID */
export const printable = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'printable ASCII without blanks only');
export const uri = z.string().regex(/^[^\s<>"']{1,255}$/, 'not a URI');
export const xmlName = z.string().regex(/^[A-Za-z_][A-Za-z0-9._-]{0,63}$/, 'not an XML name');
/** user part by which the PBX knows a user or a group */
export const pbxUser = z
  .string()
  .regex(/^[A-Za-z0-9+._-]{1,64}$/, 'letters, digits and + . _ - only');
