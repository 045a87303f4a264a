/** What IP literals say of where packets go. */
import { isIP } from 'node:net';

/** 127.0.0.0/8, ::1 in any spelling, and the former inside IPv6; never true of a name. */
export function isLoopback(address: string): boolean {
  if (isIP(address) === 4) return address.startsWith('127.');
  return isIP(address) === 6 && (/^[0:]*:0*1$/.test(address) || /^[0:]*:ffff:127\./i.test(address));
}
